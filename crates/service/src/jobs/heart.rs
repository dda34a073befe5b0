//! Signs of life beside work that takes a while.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use trireme_domain::Fault;

use super::Jobs;
use crate::ports::Clock;
use crate::store::{Held, Hold};

/// A worker's hold on a job, and when its next sign of life is due.
pub struct Heart<'a> {
    jobs: &'a Jobs,
    clock: &'a dyn Clock,
    pub hold: Hold,
    due: Duration,
}

impl<'a> Heart<'a> {
    /// Of a job that was taken up just now.
    pub fn new(jobs: &'a Jobs, clock: &'a dyn Clock, hold: Hold) -> Self {
        let due = clock.now() + jobs.rules.beat();
        Self { jobs, clock, hold, due }
    }

    /// What comes of something, while signs of life are given; nothing, once the job is lost.
    pub async fn beside<T>(
        &mut self,
        work: impl Future<Output = T> + Send,
    ) -> Result<Option<T>, Fault> {
        let mut work = pin!(work);
        loop {
            let left = self.due.saturating_sub(self.clock.now());
            if left.is_zero() {
                if self.beat().await? == Held::Lost {
                    return Ok(None);
                }
                continue;
            }
            if let Either::Left((done, _)) =
                select(work.as_mut(), self.jobs.timer.sleep(left)).await
            {
                return Ok(Some(done));
            }
        }
    }

    async fn beat(&mut self) -> Result<Held, Fault> {
        let lease = self.jobs.rules.lease;
        let held = self.jobs.store.extend_lease(self.hold.clone(), lease).await?;
        self.has_beaten();
        Ok(held)
    }

    /// Writes results, which is a sign of life too.
    pub async fn append(&mut self, from: usize, results: Vec<String>) -> Result<Held, Fault> {
        let lease = self.jobs.rules.lease;
        let held = self.jobs.store.append_results(self.hold.clone(), from, results, lease).await?;
        self.has_beaten();
        Ok(held)
    }

    fn has_beaten(&mut self) {
        self.due = self.clock.now() + self.jobs.rules.beat();
    }
}
