//! The port's verbs, each on the connection.

use std::time::Duration;

use trireme_service::store::{
    Claimed, DeadNotice, Ending, Held, Hold, Kept, KeptPrediction, NewJob, NewPrediction, Notice,
    PredictionStore, Put, Sent, Store, Stored, Tally,
};

use super::{Postgres, jobs, notices, predictions, sweep};

impl Store for Postgres {
    fn put_job(&self, job: NewJob, most: usize, keep: Duration) -> Stored<'_, Put> {
        self.verb(async move { jobs::put(&mut *self.client().await?, &job, most, keep).await })
    }

    fn read_job(&self, id: &str) -> Stored<'_, Option<Kept>> {
        let id = id.to_owned();
        self.verb(async move { jobs::read(&*self.client().await?, &id).await })
    }

    fn read_texts(&self, id: &str, from: usize, count: usize) -> Stored<'_, Vec<String>> {
        let id = id.to_owned();
        self.verb(async move { jobs::texts(&*self.client().await?, &id, from, count).await })
    }

    fn read_results(&self, id: &str, from: usize, count: usize) -> Stored<'_, Vec<String>> {
        let id = id.to_owned();
        self.verb(async move { jobs::results(&*self.client().await?, &id, from, count).await })
    }

    fn open_jobs(&self, owner: &str) -> Stored<'_, usize> {
        let owner = owner.to_owned();
        self.verb(async move { jobs::open(&*self.client().await?, &owner).await })
    }

    fn claim_job(&self, answerers: Vec<String>, lease: Duration) -> Stored<'_, Option<Claimed>> {
        self.verb(async move { jobs::claim(&*self.client().await?, &answerers, lease).await })
    }

    fn extend_lease(&self, hold: Hold, lease: Duration) -> Stored<'_, Held> {
        self.verb(async move { jobs::extend(&*self.client().await?, &hold, lease).await })
    }

    fn append_results(
        &self,
        hold: Hold,
        from: usize,
        results: Vec<String>,
        lease: Duration,
    ) -> Stored<'_, Held> {
        self.verb(async move {
            jobs::append(&*self.client().await?, &hold, from, &results, lease).await
        })
    }

    fn release_job(&self, hold: Hold) -> Stored<'_, Held> {
        self.verb(async move { jobs::release(&*self.client().await?, &hold).await })
    }

    fn end_job(&self, hold: Hold, ending: Ending) -> Stored<'_, Held> {
        self.verb(async move {
            jobs::end(&*self.client().await?, &hold.id, Some(hold.fence), &ending).await
        })
    }

    fn cancel_job(&self, id: &str, ending: Ending) -> Stored<'_, Held> {
        let id = id.to_owned();
        self.verb(async move { jobs::end(&*self.client().await?, &id, None, &ending).await })
    }

    fn late_jobs(&self, count: usize) -> Stored<'_, Vec<String>> {
        self.verb(async move { sweep::late(&*self.client().await?, count).await })
    }

    fn sweep_jobs(&self) -> Stored<'_, u64> {
        self.verb(async move { sweep::sweep(&mut *self.client().await?).await })
    }

    fn sweep_predictions(&self) -> Stored<'_, u64> {
        self.verb(async move { predictions::sweep(&*self.client().await?).await })
    }

    fn tally(&self) -> Stored<'_, Tally> {
        self.verb(async move { jobs::tally(&*self.client().await?).await })
    }

    fn claim_notice(&self, lease: Duration, longest: Duration) -> Stored<'_, Option<Notice>> {
        self.verb(async move { notices::claim(&*self.client().await?, lease, longest).await })
    }

    fn settle_notice(&self, id: &str, fence: u64, sent: Sent) -> Stored<'_, Held> {
        let id = id.to_owned();
        self.verb(async move { notices::settle(&*self.client().await?, &id, fence, sent).await })
    }

    fn dead_notices(&self, behind: &str, count: usize) -> Stored<'_, Vec<DeadNotice>> {
        let behind = behind.to_owned();
        self.verb(async move { notices::dead(&*self.client().await?, &behind, count).await })
    }

    fn revive_notices(&self, ids: Vec<String>) -> Stored<'_, u64> {
        self.verb(async move { notices::revive(&*self.client().await?, &ids).await })
    }
}

impl PredictionStore for Postgres {
    fn put_predictions(&self, all: Vec<NewPrediction>, keep: Duration) -> Stored<'_, ()> {
        self.verb(async move { predictions::put(&*self.client().await?, &all, keep).await })
    }

    fn read_prediction(&self, id: &str) -> Stored<'_, Option<KeptPrediction>> {
        let id = id.to_owned();
        self.verb(async move { predictions::read(&*self.client().await?, &id).await })
    }

    fn delete_prediction(&self, id: &str, owner: &str) -> Stored<'_, bool> {
        let (id, owner) = (id.to_owned(), owner.to_owned());
        self.verb(async move { predictions::delete(&*self.client().await?, &id, &owner).await })
    }

    fn secret(&self, name: &str, fresh: String) -> Stored<'_, String> {
        let name = name.to_owned();
        self.verb(async move { predictions::secret(&*self.client().await?, &name, &fresh).await })
    }
}
