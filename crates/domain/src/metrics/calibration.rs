//! Whether a classifier is as sure as it is right.

use serde::Serialize;

/// Where a temperature is looked for.
const COLDEST: f64 = 0.05;
const HOTTEST: f64 = 20.0;

/// Equal parts of the range of confidence.
const BINS: usize = 15;

/// How sure a classifier was of known texts, and what makes it as sure as it is right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Calibration {
    /// Logits are to be divided by this.
    pub temperature: f64,
    /// How far confidence and accuracy lay apart: the expected calibration error, over 15 bins.
    pub error_before: f64,
    /// The same, after the division.
    pub error_after: f64,
}

impl Calibration {
    /// Finds the temperature at which what is known is most likely, or takes one where no such is
    /// to be found. `logits` are one row a text, to within a sum, so logarithms of scores will do;
    /// `classes` are what is known.
    ///
    /// ```
    /// use trireme_domain::metrics::Calibration;
    ///
    /// // As sure as 0.98, right three times of four.
    /// let logits = vec![vec![4.0, 0.0]; 4];
    /// let found = Calibration::new(&logits, &[0, 0, 0, 1]);
    /// assert!((found.temperature - 4.0 / 3f64.ln()).abs() < 0.01);
    /// assert!(found.error_before > 0.2 && found.error_after < 0.01);
    /// ```
    #[must_use]
    pub fn new(logits: &[Vec<f32>], classes: &[usize]) -> Self {
        // Texts that are all right, or that tell nothing, name no temperature, only an end.
        let found = temperature(logits, classes);
        let within = found > 1.01 * COLDEST && found < 0.99 * HOTTEST;
        let temperature = if within { found } else { 1.0 };
        Self {
            temperature,
            error_before: calibration_error(logits, classes, 1.0),
            error_after: calibration_error(logits, classes, temperature),
        }
    }
}

/// The shares that softmax gives at a temperature.
fn shares(logits: &[f32], temperature: f64) -> Vec<f64> {
    let scaled = || logits.iter().map(|&logit| f64::from(logit) / temperature);
    let top = scaled().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scaled().map(|logit| (logit - top).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// How unlikely what is known is, at a temperature.
fn surprise(logits: &[Vec<f32>], classes: &[usize], temperature: f64) -> f64 {
    let of = |(logits, &class): (&Vec<f32>, &usize)| {
        -shares(logits, temperature).get(class).copied().unwrap_or(0.0).max(1e-300).ln()
    };
    logits.iter().zip(classes).map(of).sum()
}

/// The surprise falls and then rises with the temperature, so its least is between any two sides
/// of it.
fn temperature(logits: &[Vec<f32>], classes: &[usize]) -> f64 {
    let at = |power: f64| surprise(logits, classes, power.exp());
    let (mut low, mut high) = (COLDEST.ln(), HOTTEST.ln());
    for _ in 0..48 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if at(left) < at(right) { high = right } else { low = left }
    }
    f64::midpoint(low, high).exp()
}

/// How far confidence and accuracy lie apart at a temperature: in each of 15 bins, how far the mean
/// confidence lies from the share that is right; the mean of that.
#[must_use]
pub fn calibration_error(logits: &[Vec<f32>], classes: &[usize], temperature: f64) -> f64 {
    let mut bins = [(0.0, 0.0); BINS];
    for (logits, &class) in logits.iter().zip(classes) {
        let shares = shares(logits, temperature);
        let best = (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b])).unwrap_or(0);
        let sure = shares.get(best).copied().unwrap_or(0.0);
        let bin = &mut bins[((sure * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += sure;
        bin.1 += f64::from(u8::from(best == class));
    }
    let apart: f64 = bins.iter().map(|(sure, right)| f64::abs(sure - right)).sum();
    apart / logits.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_as_sure_as_right_stays_so() {
        // Two of three, said with the logarithm of two to one.
        let logits = vec![vec![2f32.ln(), 0.0]; 3];
        let found = Calibration::new(&logits, &[0, 0, 1]);
        assert!((found.temperature - 1.0).abs() < 1e-3, "{found:?}");
        assert!(found.error_before < 1e-6, "{found:?}");
    }

    #[test]
    fn no_text_and_a_class_that_is_not_there_are_no_accident() {
        let none = Calibration::new(&[], &[]);
        assert_eq!((none.temperature, none.error_before, none.error_after), (1.0, 0.0, 0.0));
        let all_right = Calibration::new(&vec![vec![1.0, 0.0]; 13], &[0; 13]);
        assert_eq!(all_right.temperature, 1.0, "nothing says how often it is wrong");
        let odd = Calibration::new(&[vec![1.0, 0.0]], &[7]);
        assert!(odd.temperature.is_finite() && odd.error_before > 0.5, "{odd:?}");
    }

    #[test]
    fn scores_that_left_the_range_of_singles_are_borne() {
        let found = Calibration::new(&[vec![0.0, f32::NEG_INFINITY]], &[0]);
        assert!(found.temperature.is_finite() && found.error_after < 1e-9, "{found:?}");
    }
}
