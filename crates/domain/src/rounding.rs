//! How exactly scores are told.
//!
//! Who asks often enough for every digit of a model's scores can train one like it. A few digits
//! serve those who read them as well.

use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::top::top;

/// A score in single precision has no more digits to tell.
const ALL: u8 = 7;

/// How many digits of a score are told. By default all of them.
///
/// ```
/// use trireme_domain::rounding::Rounding;
///
/// let rounding = Rounding { digits: Some(2) };
/// let mut scores = [0.3349, 0.3348, 0.3303];
/// rounding.round(&mut scores);
/// assert_eq!(scores, [0.33, 0.33, 0.33]);
///
/// let mut scores = [0.331, 0.334, 0.335];
/// rounding.round(&mut scores);
/// assert_eq!(scores, [0.33, 0.33, 0.34]);
///
/// Rounding::default().round(&mut scores);
/// assert_eq!(scores, [0.33, 0.33, 0.34]);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rounding {
    /// Digits after the point; `None` tells what the model says.
    pub digits: Option<u8>,
}

impl Rounding {
    /// Rounds scores between 0 and 1, halves to the even digit. What was the top class still is: a
    /// class before it that would come to the same score is told one unit less, or, where all come
    /// to nothing, the top class one unit more. The sum is left as it comes.
    ///
    /// ```
    /// use trireme_domain::rounding::Rounding;
    ///
    /// let mut scores = [0.4998, 0.5002];
    /// Rounding { digits: Some(2) }.round(&mut scores);
    /// assert_eq!(scores, [0.49, 0.5]);
    /// ```
    pub fn round(self, scores: &mut [f32]) {
        let Some(digits) = self.digits.filter(|&digits| digits < ALL) else { return };
        let Some(best) = top(scores) else { return };
        let unit = 10f64.powi(i32::from(digits));
        // The sum makes a zero of a zero below zero.
        let told = |score: f32| (f64::from(score) * unit).round_ties_even() + 0.0;
        // Of equals the first is the top class.
        let ties = scores[..best].iter().any(|&score| told(score) >= told(scores[best]));
        let raised = ties && told(scores[best]) == 0.0;
        let most = if raised { 1.0 } else { told(scores[best]) };
        for (class, score) in scores.iter_mut().enumerate().filter(|(_, score)| score.is_finite()) {
            let units = match class.cmp(&best) {
                Ordering::Less => told(*score).min(most - 1.0),
                Ordering::Equal => most,
                Ordering::Greater => told(*score),
            };
            *score = (units / unit) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_the_even_digit() {
        let cases = [(0.125, 0.12), (0.375, 0.38), (0.625, 0.62), (0.875, 0.88), (1.0, 1.0)];
        for (score, expected) in cases {
            let mut scores = [score];
            Rounding { digits: Some(2) }.round(&mut scores);
            assert_eq!(scores, [expected], "{score}");
        }
    }

    #[test]
    fn a_tie_that_rounding_makes_keeps_the_top_class() {
        let cases: [(&[f32], &[f32]); 5] = [
            (&[0.26, 0.34, 0.4], &[0.3, 0.3, 0.4]),
            (&[0.44, 0.4, 0.16], &[0.4, 0.4, 0.2]),
            (&[0.4, 0.44, 0.16], &[0.3, 0.4, 0.2]),
            (&[0.02, 0.04, 0.01], &[0.0, 0.1, 0.0]),
            (&[0.31, 0.32, 0.37], &[0.3, 0.3, 0.4]),
        ];
        for (scores, expected) in cases {
            let mut got = scores.to_vec();
            Rounding { digits: Some(1) }.round(&mut got);
            assert_eq!(got, expected, "{scores:?}");
        }
    }

    #[test]
    fn what_is_no_number_stays_what_it_is() {
        let mut scores = [f32::NAN, 0.123, f32::INFINITY];
        Rounding { digits: Some(1) }.round(&mut scores);
        assert!(scores[0].is_nan() && scores[1] == 0.1 && scores[2] == f32::INFINITY, "{scores:?}");
        Rounding { digits: Some(1) }.round(&mut []);
    }

    proptest! {
        #[test]
        fn rounding_moves_no_score_far_and_never_the_top(
            scores in prop::collection::vec(0.0..=1.0f32, 1..40),
            digits in 0u8..12,
        ) {
            let mut got = scores.clone();
            Rounding { digits: Some(digits) }.round(&mut got);
            prop_assert_eq!(top(&got), top(&scores), "{:?} became {:?}", scores, got);
            let unit = 10f32.powi(-i32::from(digits));
            for (&score, &rounded) in scores.iter().zip(&got) {
                let moved = (score - rounded).abs();
                prop_assert!((0.0..=1.0).contains(&rounded), "{score} became {rounded}");
                prop_assert!(moved <= 1.5 * unit + 1e-6, "{score} became {rounded}");
            }
        }
    }
}
