//! How long a host that has no room looks away.

use core::time::Duration;

use super::Refusal;

/// No step of a request waits longer for it: its arrival, a piece of its body, its answer.
const LONGEST: Duration = Duration::from_millis(4);

/// One part in so many of the work inside may be done meanwhile: there is always some left.
const PARTS: u32 = 8;

impl Refusal {
    /// How long a host whose only processor also computes may pause, once it refused somebody so,
    /// before it looks who else came; what is inside takes so long.
    ///
    /// Most who come meanwhile find no more room. Each that is met alone, amid passes that leave
    /// nothing of the listener's in the caches, takes two or three times as much from the work that
    /// makes room.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use trireme_domain::admission::Refusal;
    ///
    /// let full = Refusal::Full { retry_after: Duration::from_secs(1) };
    /// let milliseconds = Duration::from_millis;
    /// assert_eq!(full.pause(milliseconds(100)), milliseconds(4));
    /// assert_eq!(full.pause(milliseconds(8)), milliseconds(1), "the work does not run out");
    /// assert_eq!(full.pause(Duration::ZERO), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn pause(self, inside: Duration) -> Duration {
        match self {
            Self::Full { .. } => (inside / PARTS).min(LONGEST),
            // Others may well have the time, or ask for less.
            Self::TooLate { .. } | Self::TooLarge { .. } => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_want_of_room_makes_a_host_pause() {
        let second = Duration::from_secs(1);
        let late = Refusal::TooLate { takes: 2 * second, may: second, retry_after: second };
        for (refusal, expected) in [
            (Refusal::Full { retry_after: second }, LONGEST),
            (late, Duration::ZERO),
            (Refusal::TooLarge { texts: 1, tokens: 1 }, Duration::ZERO),
        ] {
            assert_eq!(refusal.pause(60 * second), expected, "{refusal}");
        }
    }
}
