//! What a share of all values does not exceed.

/// The smallest of these values that at least this share of them does not exceed: with 0.5 the
/// median, with 0.99 what all but one of a hundred keep to. None of none.
///
/// ```
/// use trireme_domain::metrics::percentile;
///
/// let times = [3.0, 1.0, 2.0, 40.0];
/// assert_eq!(percentile(&times, 0.5), Some(2.0));
/// assert_eq!(percentile(&times, 0.99), Some(40.0));
/// assert_eq!(percentile(&[], 0.5), None);
/// ```
#[must_use]
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).or(sorted.last()).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::percentile;

    proptest! {
        #[test]
        fn enough_values_keep_to_it_and_too_few_to_any_smaller(
            values in prop::collection::vec(-100i32..100, 1..50),
            share in 0.0..1.0f64,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let got = percentile(&values, share).unwrap();
            let count = |keeps: &dyn Fn(f64) -> bool| {
                values.iter().filter(|&&value| keeps(value)).count() as f64
            };
            let enough = share * values.len() as f64;
            prop_assert!(values.contains(&got));
            prop_assert!(count(&|value| value <= got) >= enough, "{got} of {values:?}");
            let smaller = count(&|value| value < got);
            prop_assert!(smaller < enough.max(1.0), "{got} of {values:?}: {smaller} are smaller");
        }
    }
}
