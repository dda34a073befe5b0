//! How closely two series of numbers go together.

/// Pearson's correlation, from -1 to 1.
///
/// `None` where it is undefined: the sides differ in length, a side is constant (so also when it
/// has fewer than two values), or a value is not finite.
#[must_use]
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    let (a, b) = (direction(a)?, direction(b)?);
    let cosine: f64 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
    Some(cosine.clamp(-1.0, 1.0))
}

/// Spearman's rank correlation, from -1 to 1: Pearson's of the ranks. Equal values share the mean
/// of their ranks.
///
/// `None` where it is undefined: the sides differ in length, a side is constant (so also when it
/// has fewer than two values), or a value is NaN.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&ranks(a)?, &ranks(b)?)
}

/// The values' deviations from their mean, scaled to a vector of length one.
fn direction(values: &[f64]) -> Option<Vec<f64>> {
    let first = values.first()?;
    // Rounding can give equal values a mean that is none of them, so their spread tells nothing.
    if values.iter().all(|value| value == first) || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    // Relative to the largest, no sum or square overflows.
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let mean = values.iter().map(|value| value / largest).sum::<f64>() / values.len() as f64;
    let deviations: Vec<f64> = values.iter().map(|value| value / largest - mean).collect();
    let length = deviations.iter().map(|deviation| deviation * deviation).sum::<f64>().sqrt();
    (length > 0.0).then(|| deviations.iter().map(|deviation| deviation / length).collect())
}

/// The rank of each value, from 1; NaN has none.
fn ranks(values: &[f64]) -> Option<Vec<f64>> {
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|(a, _), (b, _)| a == b) {
        let shared = below as f64 + (tied.len() + 1) as f64 / 2.0;
        for &(_, place) in tied {
            ranks[place] = shared;
        }
        below += tied.len();
    }
    Some(ranks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_close(got: Option<f64>, expected: f64, what: &str) {
        let got = got.unwrap();
        assert!((got - expected).abs() < 1e-12, "{what}: {got} is not {expected}");
    }

    // Python 3.11.7, numpy 2.4.6, scipy 1.17.1:
    //
    //     from scipy.stats import pearsonr, spearmanr
    //     for a, b in series: print(pearsonr(a, b)[0], spearmanr(a, b)[0])
    #[test]
    fn scipy_gives_the_same_numbers() {
        type Case<'a> = (&'a str, &'a [f64], &'a [f64], f64, f64);
        let cases: [Case<'_>; 5] = [
            (
                "no ties",
                &[0.1, 0.4, 0.35, 0.8, 0.7],
                &[1.0, 3.2, 2.5, 4.8, 5.0],
                0.9802444291296094,
                0.8999999999999998,
            ),
            (
                "many ties",
                &[5.0, 5.0, 3.0, 3.0, 3.0, 0.0, 1.5, 1.5],
                &[0.9, 0.8, 0.8, 0.8, 0.1, 0.2, 0.2, 0.9],
                0.5443345504144699,
                0.3653846153846154,
            ),
            (
                "two levels",
                &[0.0, 0.0, 1.0, 1.0, 1.0, 0.0],
                &[2.0, 2.0, 2.0, 7.0, 7.0, 7.0],
                0.3333333333333334,
                0.3333333333333333,
            ),
            ("falling", &[1.0, 2.0, 3.0, 4.0], &[10.0, 9.0, 2.0, -40.0], -0.8527698421023994, -1.0),
            ("unrelated", &[1.0, 2.0, 3.0, 4.0], &[1.0, -1.0, -1.0, 1.0], 0.0, 0.0),
        ];
        for (what, a, b, by_value, by_rank) in cases {
            assert_close(pearson(a, b), by_value, what);
            assert_close(spearman(a, b), by_rank, what);
        }
    }

    #[test]
    fn equal_values_share_the_mean_of_their_ranks() {
        assert_eq!(ranks(&[7.0, 0.0, 7.0, -0.0, 7.0]).unwrap(), [4.0, 1.5, 4.0, 1.5, 4.0]);
    }

    #[test]
    fn what_is_undefined_has_no_number() {
        let rising: &[f64] = &[1.0, 2.0, 3.0];
        let cases: [(&str, &[f64], &[f64]); 5] = [
            ("empty", &[], &[]),
            ("single", &[1.0], &[2.0]),
            ("of two lengths", rising, &[1.0, 2.0]),
            ("constant", rising, &[0.1, 0.1, 0.1]),
            ("not a number", rising, &[1.0, f64::NAN, 2.0]),
        ];
        for (what, a, b) in cases {
            for correlation in [pearson, spearman] {
                assert_eq!(correlation(a, b), None, "{what}");
                assert_eq!(correlation(b, a), None, "{what}");
            }
        }
    }

    #[test]
    fn infinity_has_a_rank_but_no_deviation() {
        let far = [1.0, 2.0, f64::INFINITY];
        assert_eq!(pearson(&far, &far), None);
        assert_close(spearman(&far, &far), 1.0, "infinity");
    }

    #[test]
    fn the_largest_and_the_smallest_numbers_correlate_too() {
        let huge = [-f64::MAX, 0.0, f64::MAX];
        let tiny = [-f64::from_bits(1), 0.0, f64::from_bits(1)];
        assert_close(pearson(&huge, &tiny), 1.0, "huge and tiny");
    }

    /// Few levels, so that most series have ties.
    fn series() -> impl Strategy<Value = Vec<(f64, f64)>> {
        let level = || (-4i32..4).prop_map(f64::from);
        prop::collection::vec((level(), level()), 0..40)
    }

    proptest! {
        #[test]
        fn only_the_order_of_values_decides_spearman(pairs in series()) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let stretched: Vec<f64> = a.iter().map(|value| value.powi(3) + 100.0).collect();
            prop_assert_eq!(spearman(&a, &b), spearman(&stretched, &b));
            let turned: Vec<f64> = a.iter().map(|value| -value).collect();
            match (spearman(&a, &b), spearman(&turned, &b)) {
                (Some(up), Some(down)) => prop_assert!((up + down).abs() < 1e-12),
                (up, down) => prop_assert_eq!(up, down),
            }
        }

        #[test]
        fn the_sides_can_be_exchanged(pairs in series()) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            prop_assert_eq!(pearson(&a, &b), pearson(&b, &a));
            prop_assert_eq!(spearman(&a, &b), spearman(&b, &a));
        }

        #[test]
        fn a_correlation_is_from_minus_one_to_one(
            pairs in prop::collection::vec((any::<f64>(), any::<f64>()), 0..20),
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            for got in [pearson(&a, &b), spearman(&a, &b)].into_iter().flatten() {
                prop_assert!((-1.0..=1.0).contains(&got), "{}", got);
            }
        }
    }
}
