//! Which class wins.

/// The index of the largest score; of equals the first, as the reference chooses. `None` where
/// there is no score.
///
/// ```
/// use trireme_domain::top::top;
///
/// assert_eq!(top(&[0.2, 0.4, 0.4]), Some(1));
/// assert_eq!(top(&[]), None);
/// ```
#[must_use]
pub fn top(scores: &[f32]) -> Option<usize> {
    let larger = |best: usize, class: usize| {
        if scores[class].total_cmp(&scores[best]).is_gt() { class } else { best }
    };
    (0..scores.len()).reduce(larger)
}
