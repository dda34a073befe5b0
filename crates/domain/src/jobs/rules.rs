//! How much a host takes as jobs, and how it goes about them.

use core::time::Duration;

use crate::{Code, Fault, Retry};

/// How much a host takes as jobs, and how it goes about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Texts of one job.
    pub texts: usize,
    /// Bytes of the request that brings one.
    pub body_bytes: usize,
    /// Jobs of one owner that are not over.
    pub open: usize,
    /// Texts of a job that are asked for at a time.
    pub piece: usize,
    /// Results that are read at once.
    pub page: usize,
    /// How long a job is held after its worker's last sign of life.
    pub lease: Duration,
    /// How long a worker stays with a job; then it takes up the one that waits the longest.
    pub slice: Duration,
    /// How often a job may be taken up without getting on.
    pub attempts: u32,
    /// How often texts are asked for that get a fault which may pass.
    pub tries: u32,
    /// How long a job may take, and how long it is kept once it is over.
    pub keep: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            texts: 100_000,
            body_bytes: 32 * 1024 * 1024,
            open: 100,
            piece: 128,
            page: 1000,
            lease: Duration::from_secs(30),
            slice: Duration::from_secs(10),
            attempts: 8,
            tries: 3,
            keep: Duration::from_secs(24 * 3600),
        }
    }
}

/// What a worker does about texts that have a fault and no answer: all of a piece, or some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Asks again after this long.
    Wait(Duration),
    /// Writes the fault as the result of each of them.
    Texts,
    /// Ends the job with it: its other texts would fare no better.
    Job,
}

impl Rules {
    /// Checks how many texts a job has.
    ///
    /// # Errors
    /// [`Code::TooManyTexts`], and [`Code::InvalidRequest`] where there is none.
    pub fn check_count(&self, texts: usize) -> Result<(), Fault> {
        if texts > self.texts {
            let message = format!("more than {} texts; make several jobs of them", self.texts);
            return Err(Fault::new(Code::TooManyTexts, message));
        }
        match texts {
            0 => Err(Fault::new(Code::InvalidRequest, "there is no text")),
            _ => Ok(()),
        }
    }

    /// The fault of an owner who has as many open jobs as it may.
    #[must_use]
    pub fn full(&self) -> Fault {
        let message = format!("{} of your jobs are not over yet; wait for one of them", self.open);
        Fault::new(Code::TooManyJobs, message)
    }

    /// The fault of a job that is taken up once more, where that is once too often.
    #[must_use]
    pub fn poison(&self, attempts: u32) -> Option<Fault> {
        let message = format!("it was taken up {} times and never got on", self.attempts);
        (attempts > self.attempts).then(|| Fault::new(Code::JobFailed, message))
    }

    /// The fault of a job that was not done in the time that it had.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use trireme_domain::jobs::Rules;
    ///
    /// let rules = Rules { keep: Duration::from_secs(3600), ..Rules::default() };
    /// assert_eq!(rules.late().message, "it was not done within 1 hour");
    /// ```
    #[must_use]
    pub fn late(&self) -> Fault {
        let hours = self.keep.as_secs_f64() / 3600.0;
        let unit = if hours == 1.0 { "hour" } else { "hours" };
        Fault::new(Code::JobFailed, format!("it was not done within {hours} {unit}"))
    }

    /// How many pieces are asked for at a time, and the texts of each, where so many may wait: others
    /// want room too. Two, so that nothing waits while the first is written down. A job that was taken
    /// up before and did not get on is tried in smaller pieces, one by one, at last text by text: hosts
    /// that end soon still get on, and a text that ends them is alone.
    ///
    /// ```
    /// use trireme_domain::jobs::Rules;
    ///
    /// let rules = Rules::default();
    /// let pieces = [1, 2, 3, 4, 5, 6].map(|attempts| rules.pieces(512, attempts));
    /// assert_eq!(pieces, [(2, 64), (1, 32), (1, 8), (1, 2), (1, 1), (1, 1)]);
    /// assert_eq!(rules.pieces(2, 1), (1, 1), "half of the room");
    /// ```
    #[must_use]
    pub fn pieces(&self, waiting: usize, attempts: u32) -> (usize, usize) {
        let halvings = attempts.saturating_sub(1).saturating_mul(2);
        let texts = self.piece.checked_shr(halvings).unwrap_or_default();
        let texts = texts.min(waiting / 2).max(1);
        match attempts <= 1 && texts >= 2 {
            true => (2, texts / 2),
            false => (1, texts),
        }
    }

