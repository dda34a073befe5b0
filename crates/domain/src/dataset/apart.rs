//! Texts to measure by that nothing learnt gives away.

/// Whether a text holds one of others, or is held by one: then who has learnt it knows something
/// of the other.
///
/// ```
/// use trireme_domain::dataset::Apart;
///
/// let apart = Apart::from(["a quiet harbour at night"]);
/// assert!(!apart.from_text("quiet harbour"));
/// assert!(!apart.from_text("it was a quiet harbour at night ."));
/// assert!(apart.from_text("quiet"), "a word alone gives little away");
/// assert!(apart.from_text("a noisy harbour"));
/// assert!(Apart::from(["a"]).from_text("a film"), "nor does it give a text away");
/// ```
pub struct Apart(Vec<String>);

/// Shorter texts are in too many others to give any away.
const WORDS: usize = 2;

impl<T: Into<String>, I: IntoIterator<Item = T>> From<I> for Apart {
    fn from(held_out: I) -> Self {
        Self(held_out.into_iter().map(|text| text.into().trim().to_owned()).collect())
    }
}

impl Apart {
    /// Whether this text gives none of them away.
    #[must_use]
    pub fn from_text(&self, text: &str) -> bool {
        let text = text.trim();
        let long = |text: &str| text.split_whitespace().nth(WORDS - 1).is_some();
        let is_long = long(text);
        !self.0.iter().any(|held_out| {
            held_out == text
                || (is_long && held_out.contains(text))
                || (long(held_out) && text.contains(held_out.as_str()))
        })
    }
}
