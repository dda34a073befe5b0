//! What may happen to a job, and who may make it happen.

use core::time::Duration;

use super::Status;

/// Where a job stands.
///
/// Whoever takes a job up gets a token, which is larger than all before it. With it, and with no
/// other, the job is changed: a worker that was away while another took its job up can write
/// nothing.
///
/// ```
/// use std::time::Duration;
///
/// use trireme_domain::jobs::{Life, Lost, Status};
///
/// let at = Duration::from_secs;
/// let mut job = Life::new(2);
/// let slow = job.claim(at(0), at(30)).ok_or(Lost)?;
/// assert_eq!(job.claim(at(29), at(30)), None, "it is held");
///
/// let quick = job.claim(at(30), at(30)).ok_or(Lost)?;
/// assert_eq!(job.append(slow, 0, 2, at(31), at(30)), Err(Lost));
/// job.append(quick, 0, 2, at(31), at(30))?;
/// job.end(quick, Status::Completed)?;
/// # Ok::<(), Lost>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// How it is.
    pub status: Status,
    /// How many texts it has.
    pub texts: usize,
    /// How many of them have their result: the first ones.
    pub done: usize,
    /// The token of whoever took it up last.
    pub fence: u64,
    /// How often it was taken up since it last got on.
    pub attempts: u32,
    /// Until when it is held.
    pub until: Duration,
}

/// The job is somebody else's by now, or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the job is held by another, or has ended")]
pub struct Lost;

impl Life {
    /// A job that waits.
    #[must_use]
    pub fn new(texts: usize) -> Self {
        let status = Status::Processing;
        Self { status, texts, done: 0, fence: 0, attempts: 0, until: Duration::ZERO }
    }

    /// Takes the job up for a while, where nobody holds it.
    pub fn claim(&mut self, now: Duration, lease: Duration) -> Option<u64> {
        if self.status != Status::Processing || self.until > now {
            return None;
        }
        self.fence += 1;
        self.attempts += 1;
        self.until = now.saturating_add(lease);
        Some(self.fence)
    }

    /// A sign of life: the job is held for a while from now on.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn extend(&mut self, fence: u64, now: Duration, lease: Duration) -> Result<(), Lost> {
        self.held(fence)?;
        self.until = now.saturating_add(lease);
        Ok(())
    }

    /// Writes the results of the next texts, which is a sign of life too. A job that gets on was
    /// not taken up in vain.
    ///
    /// # Errors
    /// [`Lost`], also where the first of these texts is not the first that has no result.
    pub fn append(
        &mut self,
        fence: u64,
        from: usize,
        results: usize,
        now: Duration,
        lease: Duration,
    ) -> Result<(), Lost> {
        if from != self.done || results > self.texts - self.done {
            return Err(Lost);
        }
        self.extend(fence, now, lease)?;
        self.done += results;
        self.attempts = 0;
        Ok(())
    }

    /// Hands the job back; that it was taken up does not count.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn release(&mut self, fence: u64, now: Duration) -> Result<(), Lost> {
        self.held(fence)?;
        // The token is worth nothing from now on, even if nobody takes the job up.
        self.fence += 1;
        self.attempts = self.attempts.saturating_sub(1);
        self.until = now;
        Ok(())
    }

    /// Ends the job.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn end(&mut self, fence: u64, status: Status) -> Result<(), Lost> {
        self.held(fence)?;
        self.status = status;
        Ok(())
    }

    /// Calls the job off, whoever holds it; says whether it was not over yet.
    pub fn cancel(&mut self) -> bool {
        let open = self.status == Status::Processing;
        if open {
            self.status = Status::Cancelled;
        }
        open
    }

    fn held(&self, fence: u64) -> Result<(), Lost> {
        let held = self.status == Status::Processing && self.fence == fence;
        held.then_some(()).ok_or(Lost)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_job_that_got_on_was_not_taken_up_in_vain() {
        let mut job = Life::new(8);
        for round in 0..4 {
            let fence = job.claim(at(100 * round), LEASE).unwrap();
            assert_eq!(job.attempts, 1, "round {round}");
            job.append(fence, job.done, 2, at(100 * round), LEASE).unwrap();
        }
        assert_eq!(job.done, 8);
        job.claim(at(1000), LEASE).unwrap();
        job.claim(at(2000), LEASE).unwrap();
        assert_eq!(job.attempts, 2, "it was taken up twice and did not get on");
    }

    #[test]
    fn who_hands_a_job_back_has_nothing_to_say_about_it_and_did_not_try() {
        let mut job = Life::new(1);
        let fence = job.claim(at(0), LEASE).unwrap();
        job.release(fence, at(1)).unwrap();
        assert_eq!(job.attempts, 0);
        assert_eq!(job.append(fence, 0, 1, at(1), LEASE), Err(Lost));
        assert!(job.claim(at(1), LEASE).is_some(), "another may have it at once");
    }

    #[test]
    fn what_is_over_stays_as_it_is() {
        for status in [Status::Completed, Status::Failed, Status::Cancelled] {
            let mut job = Life { status, ..Life::new(2) };
            let before = job;
            assert_eq!(job.claim(at(99), LEASE), None, "{status:?}");
            assert_eq!(job.append(0, 0, 1, at(99), LEASE), Err(Lost), "{status:?}");
            assert_eq!(job.end(0, Status::Completed), Err(Lost), "{status:?}");
            assert!(!job.cancel(), "{status:?}");
            assert_eq!(job, before, "{status:?}");
        }
    }

    proptest! {
        /// Workers that sleep, wake and write as they like; what each of them did, and when.
        #[test]
        fn whatever_workers_do_every_text_gets_one_result(
            deeds in prop::collection::vec((0usize..4, 0u8..5, 0u64..15, 1usize..4), 1..200),
        ) {
            let mut job = Life::new(9);
            let mut tokens: [Option<(u64, usize)>; 4] = [None; 4];
            let (mut results, mut now) = (Vec::new(), 0);
            for (worker, deed, later, piece) in deeds {
                now += later;
                match (deed, tokens[worker]) {
                    (0, _) => tokens[worker] = job.claim(at(now), LEASE).map(|f| (f, job.done)),
                    (1, Some((fence, from))) => {
                        let before = job;
                        let newest = before.fence == fence;
                        match job.append(fence, from, piece, at(now), LEASE) {
                            Ok(()) => {
                                prop_assert!(newest, "an old token wrote");
                                results.extend(from..from + piece);
                                tokens[worker] = Some((fence, from + piece));
                            }
                            Err(Lost) => prop_assert_eq!(job, before, "it was lost, and changed"),
                        }
                    }
                    (2, Some((fence, _))) => drop(job.release(fence, at(now))),
                    (3, Some((fence, _))) => drop(job.extend(fence, at(now), LEASE)),
                    _ => {}
                }
                let all: Vec<usize> = (0..job.done).collect();
                prop_assert_eq!(&results, &all);
            }
        }
    }
}
