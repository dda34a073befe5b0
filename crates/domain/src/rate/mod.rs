//! How often a caller may ask.
//!
//! A bucket holds so many drops and fills steadily. What is asked costs drops, and waits until
//! there are enough.

mod buckets;

use core::time::Duration;

use serde::{Deserialize, Serialize};

pub use buckets::Buckets;

/// What one caller may ask.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Drops that come in a second.
    pub per_second: f64,
    /// Drops that a full bucket holds: what may be asked at once.
    pub burst: f64,
}

/// Why a caller is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// It may ask again after this long.
    #[error("too often; try again in {:.3} s", .0.as_secs_f64())]
    Now(Duration),
    /// It costs more than a full bucket holds, or the bucket never fills.
    #[error("more than may ever be asked at once")]
    Ever,
}

impl TooMuch {
    /// After how long it may work; `None` where it never does.
    #[must_use]
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Now(after) => Some(after),
            Self::Ever => None,
        }
    }
}

/// One caller's bucket. It begins full.
///
/// ```
/// use std::time::Duration;
///
/// use trireme_domain::rate::{Bucket, Rate, TooMuch};
///
/// let rate = Rate { per_second: 2.0, burst: 3.0 };
/// let (mut bucket, now) = (Bucket::default(), Duration::from_secs(60));
/// assert_eq!(bucket.take(rate, now, 3.0), Ok(()));
/// assert_eq!(bucket.take(rate, now, 1.0), Err(TooMuch::Now(Duration::from_millis(500))));
/// assert_eq!(bucket.take(rate, now + Duration::from_millis(500), 1.0), Ok(()));
/// assert_eq!(bucket.take(rate, now, 4.0), Err(TooMuch::Ever));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bucket {
    /// When it is full again.
    full: Duration,
}

impl Bucket {
    /// Takes what something costs, or nothing. What costs less than nothing costs nothing.
    ///
    /// # Errors
    /// There is not enough yet, or there never will be.
    pub fn take(&mut self, rate: Rate, now: Duration, cost: f64) -> Result<(), TooMuch> {
        let cost = if cost.is_nan() { f64::INFINITY } else { cost.max(0.0) };
        if cost == 0.0 {
            return Ok(());
        }
        let (Some(fills), Some(takes)) = (rate.time(rate.burst), rate.time(cost)) else {
            return Err(TooMuch::Ever);
        };
        if cost > rate.burst {
            return Err(TooMuch::Ever);
        }
        // Whatever became of the clock or the rate, a bucket lacks a bucketful at most.
        self.full = self.full.min(now.saturating_add(fills));
        let after = self.full.max(now).saturating_add(takes);
        match after.saturating_sub(now).checked_sub(fills) {
            Some(early) if !early.is_zero() => Err(TooMuch::Now(early)),
            _ => {
                self.full = after;
                Ok(())
            }
        }
    }

    /// Whether it is as if it had never been asked.
    fn is_full(&self, now: Duration) -> bool {
        self.full <= now
    }
}

impl Rate {
    /// Whether it lets anything through, and not everything.
    #[must_use]
    pub fn is_sound(self) -> bool {
        let positive = |number: f64| number.is_finite() && number > 0.0;
        positive(self.per_second) && positive(self.burst) && self.time(self.burst).is_some()
    }

    /// How long so many drops take to come; `None` for ever.
    fn time(self, drops: f64) -> Option<Duration> {
        Duration::try_from_secs_f64(drops / self.per_second).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same in whole numbers: a bucket of nanoseconds, filled one event at a time.
    struct Exact {
        holds: u64,
        level: u64,
        seen: u64,
    }

    impl Exact {
        fn take(&mut self, now: u64, cost: u64) -> Result<(), TooMuch> {
            self.level = self.holds.min(self.level + (now - self.seen));
            self.seen = now;
            if cost > self.holds {
                return Err(TooMuch::Ever);
            }
            if let Some(lacks) = cost.checked_sub(self.level).filter(|&lacks| lacks > 0) {
                return Err(TooMuch::Now(Duration::from_nanos(lacks)));
            }
            self.level -= cost;
            Ok(())
        }
    }

    /// Events: how long after the last, and how many drops.
    fn events() -> impl Strategy<Value = Vec<(u64, u64)>> {
        prop::collection::vec((0u64..5_000_000_000, 0u64..12), 1..100)
    }

    proptest! {
        #[test]
        fn a_bucket_is_the_exact_simulation(
            drop_nanos in 1u64..1_000_000_000,
            burst in 1u64..10,
            events in events(),
        ) {
            let rate = Rate { per_second: 1e9 / drop_nanos as f64, burst: burst as f64 };
            let holds = burst * drop_nanos;
            let mut exact = Exact { holds, level: holds, seen: 0 };
            let (mut bucket, mut now) = (Bucket::default(), 0);
            for (later, cost) in events {
                now += later;
                let got = bucket.take(rate, Duration::from_nanos(now), cost as f64);
                prop_assert_eq!(got, exact.take(now, cost * drop_nanos), "{} at {}", cost, now);
            }
        }

        #[test]
        fn whatever_the_clock_does_a_caller_waits_for_a_full_bucket_at_most(
            moments in prop::collection::vec(0u64..100_000, 1..50),
        ) {
            let rate = Rate { per_second: 0.5, burst: 4.0 };
            let fills = Duration::from_secs(8);
            let mut bucket = Bucket::default();
            for now in moments.into_iter().map(Duration::from_secs) {
                if let Err(refused) = bucket.take(rate, now, 4.0) {
                    let after = refused.retry_after().unwrap();
                    prop_assert!(after <= fills, "wait {after:?}");
                    prop_assert_eq!(bucket.take(rate, now + after, 4.0), Ok(()));
                }
            }
        }
    }

    #[test]
    fn what_never_works_says_so() {
        let good = Rate { per_second: 1.0, burst: 2.0 };
        let cases = [
            ("more than a bucketful", good, 2.5, Err(TooMuch::Ever)),
            ("a bucketful", good, 2.0, Ok(())),
            ("nothing", good, 0.0, Ok(())),
            ("less than nothing", good, -1.0, Ok(())),
            ("no number", good, f64::NAN, Err(TooMuch::Ever)),
            ("from what never fills", Rate { per_second: 0.0, ..good }, 1.0, Err(TooMuch::Ever)),
            ("at no rate", Rate { per_second: f64::NAN, ..good }, 1.0, Err(TooMuch::Ever)),
            ("at a rate below none", Rate { per_second: -1.0, ..good }, 1.0, Err(TooMuch::Ever)),
        ];
        for (case, rate, cost, expected) in cases {
            let got = Bucket::default().take(rate, Duration::from_secs(5), cost);
            assert_eq!(got, expected, "{case}");
        }
        assert!(good.is_sound() && !Rate { burst: f64::INFINITY, ..good }.is_sound());
    }
}
