//! Whether work is let in.
//!
//! Work that would wait past its deadline is refused while it costs nothing, and so is work that
//! there is no room for. Who is refused is told when to try again.

mod aside;
mod cost;
mod pause;

use core::time::Duration;

pub use aside::has_room_aside;
pub use cost::Cost;

use crate::batching::Priority;

/// Nobody is told to try again sooner, or later.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(60));

/// Texts, and their tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many texts.
    pub texts: usize,
    /// How many tokens they have together.
    pub tokens: usize,
}

/// What a request finds inside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inside {
    /// All that waits.
    pub waiting: Backlog,
    /// Of it, what is the same owner's and as urgent at least.
    pub own: Backlog,
    /// Tokens that wait and run before the request is done.
    pub before: usize,
    /// Tokens of the run that is under way.
    pub running: usize,
}

/// The part of the room that there is once more, for owners who have no more than that inside.
const PART: usize = 4;

/// How much may wait.
///
/// Anybody may fill the room, for where nobody else asks, room that is kept empty helps nobody. What
/// is kept for the others lies beyond it: a quarter of it more, for owners of whom a quarter at most
/// waits, and half of that where they are in no hurry. So whoever fills the room, another's text for
/// a screen still comes in; and so does the same owner's, for what is less urgent does not count.
///
/// ```
/// use std::time::Duration;
///
/// use trireme_domain::admission::{Admission, Backlog, Cost, Inside, Refusal};
/// use trireme_domain::batching::Priority;
///
/// let mut cost = Cost::default();
/// for _ in 0..10 {
///     cost.observe(1000, 0.1);
/// }
/// let admission = Admission { texts: 100, ..Admission::default() };
/// let waiting = Backlog { texts: 90, tokens: 9000 };
/// let inside = Inside { waiting, own: waiting, before: 9000, running: 0 };
/// let (now, deadline) = (Duration::ZERO, Some(Duration::from_secs(1)));
/// let admit = |inside, asked| {
///     admission.admit(inside, asked, Priority::Interactive, &cost, now, deadline)
/// };
///
/// let ten = Backlog { texts: 10, tokens: 1000 };
/// assert_eq!(admit(inside, ten), Ok(()));
///
/// let twenty = Backlog { texts: 20, tokens: 200 };
/// let retry_after = Duration::from_millis(100);
/// assert_eq!(admit(inside, twenty), Err(Refusal::Full { retry_after }));
///
/// let long = Backlog { texts: 1, tokens: 5000 };
/// let refusal = admit(inside, long).unwrap_err();
/// assert_eq!(refusal.retry_after(), Some(Duration::from_millis(400)));
///
/// // Another owner has its turn before most of that.
/// let of_another = Inside { own: Backlog::default(), before: 5000, ..inside };
/// assert_eq!(admit(of_another, twenty), Ok(()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The most texts.
    pub texts: usize,
    /// The most tokens.
    pub tokens: usize,
}

impl Default for Admission {
    fn default() -> Self {
        Self { texts: 512, tokens: 1 << 20 }
    }
}

/// Why work is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no room for all of it now.
    #[error("too many texts are waiting")]
    Full {
        /// When there should be.
        retry_after: Duration,
    },
    /// It would be done too late.
    #[error("the answer would take {takes:?}, and may take {may:?}")]
    TooLate {
        /// How long it should take, with everything before it.
        takes: Duration,
        /// How long it may.
        may: Duration,
        /// When there should be little enough before it.
        retry_after: Duration,
    },
    /// There would be no room for it if nothing else were here.
    #[error("more than {texts} texts or {tokens} tokens; send fewer at once")]
    TooLarge {
        /// The most texts.
        texts: usize,
        /// The most tokens.
        tokens: usize,
    },
}

impl Refusal {
    /// After how long it may work; `None` where it never does.
    #[must_use]
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Full { retry_after } | Self::TooLate { retry_after, .. } => Some(retry_after),
            Self::TooLarge { .. } => None,
        }
    }
}

