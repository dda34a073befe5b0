//! Telling somebody that a job ended: what is due, and what came of it.

use std::time::Duration;

use trireme_domain::Fault;

use crate::Service;
use crate::store::{Notice, Sent};

/// How long a notice is held by whoever sends it.
const LEASE: Duration = Duration::from_secs(60);

impl Service {
    /// Takes up the notice that is due the longest.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn take_notice(&self) -> Result<Option<Notice>, Fault> {
        let jobs = self.jobs()?;
        // None is due later than this from when it was looked at last.
        let longest = jobs.retries.longest.saturating_add(LEASE);
        Ok(jobs.store.claim_notice(LEASE, longest).await?)
    }

    /// Says whether a notice was taken. One that was not is due again later, or laid aside.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn settle_notice(&self, notice: &Notice, taken: bool) -> Result<Sent, Fault> {
        let jobs = self.jobs()?;
        let sent = match (taken, jobs.retries.after(notice.tries)) {
            (true, _) => Sent::Delivered,
            (false, Some(pause)) => Sent::Again(pause),
            (false, None) => Sent::Dead,
        };
        jobs.store.settle_notice(&notice.id, notice.fence, sent).await?;
        Ok(sent)
    }
}
