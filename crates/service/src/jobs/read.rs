//! Asking for a job, and calling it off.

use trireme_domain::jobs::{Status, progress};
use trireme_domain::wire::{JobAnswer, JobStanding};
use trireme_domain::{Code, Fault};

use super::no_such_job;
use super::order::Order;
use crate::Service;
use crate::store::Kept;

/// Which results are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page {
    /// The place of the first.
    pub from: usize,
    /// How many at most; as many as the host gives at once, where it is not said.
    pub limit: Option<usize>,
}

impl Service {
    /// A job of this owner, with some of its results.
    ///
    /// # Errors
    /// [`Code::JobNotFound`], and faults of the store.
    pub async fn job(&self, id: &str, owner: &str, page: Page) -> Result<JobAnswer, Fault> {
        let jobs = self.jobs()?;
        let kept = self.own(id, owner).await?;
        let order = Order::read(&kept.order)?;
        // Results that came after the job was read would be more than it says are done.
        let there = kept.done.saturating_sub(page.from);
        let count = jobs.rules.page(page.limit).min(there);
        let results = match count {
            0 => Vec::new(),
            _ => jobs.store.read_results(id, page.from, count).await?,
        };
        let at = page.from.saturating_add(results.len());
        let more = match kept.status {
            Status::Processing => kept.texts,
            _ => kept.done,
        };
        Ok(JobAnswer {
            job_id: id.to_owned(),
            status: kept.status,
            kind: order.kind,
            results: results.iter().map(|result| read(result)).collect::<Result<_, _>>()?,
            next: (at < more).then_some(at),
            progress: progress(kept.done, kept.texts),
            done: kept.done,
            texts: kept.texts,
            processing_time: kept.took.as_secs_f64(),
            error: kept.error,
            origin: order.origin,
        })
    }

    /// Calls a job of this owner off. One that is over stays as it is.
    ///
    /// # Errors
    /// As [`Self::job`].
    pub async fn cancel_job(&self, id: &str, owner: &str) -> Result<JobStanding, Fault> {
        let kept = self.own(id, owner).await?;
        if kept.status == Status::Processing {
            let ending = self.ending(id, Status::Cancelled, None)?;
            // One that ended meanwhile has ended.
            self.jobs()?.store.cancel_job(id, ending).await?;
        }
        self.standing(id).await
    }

    /// Another's job is as good as none: whoever guesses an id learns nothing.
    async fn own(&self, id: &str, owner: &str) -> Result<Kept, Fault> {
        let kept = self.jobs()?.store.read_job(id).await?;
        kept.filter(|kept| kept.owner == owner).ok_or_else(no_such_job)
    }
}

fn read(result: &str) -> Result<serde_json::Value, Fault> {
    let broken = |e: serde_json::Error| {
        Fault::new(Code::InvalidState, format!("a result that is kept can't be read: {e}"))
    };
    serde_json::from_str(result).map_err(broken)
}
