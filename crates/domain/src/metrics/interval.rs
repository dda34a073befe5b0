//! Between what and what a figure lies that was measured on few examples.

/// Half the width of 95 % of a normal distribution, in deviations.
const DEVIATIONS: f64 = 1.959_963_985;

/// Where a share lies with 95 % confidence, when so many of so many had it: Wilson's interval. None
/// of none.
///
/// ```
/// use trireme_domain::metrics::share_interval;
///
/// let (low, high) = share_interval(9, 10).unwrap_or_default();
/// assert!((low - 0.5958).abs() < 1e-4 && (high - 0.9821).abs() < 1e-4);
/// assert_eq!(share_interval(0, 0), None);
/// ```
#[must_use]
pub fn share_interval(count: usize, of: usize) -> Option<(f64, f64)> {
    if of == 0 || count > of {
        return None;
    }
    let (all, share) = (of as f64, count as f64 / of as f64);
    let square = DEVIATIONS * DEVIATIONS / all;
    let middle = (share + square / 2.0) / (1.0 + square);
    let spread = share * (1.0 - share) / all + square / (4.0 * all);
    let half = DEVIATIONS / (1.0 + square) * spread.sqrt();
    Some((middle - half, middle + half))
}

/// Where Spearman's correlation of so many pairs lies with 95 % confidence: Fisher's interval, with
/// Bonett and Wright's variance. None of fewer than four.
///
/// ```
/// use trireme_domain::metrics::correlation_interval;
///
/// let (low, high) = correlation_interval(0.8, 103).unwrap_or_default();
/// assert!((low - 0.7031).abs() < 1e-4 && (high - 0.8677).abs() < 1e-4, "{low} to {high}");
/// ```
#[must_use]
pub fn correlation_interval(correlation: f64, pairs: usize) -> Option<(f64, f64)> {
    let more = pairs.checked_sub(3).filter(|&more| more > 0)?;
    let deviation = ((1.0 + correlation * correlation / 2.0) / more as f64).sqrt();
    let end = |sign: f64| (correlation.atanh() + sign * DEVIATIONS * deviation).tanh();
    Some((end(-1.0), end(1.0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_share_lies_in_its_interval_and_more_examples_narrow_it(
            of in 1usize..500,
            part in 0.0..=1.0f64,
        ) {
            let count = (part * of as f64) as usize;
            let share = count as f64 / of as f64;
            let (low, high) = share_interval(count, of).unwrap();
            prop_assert!(low >= -1e-12 && high <= 1.0 + 1e-12, "{low} to {high}");
            prop_assert!(low <= share + 1e-12 && share <= high + 1e-12, "{share}: {low} to {high}");
            let (narrow_low, narrow_high) = share_interval(10 * count, 10 * of).unwrap();
            prop_assert!(narrow_high - narrow_low < high - low);
        }

        #[test]
        fn so_does_a_correlation(correlation in -0.99..0.99f64, pairs in 4usize..2000) {
            let (low, high) = correlation_interval(correlation, pairs).unwrap();
            prop_assert!(-1.0 <= low && low < correlation && correlation < high && high <= 1.0);
            let (narrow_low, narrow_high) = correlation_interval(correlation, 4 * pairs).unwrap();
            prop_assert!(narrow_high - narrow_low < high - low);
        }
    }
}
