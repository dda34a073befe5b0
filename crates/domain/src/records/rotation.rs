//! When a file of the prediction log is followed by another, and when it goes.

use core::time::Duration;

/// A file holds no more than a day, so that what is forgotten is forgotten about then.
const DAY: Duration = Duration::from_secs(86_400);

/// How large files become, and how long they stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes after which another file is begun.
    pub bytes: u64,
    /// How long a line is kept; its file may keep it for a day more.
    pub keep: Duration,
}

impl Rotation {
    /// Whether a file that holds so much, and was begun so long ago, is followed by another.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use trireme_domain::records::Rotation;
    ///
    /// let hour = Duration::from_secs(3600);
    /// let rotation = Rotation { bytes: 1000, keep: 48 * hour };
    /// assert!(!rotation.turns(999, hour));
    /// assert!(rotation.turns(1000, hour));
    /// assert!(rotation.turns(1, 24 * hour));
    /// assert!(!rotation.turns(0, 24 * hour), "an empty file needs no follower");
    /// ```
    #[must_use]
    pub fn turns(&self, bytes: u64, age: Duration) -> bool {
        bytes > 0 && (bytes >= self.bytes || age >= DAY.min(self.keep))
    }

    /// Whether a file whose last line was written so long ago may go.
    #[must_use]
    pub fn is_over(&self, since: Duration) -> bool {
        since >= self.keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_goes_before_its_time_and_none_stays_a_day_longer() {
        let hour = Duration::from_secs(3600);
        for keep in [hour, DAY, 30 * DAY] {
            let rotation = Rotation { bytes: u64::MAX, keep };
            // A line is written each hour; the file is followed by another as soon as it may be.
            let last = (0..).map(|hours| hours * hour).find(|age| rotation.turns(1, *age)).unwrap();
            let gone =
                (0..).map(|hours| hours * hour).find(|since| rotation.is_over(*since)).unwrap();
            assert!(gone >= keep, "{keep:?}: the last line goes after {gone:?}");
            assert!(last + gone <= keep + DAY, "{keep:?}: the first stays for {:?}", last + gone);
        }
    }
}
