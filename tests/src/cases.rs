//! Table tests that run to the last row.

use std::fmt::{Debug, Display, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs every row `(name, input, expected)` and then fails once, naming each row that went wrong
/// with what was expected and what came. A row that panics counts as wrong; the rest still run.
///
/// # Panics
/// Where any row failed.
#[track_caller]
pub fn check_cases<N, I, E, G>(
    cases: impl IntoIterator<Item = (N, I, E)>,
    mut run: impl FnMut(I) -> G,
) where
    N: Display,
    E: Debug,
    G: PartialEq<E> + Debug,
{
    let (mut rows, mut failed, mut report) = (0, 0, String::new());
    for (name, input, expected) in cases {
        rows += 1;
        // The closure is not used again for this row, so a broken invariant in it ends here.
        let got = match catch_unwind(AssertUnwindSafe(|| run(input))) {
            Ok(got) if got == expected => continue,
            Ok(got) => format!("{got:?}"),
            Err(_) => "a panic (its message is above)".to_owned(),
        };
        failed += 1;
        // Writing to a string cannot fail.
        let _ok = write!(report, "\n  {name}\n    expected {expected:?}\n    got      {got}");
    }
    assert!(failed == 0, "{failed} of {rows} cases failed:{report}");
    assert!(rows > 0, "a table without rows proves nothing");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failing_row_is_reported() {
        let table = [("fine", 1, 1), ("wrong", 2, 3), ("panics", 0, 1), ("wrong too", 4, 5)];
        let report = catch_unwind(|| check_cases(table, |n: i32| 2 / n * n / 2 * n.max(1)))
            .expect_err("rows fail");
        let report = report.downcast_ref::<String>().expect("a message");
        for part in ["3 of 4", "wrong\n", "expected 3", "panics", "wrong too"] {
            assert!(report.contains(part), "{part:?} is missing from {report}");
        }
        assert!(!report.contains("fine"), "{report}");
    }

    #[test]
    #[should_panic(expected = "proves nothing")]
    fn an_empty_table_fails() {
        check_cases::<&str, (), (), ()>([], |()| ());
    }
}
