//! What was kept long enough: jobs that are not done by then end, and what is over is forgotten.

use std::future::Future;

use trireme_domain::Fault;
use trireme_domain::jobs::Status;

use crate::Service;
use crate::store::Held;

/// Late jobs that are listed at a time.
const SOME: usize = 100;

/// What was looked at, and how much of it is ended or forgotten.
pub type Swept = (&'static str, Result<u64, Fault>);

impl Service {
    /// Ends the jobs that were not done in time, and forgets what was kept long enough, piece by
    /// piece. Where one thing fails, the others are done all the same; nothing is, where nothing is
    /// kept.
    pub async fn sweep(&self) -> Vec<Swept> {
        let Some(jobs) = &self.jobs else { return Vec::new() };
        let late = all(|| self.end_late_jobs()).await;
        let rows = all(|| jobs.store.sweep_jobs()).await;
        let records = all(|| jobs.store.sweep_predictions()).await;
        let mut swept = vec![
            ("jobs that were not done in time", late),
            ("rows of jobs", rows),
            ("records of predictions", records),
        ];
        if let Some(records) = &self.records {
            // It says itself how many files these were.
            let log = records.ledger.sweep().await.map(|()| 0);
            swept.push(("files of the prediction log", log));
        }
        swept
    }

    /// Ends some of the jobs that were not done in time, whoever holds them: whoever brought one
    /// hears of it, and reads what there is. How many ended.
    async fn end_late_jobs(&self) -> Result<u64, Fault> {
        let jobs = self.jobs()?;
        let mut ended = 0;
        for id in jobs.store.late_jobs(SOME).await? {
            let ending = self.ending(&id, Status::Failed, Some(jobs.rules.late()))?;
            // One that ended meanwhile has ended.
            let held = jobs.store.cancel_job(&id, ending).await?;
            ended += u64::from(held == Held::Still);
        }
        Ok(ended)
    }
}

/// Does something for as long as there is more of it; how much there was.
async fn all<E: Into<Fault>, F: Future<Output = Result<u64, E>>>(
    mut piece: impl FnMut() -> F,
) -> Result<u64, Fault> {
    let mut count = 0;
    loop {
        match piece().await.map_err(Into::<Fault>::into)? {
            0 => return Ok(count),
            more => count += more,
        }
    }
}
