//! Whether a calendar that was set forward is believed yet.

use core::time::Duration;

/// How far a calendar may be ahead of what went by, and be believed.
const SLACK: Duration = Duration::from_secs(300);

/// How long one that jumped is not believed: long enough for a person, or a time server, to mend it.
const DOUBT: Duration = Duration::from_secs(3600);

/// Watches a calendar beside a clock that only counts. What is kept for so many days would all be
/// forgotten at once by a calendar that jumps; one that does is not believed for a while.
///
/// ```
/// use std::time::Duration;
///
/// use trireme_domain::calendar::Calendar;
///
/// let (minute, year) = (Duration::from_secs(60), Duration::from_secs(31_556_952));
/// let mut calendar = Calendar::default();
/// assert!(calendar.believes(minute, 50 * year));
/// assert!(calendar.believes(2 * minute, 50 * year + minute));
/// assert!(!calendar.believes(3 * minute, 90 * year));
/// assert!(!calendar.believes(4 * minute, 90 * year + minute), "not for a while");
/// assert!(calendar.believes(5 * minute, 50 * year + 4 * minute), "it was mended");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calendar {
    /// The steady clock and the calendar, when it was last believed.
    sound: Option<(Duration, Duration)>,
    /// Since when it is not, by the steady clock.
    doubted: Option<Duration>,
}

impl Calendar {
    /// Whether what it says may be acted upon: by the steady clock it is `steady`, by the calendar
    /// `wall`.
    pub fn believes(&mut self, steady: Duration, wall: Duration) -> bool {
        let jumped = self.sound.is_some_and(|(before, day)| {
            let passed = steady.saturating_sub(before);
            wall > day.saturating_add(passed).saturating_add(SLACK)
        });
        if jumped {
            let since = *self.doubted.get_or_insert(steady);
            if steady.saturating_sub(since) < DOUBT {
                return false;
            }
        }
        *self = Self { sound: Some((steady, wall)), doubted: None };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn one_that_stays_where_it_jumped_to_is_believed_in_the_end() {
        let mut calendar = Calendar::default();
        assert!(calendar.believes(MINUTE, DAY));
        let believed = (2..200).find(|minutes| {
            let now = *minutes * MINUTE;
            calendar.believes(now, 9 * DAY + now)
        });
        assert_eq!(believed, Some(62), "an hour after it was first seen");
        assert!(calendar.believes(63 * MINUTE, 9 * DAY + 63 * MINUTE), "and then it is as any");
    }

    #[test]
    fn one_that_is_set_back_forgets_nothing_and_is_believed() {
        let mut calendar = Calendar::default();
        assert!(calendar.believes(MINUTE, 9 * DAY));
        assert!(calendar.believes(2 * MINUTE, DAY));
        assert!(!calendar.believes(3 * MINUTE, 9 * DAY), "forward again is a jump like any");
    }

    #[test]
    fn one_that_drifts_is_believed() {
        let mut calendar = Calendar::default();
        // A tenth faster than it should be, looked at once a minute.
        assert!(
            (1..10_000).all(
                |minutes| calendar.believes(minutes * MINUTE, DAY + minutes * MINUTE * 11 / 10)
            )
        );
    }
}