    /// How many results are read where so many are asked for.
    #[must_use]
    pub fn page(&self, asked: Option<usize>) -> usize {
        asked.unwrap_or(self.page).clamp(1, self.page)
    }

    /// How often a worker that waits for answers gives a sign of life.
    #[must_use]
    pub fn beat(&self) -> Duration {
        self.lease / 3
    }

    /// What to do about a piece that was asked for so many times and got this fault.
    ///
    /// ```
    /// use trireme_domain::jobs::{Next, Rules};
    /// use trireme_domain::{Code, Fault};
    ///
    /// let next = |code, tries| Rules::default().after(&Fault::new(code, ""), tries);
    /// assert!(matches!(next(Code::Overloaded, 1_000), Next::Wait(_)));
    /// assert_eq!(next(Code::DeadlineExceeded, 3), Next::Texts);
    /// assert_eq!(next(Code::NoClassifier, 1), Next::Job);
    /// ```
    #[must_use]
    pub fn after(&self, fault: &Fault, tries: u32) -> Next {
        // These pass whatever the texts are.
        let passes = matches!(
            fault.code,
            Code::Overloaded | Code::NotReady | Code::ShuttingDown | Code::ModelNotFound
        );
        let again = fault.code.retry() == Retry::Later && tries < self.tries;
        if passes || again {
            return Next::Wait(fault.after.unwrap_or_else(|| pause(tries)));
        }
        match fault.code {
            Code::InvalidOption
            | Code::InvalidRequest
            | Code::NoClassifier
            | Code::TooManyTexts
            | Code::InvalidModel
            | Code::UnsupportedModel => Next::Job,
            _ => Next::Texts,
        }
    }
}

/// A tenth of a second, then twice as long each time, up to some seconds.
fn pause(tries: u32) -> Duration {
    Duration::from_millis(100 << tries.saturating_sub(1).min(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_may_be_taken_up_so_often_and_no_more() {
        let rules = Rules { attempts: 3, ..Rules::default() };
        let poisoned: Vec<bool> = (1..=5).map(|n| rules.poison(n).is_some()).collect();
        assert_eq!(poisoned, [false, false, false, true, true]);
    }

    #[test]
    fn every_limit_is_what_it_says() {
        let rules = Rules { texts: 2, page: 10, piece: 32, ..Rules::default() };
        for (texts, expected) in
            [(0, Some(Code::InvalidRequest)), (1, None), (2, None), (3, Some(Code::TooManyTexts))]
        {
            let got = rules.check_count(texts).err().map(|fault| fault.code);
            assert_eq!(got, expected, "{texts} texts");
        }
        for (waiting, expected) in
            [(512, (2, 16)), (40, (2, 10)), (4, (2, 1)), (1, (1, 1)), (0, (1, 1))]
        {
            assert_eq!(rules.pieces(waiting, 1), expected, "pieces where {waiting} may wait");
        }
        for (asked, expected) in [(None, 10), (Some(0), 1), (Some(7), 7), (Some(99), 10)] {
            assert_eq!(rules.page(asked), expected, "a page of {asked:?}");
        }
    }

    #[test]
    fn no_fault_is_waited_out_for_ever_but_those_that_pass() {
        let passing = [Code::Overloaded, Code::NotReady, Code::ShuttingDown, Code::ModelNotFound];
        for &code in Code::ALL {
            let next = Rules::default().after(&Fault::new(code, ""), 1_000_000);
            let waits = matches!(next, Next::Wait(_));
            assert_eq!(waits, passing.contains(&code), "{}: {next:?}", code.name());
        }
    }

    #[test]
    fn who_says_when_to_come_again_is_heeded_and_else_pauses_grow() {
        let rules = Rules::default();
        let fault = Fault::new(Code::Overloaded, "");
        let told = fault.clone().after(Duration::from_millis(70));
        assert_eq!(rules.after(&told, 9), Next::Wait(Duration::from_millis(70)));
        let pauses: Vec<u128> = [1, 2, 3, 7, 8, 999]
            .map(|tries| match rules.after(&fault, tries) {
                Next::Wait(pause) => pause.as_millis(),
                next => panic!("{next:?}"),
            })
            .into();
        assert_eq!(pauses, [100, 200, 400, 6400, 6400, 6400]);
    }
}