impl Admission {
    /// Whether all texts of a request may come in, beside those that are inside.
    ///
    /// Where nothing waits that goes before it, no prediction refuses: a cost that was learnt wrong
    /// is learnt anew only from work that is done.
    ///
    /// # Errors
    /// None of them may, and why.
    pub fn admit(
        &self,
        inside: Inside,
        asked: Backlog,
        priority: Priority,
        cost: &Cost,
        now: Duration,
        deadline: Option<Duration>,
    ) -> Result<(), Refusal> {
        let &Self { texts, tokens } = self;
        if asked.texts > texts || asked.tokens > tokens {
            return Err(Refusal::TooLarge { texts, tokens });
        }
        let Inside { waiting, own, before, running } = inside;
        let over = waiting.plus(asked).over(self.room(own.plus(asked), priority));
        if over != Backlog::default() {
            let tokens = over.tokens.max(waiting.tokens_of(over.texts));
            let retry_after = cost.predict_runs(tokens).clamp(RETRY.0, RETRY.1);
            return Err(Refusal::Full { retry_after });
        }
        let Some(deadline) = deadline else { return Ok(()) };
        let may = deadline.saturating_sub(now);
        let first = running.saturating_add(before);
        let takes = cost.predict_runs(first.saturating_add(asked.tokens));
        if may.is_zero() || takes > may && before > 0 {
            let late = takes.saturating_sub(may).min(cost.predict_runs(first));
            let retry_after = late.clamp(RETRY.0, RETRY.1);
            return Err(Refusal::TooLate { takes, may, retry_after });
        }
        Ok(())
    }

    /// The room for an owner of whom so much waits, once its request is in.
    fn room(&self, own: Backlog, priority: Priority) -> Backlog {
        let room = Backlog { texts: self.texts, tokens: self.tokens };
        let part = |of: usize| Backlog { texts: room.texts / of, tokens: room.tokens / of };
        if own.over(part(PART)) != Backlog::default() {
            return room;
        }
        match priority {
            Priority::Interactive => room.plus(part(PART)),
            Priority::Batch => room.plus(part(2 * PART)),
        }
    }
}

impl Backlog {
    /// What of it is more than there is room for.
    fn over(self, room: Self) -> Self {
        Self {
            texts: self.texts.saturating_sub(room.texts),
            tokens: self.tokens.saturating_sub(room.tokens),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            texts: self.texts.saturating_add(more.texts),
            tokens: self.tokens.saturating_add(more.tokens),
        }
    }

