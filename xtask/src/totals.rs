//! What a test run proved, read from what it printed and from nothing else.

use std::fmt;

/// Sums over every `test result:` line of a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests marked `#[ignore]`.
    pub ignored: u64,
}

impl Totals {
    /// Adds up the closing lines that the standard test harness prints, one for each binary.
    pub fn read(output: &str) -> Self {
        let mut totals = Self::default();
        for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result: ")) {
            // "ok. 12 passed; 0 failed; 1 ignored; …": the count comes before its word.
            let mut words = line.split([' ', ';', '.']).filter(|word| !word.is_empty()).peekable();
            while let Some(word) = words.next() {
                let Ok(count) = word.parse::<u64>() else { continue };
                match words.peek().copied() {
                    Some("passed") => totals.passed += count,
                    Some("failed") => totals.failed += count,
                    Some("ignored") => totals.ignored += count,
                    _ => {}
                }
            }
        }
        totals
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The tests that a run reports as failed, each with the first line of its message.
pub fn failures(output: &str) -> Vec<(String, String)> {
    let failed = output.lines().filter_map(|line| {
        let name = line.trim().strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
        Some((name.to_owned(), message(output, name)))
    });
    failed.collect()
}

/// The first line that the failing test `name` said, after the harness's own words; a line that
/// only announces others (`3 of 9 cases failed:`) brings the first of them along.
fn message(output: &str, name: &str) -> String {
    let heading = format!("---- {name} stdout ----");
    let said = output.lines().map(str::trim).skip_while(|line| *line != heading).skip(1);
    let mut said = said.filter(|line| !line.is_empty() && !line.starts_with("thread '"));
    let first = said.next().unwrap_or_default();
    let more = said.next().filter(|_| first.ends_with(':'));
    more.map_or_else(|| first.to_owned(), |more| format!("{first} {more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "
running 2 tests
test fine ... ok
test pooling::mean ... FAILED

failures:

---- pooling::mean stdout ----

thread 'pooling::mean' (77) panicked at tests/x.rs:3:5:
2 of 9 cases failed:
  one word

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.10s
test result: ok. 7 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

    #[test]
    fn every_binary_counts() {
        let totals = Totals::read(RUN);
        assert_eq!(totals, Totals { passed: 8, failed: 1, ignored: 2 });
        assert_eq!(totals.to_string(), "8 passed, 1 failed");
        assert_eq!(Totals::read("error: could not compile"), Totals::default());
    }

    #[test]
    fn failures_carry_their_first_words() {
        let expected = ("pooling::mean".to_owned(), "2 of 9 cases failed: one word".to_owned());
        assert_eq!(failures(RUN), [expected]);
    }
}
