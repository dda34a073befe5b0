//! How often numbers fell where.

/// Numbers counted by bounds, as Prometheus reads them: each holds what is no larger.
///
/// ```
/// use trireme_domain::histogram::Histogram;
///
/// let mut texts = Histogram::new(&[1.0, 8.0]);
/// [1.0, 3.0, 40.0].into_iter().for_each(|run| texts.count(run));
/// assert_eq!(texts.rows().collect::<Vec<_>>(), [(1.0, 1), (8.0, 2)]);
/// assert_eq!((texts.all(), texts.sum()), (3, 44.0));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    /// One more than there are bounds: the last is of what is larger than all of them.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// Nothing, to be counted by these bounds, which rise.
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Counts a number.
    pub fn count(&mut self, number: f64) {
        let place = self.bounds.partition_point(|&bound| bound < number);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
            self.sum += number;
        }
    }

    /// For each bound, how many were no larger.
    pub fn rows(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        self.bounds.iter().copied().zip(counts)
    }

    /// How many were counted.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_is_counted_once_and_under_its_bound(numbers: Vec<u8>) {
            let bounds: &[f64] = &[3.0, 7.0, 90.0];
            let mut counted = Histogram::new(bounds);
            numbers.iter().for_each(|&number| counted.count(number.into()));
            for (bound, count) in counted.rows() {
                let expected = numbers.iter().filter(|&&number| f64::from(number) <= bound).count();
                prop_assert_eq!(count, expected as u64, "no larger than {}", bound);
            }
            prop_assert_eq!(counted.all(), numbers.len() as u64);
            prop_assert_eq!(counted.sum(), numbers.iter().copied().map(f64::from).sum::<f64>());
        }
    }
}
