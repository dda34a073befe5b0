//! How slowly what a caller sends may arrive.

use core::time::Duration;

/// Bytes a millisecond that a body has on the whole. Whoever sends one byte after another is never
/// silent for long, and would never be done.
const PACE: u64 = 4;

/// How long the next piece of a body is waited for, of which so much has come and been waited for:
/// for as long as any piece, and in all for as long again as what came has earned.
#[must_use]
pub fn rest(patience: Duration, came: u64, waited: Duration) -> Duration {
    let earned = Duration::from_millis(came / PACE);
    patience.min(patience.saturating_add(earned).saturating_sub(waited))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_time_for_each_piece_and_in_all_as_much_as_it_earns() {
        const SECOND: Duration = Duration::from_secs(1);
        let patience = 30 * SECOND;
        for (case, came, waited, expected) in [
            ("nothing came", 0, Duration::ZERO, patience),
            ("one byte, at the last moment", 1, 29 * SECOND, SECOND),
            ("and another", 2, patience, Duration::ZERO),
            ("one that was late, once more", 2, 40 * SECOND, Duration::ZERO),
            ("at half the pace", 60_000, patience, 15 * SECOND),
            ("at the pace", 400_000, 100 * SECOND, patience),
            ("faster", 4_000_000, 100 * SECOND, patience),
        ] {
            assert_eq!(rest(patience, came, waited), expected, "{case}");
        }
        assert_eq!(rest(Duration::MAX, u64::MAX, SECOND), Duration::MAX - SECOND);
    }
}
