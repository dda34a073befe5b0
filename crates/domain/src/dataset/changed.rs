//! Texts that nobody wrote, for a teacher to speak about.

/// A text with some of its words replaced, one at least. `draw` says a number below the one it is
/// given, as it likes.
///
/// ```
/// use trireme_domain::dataset::changed;
///
/// let words = ["harbour", "night"];
/// assert_eq!(changed("a quiet film", &words, 1.0, |_| 0), "harbour harbour harbour");
/// assert_eq!(changed("a quiet film", &words, 0.0, |_| 1), "a night film");
/// assert_eq!(changed("", &words, 1.0, |_| 0), "");
/// ```
#[must_use]
pub fn changed(
    text: &str,
    words: &[&str],
    share: f64,
    mut draw: impl FnMut(usize) -> usize,
) -> String {
    const FINE: usize = 1 << 16;
    let mut text: Vec<&str> = text.split_whitespace().collect();
    if text.is_empty() || words.is_empty() {
        return text.join(" ");
    }
    let certain = draw(text.len());
    for (at, word) in text.iter_mut().enumerate() {
        if at == certain || (draw(FINE) as f64) < share * FINE as f64 {
            *word = words[draw(words.len())];
        }
    }
    text.join(" ")
}
