//! What work costs, learnt from work that is done.

use core::time::Duration;

/// What a run keeps of its weight when the next one is done: about the last fifty count.
const KEEPS: f64 = 0.98;

/// No run is believed to take longer. A clock that jumped says such things.
const LONGEST: f64 = 600.0;

/// How many times longer than predicted a run counts as, once there is a prediction: one stall
/// must not have everybody refused, and if it is the new rule, the next runs say so too.
const SURPRISE: f64 = 8.0;

/// Runs until a prediction is worth being held to.
const KNOWN: f64 = 4.0;

/// How long a run of so many tokens takes: some time for the run, and some for each token.
///
/// Least squares over the last runs, earlier ones counting less. Where they are all of one length,
/// or say that a run or a token takes less than no time, what is left of the line is fitted.
///
/// ```
/// use std::time::Duration;
///
/// use trireme_domain::admission::Cost;
///
/// let mut cost = Cost::default();
/// assert_eq!(cost.predict(1000), Duration::ZERO);
/// for tokens in [100, 400, 200, 800] {
///     cost.observe(tokens, 0.002 + tokens as f64 * 0.00001);
/// }
/// let predicted = cost.predict(1000).as_secs_f64();
/// assert!((predicted - 0.012).abs() < 1e-6, "{predicted}");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Sums over runs, weighted.
    weight: f64,
    tokens: f64,
    seconds: f64,
    squares: f64,
    products: f64,
}

impl Cost {
    /// Learns from a run that is done. What no clock could have measured is not believed.
    pub fn observe(&mut self, tokens: usize, seconds: f64) {
        if !(seconds > 0.0 && seconds <= LONGEST) {
            return;
        }
        let predicted = self.predict(tokens).as_secs_f64();
        let is_known = self.weight >= KNOWN && predicted > 0.0;
        let seconds = if is_known { seconds.min(SURPRISE * predicted) } else { seconds };
        // No run has more; larger numbers would lose the smaller ones.
        let tokens = (tokens as f64).min(1e9);
        self.weight = self.weight * KEEPS + 1.0;
        self.tokens = self.tokens * KEEPS + tokens;
        self.seconds = self.seconds * KEEPS + seconds;
        self.squares = self.squares * KEEPS + tokens * tokens;
        self.products = self.products * KEEPS + tokens * seconds;
    }

    /// How long so many tokens take in one run. No time while there is nothing to go by.
    #[must_use]
    pub fn predict(&self, tokens: usize) -> Duration {
        self.of_runs(1.0, tokens)
    }

    /// How long so many tokens take in runs as long as the last ones.
    #[must_use]
    pub fn predict_runs(&self, tokens: usize) -> Duration {
        if tokens == 0 {
            return Duration::ZERO;
        }
        let usual = if self.weight > 0.0 { self.tokens / self.weight } else { 0.0 };
        self.of_runs((tokens as f64 / usual.max(1.0)).ceil(), tokens)
    }

    fn of_runs(&self, runs: f64, tokens: usize) -> Duration {
        let (of_run, of_token) = self.line();
        Duration::try_from_secs_f64(runs * of_run + tokens as f64 * of_token)
            .unwrap_or(Duration::MAX)
    }

    /// Seconds of a run, and of each token.
    fn line(&self) -> (f64, f64) {
        if self.weight == 0.0 {
            return (0.0, 0.0);
        }
        let spread = self.weight * self.squares - self.tokens * self.tokens;
        if spread > 1e-9 * self.tokens * self.tokens {
            let of_token = (self.weight * self.products - self.tokens * self.seconds) / spread;
            let of_run = (self.seconds - of_token * self.tokens) / self.weight;
            if of_token >= 0.0 && of_run >= 0.0 {
                return (of_run, of_token);
            }
            if of_token < 0.0 {
                return (self.seconds / self.weight, 0.0);
            }
        }
        // Through nothing: whatever a run takes is its tokens' doing.
        if self.squares > 0.0 {
            return (0.0, self.products / self.squares);
        }
        (self.seconds / self.weight, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_no_clock_measures_is_not_believed() {
        let mut cost = Cost::default();
        for tokens in 1..20 {
            cost.observe(100 * tokens, 0.001 * tokens as f64);
        }
        let before = cost;
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e6] {
            cost.observe(100, seconds);
            assert_eq!(cost, before, "{seconds} s");
        }
        // A clock that was put forward in the middle of a run, or a machine that slept.
        cost.observe(1000, 500.0);
        let predicted = cost.predict(1000).as_secs_f64();
        assert!(predicted < 0.02, "one stall makes 10 ms {predicted} s");
    }

    #[test]
    fn a_machine_that_became_slower_is_noticed() {
        let mut cost = Cost::default();
        let lengths = [100, 500, 300, 900];
        for (at, tokens) in lengths.into_iter().cycle().take(400).enumerate() {
            let slower = if at < 200 { 1.0 } else { 20.0 };
            cost.observe(tokens, slower * (0.001 + tokens as f64 * 1e-5));
        }
        let (got, expected) = (cost.predict(500).as_secs_f64(), 20.0 * 0.006);
        assert!((got / expected - 1.0).abs() < 0.1, "expected about {expected}, got {got}");
    }

    #[test]
    fn runs_of_one_length_say_what_that_takes() {
        let mut cost = Cost::default();
        for _ in 0..10 {
            cost.observe(200, 0.02);
        }
        assert_eq!(cost.predict(200).as_millis(), 20);
        assert_eq!(cost.predict(400).as_millis(), 40);
        let mut empty = Cost::default();
        empty.observe(0, 0.02);
        assert_eq!(empty.predict(400).as_millis(), 20);
    }

    proptest! {
        #[test]
        fn a_line_is_found(
            of_run in 0.0001..0.1f64,
            of_token in 1e-7..1e-3f64,
            lengths in prop::collection::vec(1usize..5000, 3..100),
        ) {
            prop_assume!(lengths.iter().max() > lengths.iter().min());
            let mut cost = Cost::default();
            for &tokens in &lengths {
                cost.observe(tokens, of_run + tokens as f64 * of_token);
            }
            let expected = of_run + 100.0 * of_token;
            let got = cost.predict(100).as_secs_f64();
            prop_assert!((got - expected).abs() < 0.02 * expected + 1e-9, "{got} for {expected}");
        }

        #[test]
        fn more_tokens_never_take_less_whatever_was_seen(
            runs in prop::collection::vec((any::<usize>(), any::<f64>()), 0..50),
            sane in prop::collection::vec((0usize..5000, 0.0..10.0f64), 0..50),
            tokens in 0usize..1_000_000,
        ) {
            let mut cost = Cost::default();
            for (tokens, seconds) in runs.into_iter().chain(sane) {
                cost.observe(tokens, seconds);
            }
            let (of_run, of_token) = cost.line();
            prop_assert!(of_run.is_finite() && of_run >= 0.0, "{cost:?}: {of_run} s a run");
            prop_assert!(of_token.is_finite() && of_token >= 0.0, "{cost:?}: {of_token} s a token");
            prop_assert!(cost.predict(tokens) <= cost.predict(2 * tokens));
            prop_assert!(cost.predict_runs(tokens) <= cost.predict_runs(2 * tokens));
        }
    }
}