    /// How many tokens so many of the texts have, were they all alike.
    fn tokens_of(self, texts: usize) -> usize {
        (self.tokens as f64 * texts as f64 / self.texts.max(1) as f64).ceil() as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn learnt(of_run: f64, of_token: f64) -> Cost {
        let mut cost = Cost::default();
        for tokens in [100, 300, 200, 400] {
            cost.observe(tokens, of_run + tokens as f64 * of_token);
        }
        cost
    }

    /// All of it the owner's who asks.
    fn of_one(waiting: Backlog) -> Inside {
        Inside { waiting, own: waiting, before: waiting.tokens, running: 0 }
    }

    #[test]
    fn a_request_comes_in_whole_or_not_at_all() {
        let admission = Admission { texts: 10, tokens: 1000 };
        let cases = [
            ("room for all", (4, 400), (6, 600), None),
            ("room for all but one text", (5, 0), (6, 0), Some("Full")),
            ("room for all but one token", (0, 401), (1, 600), Some("Full")),
            ("never room for the texts", (0, 0), (11, 0), Some("TooLarge")),
            ("never room for the tokens", (0, 0), (1, 1001), Some("TooLarge")),
            ("nothing is asked", (10, 1000), (0, 0), None),
            ("more is inside than may be", (20, 0), (1, 0), Some("Full")),
        ];
        for (case, inside, asked, expected) in cases {
            let [inside, asked] = [inside, asked].map(|(texts, tokens)| Backlog { texts, tokens });
            let inside = of_one(inside);
            let cost = Cost::default();
            let got =
                admission.admit(inside, asked, Priority::Interactive, &cost, Duration::ZERO, None);
            let got = got.err().map(|refusal| format!("{refusal:?}"));
            let (is, should) = (got.as_deref().unwrap_or("Ok"), expected.unwrap_or("Ok"));
            assert!(is.starts_with(should), "{case}: expected {should}, got {is}");
        }
    }

    #[test]
    fn whoever_fills_the_room_others_who_ask_for_little_come_in() {
        let admission = Admission { texts: 80, tokens: 8000 };
        let [urgent, calm] = [Priority::Interactive, Priority::Batch];
        let cases = [
            ("one owner fills the room", 60, 60, 20, urgent, true),
            ("and no more", 60, 60, 21, urgent, false),
            ("also with what is in no hurry", 0, 0, 80, calm, true),
            ("another's text for a screen", 80, 0, 1, urgent, true),
            ("as many as a quarter", 80, 0, 20, urgent, true),
            ("and no more at once", 80, 0, 21, urgent, false),
            ("nor one by one", 99, 19, 2, urgent, false),
            ("nor of many owners", 100, 0, 1, urgent, false),
            ("another's that is in no hurry", 80, 0, 10, calm, true),
            ("which leaves half to those who are", 80, 0, 11, calm, false),
        ];
        for (case, waiting, own, asked, priority, comes_in) in cases {
            let all = |texts| Backlog { texts, tokens: 100 * texts };
            let inside = Inside { waiting: all(waiting), own: all(own), ..Inside::default() };
            let (asked, cost) = (all(asked), Cost::default());
            let got = admission.admit(inside, asked, priority, &cost, Duration::ZERO, None);
            assert_eq!(got.is_ok(), comes_in, "{case}: {got:?}");
        }
    }

    #[test]
    fn only_what_goes_before_makes_late() {
        let (admission, cost) = (Admission::default(), learnt(0.0, 0.001));
        let all = Backlog { texts: 100, tokens: 10_000 };
        let asked = Backlog { texts: 1, tokens: 100 };
        let (now, deadline) = (Duration::ZERO, Some(Duration::from_secs(1)));
        for (case, before, running, comes_in) in [
            ("all of it waits behind", 0, 0, true),
            ("nothing but a run that will teach the cost", 0, 10_000, true),
            ("some goes before", 800, 0, true),
            ("and with the run that is under way it is too much", 800, 200, false),
            ("too much goes before", 1000, 0, false),
        ] {
            let inside = Inside { waiting: all, before, running, ..Inside::default() };
            let urgent = Priority::Interactive;
            let got = admission.admit(inside, asked, urgent, &cost, now, deadline);
            assert_eq!(got.is_ok(), comes_in, "{case}: {got:?}");
        }
    }

    #[test]
    fn a_deadline_that_passed_is_too_late_and_a_wrong_cost_shuts_nobody_out() {
        let admission = Admission::default();
        let slow = learnt(60.0, 0.1);
        let one = Backlog { texts: 1, tokens: 100 };
        let now = Duration::from_secs(9);
        let admit = |inside, deadline| {
            let deadline = Some(Duration::from_secs(deadline));
            admission.admit(of_one(inside), one, Priority::Interactive, &slow, now, deadline)
        };
        assert_eq!(admit(Backlog::default(), 10), Ok(()), "it is tried where nothing is inside");
        let passed = admit(Backlog::default(), 9).unwrap_err();
        assert_eq!(passed.retry_after(), Some(RETRY.0), "{passed:?}");
        let behind = admit(one, 10).unwrap_err();
        assert!(matches!(behind, Refusal::TooLate { .. }), "{behind:?}");
        assert_eq!(behind.retry_after(), Some(RETRY.1), "{behind:?}");
    }

    proptest! {
        #[test]
        fn who_comes_back_when_told_comes_in(
            of_run in 0.0001..0.01f64,
            of_token in 1e-6..1e-4f64,
            texts in 1usize..400,
            asked in 1usize..400,
            length in 1usize..200,
            may in prop::option::of(50u64..5000),
        ) {
            let admission = Admission { texts: 400, tokens: 50_000 };
            let cost = learnt(of_run, of_token);
            let all = |texts| Backlog { texts, tokens: texts * length };
            let now = Duration::from_secs(100);
            let deadline = |now| may.map(|may| now + Duration::from_millis(may));
            let admit = |inside, now| {
                let inside = of_one(all(inside));
                let urgent = Priority::Interactive;
                admission.admit(inside, all(asked), urgent, &cost, now, deadline(now))
            };
            if let Err(refusal) = admit(texts, now)
                && let Some(after) = refusal.retry_after()
            {
                prop_assert!((RETRY.0..=RETRY.1).contains(&after), "{after:?}");
                // Until then those inside are done, one after the other; a run more or less is as
                // exact as that can be said.
                let then = after + 2 * cost.predict(0);
                let is_done = |done: &usize| cost.predict_runs(done * length) >= then;
                let done = (0..=texts).find(is_done).unwrap_or(texts);
                let again = admit(texts - done, now + then);
                // When there is room it may turn out to be too late.
                let was_full = matches!(refusal, Refusal::Full { .. });
                let is_late = matches!(again, Err(Refusal::TooLate { .. }));
                prop_assert!(again.is_ok() || was_full && is_late, "{refusal:?}, then {again:?}");
            }
        }
    }
}
