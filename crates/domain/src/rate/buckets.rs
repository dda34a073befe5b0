//! The buckets of many callers.

use core::time::Duration;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use super::{Bucket, Rate, TooMuch};

/// The buckets of many callers, in bounded memory. A bucket that is full again is forgotten, which
/// changes nothing. Where there are too many all the same, the one that was not asked for the
/// longest goes, and its caller begins with a full one.
///
/// ```
/// use std::time::Duration;
///
/// use trireme_domain::rate::{Buckets, Rate};
///
/// let mut buckets = Buckets::new(10_000);
/// let rate = Rate { per_second: 1.0, burst: 1.0 };
/// assert!(buckets.take("ada", rate, Duration::ZERO, 1.0).is_ok());
/// assert!(buckets.take("ada", rate, Duration::ZERO, 1.0).is_err());
/// assert!(buckets.take("bob", rate, Duration::ZERO, 1.0).is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct Buckets<K> {
    most: usize,
    buckets: HashMap<K, (Bucket, u64)>,
    /// Callers, who was not here for the longest first.
    idle: BTreeSet<(u64, K)>,
    /// When each is full again.
    fulls: BTreeSet<(Duration, K)>,
    asked: u64,
}

impl<K: Clone + Eq + Hash + Ord> Buckets<K> {
    /// None yet, and never more than this, or one.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            buckets: HashMap::new(),
            idle: BTreeSet::new(),
            fulls: BTreeSet::new(),
            asked: 0,
        }
    }

    /// How many callers are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether nobody is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// As [`Bucket::take`], from this caller's bucket.
    ///
    /// # Errors
    /// There is not enough yet, or there never will be.
    pub fn take(&mut self, caller: K, rate: Rate, now: Duration, cost: f64) -> Result<(), TooMuch> {
        self.forget_full(now);
        let (mut bucket, asked) = self.buckets.remove(&caller).unwrap_or_default();
        self.idle.remove(&(asked, caller.clone()));
        self.fulls.remove(&(bucket.full, caller.clone()));
        let taken = bucket.take(rate, now, cost);
        if bucket.is_full(now) {
            return taken;
        }
        if self.buckets.len() >= self.most
            && let Some((_, idle)) = self.idle.pop_first()
            && let Some((bucket, _)) = self.buckets.remove(&idle)
        {
            self.fulls.remove(&(bucket.full, idle));
        }
        self.asked += 1;
        self.idle.insert((self.asked, caller.clone()));
        self.fulls.insert((bucket.full, caller.clone()));
        self.buckets.insert(caller, (bucket, self.asked));
        taken
    }

    fn forget_full(&mut self, now: Duration) {
        while self.fulls.first().is_some_and(|(full, _)| *full <= now)
            && let Some((_, caller)) = self.fulls.pop_first()
        {
            if let Some((_, asked)) = self.buckets.remove(&caller) {
                self.idle.remove(&(asked, caller));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn many_buckets_are_as_many_single_ones(
            events in prop::collection::vec((0u64..2_000_000_000, 0u8..6, 0u8..4), 1..200),
        ) {
            let rate = Rate { per_second: 1.0, burst: 3.0 };
            let mut buckets = Buckets::new(6);
            let mut single: HashMap<u8, Bucket> = HashMap::new();
            let mut now = Duration::ZERO;
            for (later, caller, cost) in events {
                now += Duration::from_nanos(later);
                let cost = f64::from(cost);
                let expected = single.entry(caller).or_default().take(rate, now, cost);
                prop_assert_eq!(buckets.take(caller, rate, now, cost), expected);
                let lack = single.values().filter(|bucket| !bucket.is_full(now)).count();
                prop_assert!(buckets.len() >= lack, "{} of {lack} buckets", buckets.len());
                prop_assert_eq!(buckets.idle.len(), buckets.len());
                prop_assert_eq!(buckets.fulls.len(), buckets.len());
            }
        }
    }

    #[test]
    fn at_the_bound_the_one_that_was_idle_the_longest_goes() {
        let rate = Rate { per_second: 0.001, burst: 1.0 };
        let mut buckets = Buckets::new(2);
        let mut take = |caller| buckets.take(caller, rate, Duration::ZERO, 1.0).is_ok();
        assert!(take("ada") && take("bob"));
        // Who is refused was here too.
        assert!(!take("ada"));
        assert!(take("eve"), "a third caller is let in");
        assert!(!take("ada"), "ada was here after bob");
        assert!(take("bob"), "bob was forgotten");
        assert_eq!(buckets.len(), 2);
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten() {
        let rate = Rate { per_second: 1.0, burst: 1.0 };
        let mut buckets = Buckets::new(1000);
        for caller in 0..100 {
            assert_eq!(buckets.take(caller, rate, Duration::ZERO, 1.0), Ok(()));
        }
        assert_eq!(buckets.len(), 100);
        assert_eq!(buckets.take(0, rate, Duration::from_secs(1), 1.0), Ok(()));
        assert_eq!(buckets.len(), 1);
    }
}
