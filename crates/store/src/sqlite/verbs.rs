//! The port's verbs, each handed to the thread.

use std::time::Duration;

use trireme_service::store::{
    Claimed, DeadNotice, Ending, Held, Hold, Kept, KeptPrediction, NewJob, NewPrediction, Notice,
    PredictionStore, Put, Sent, Store, Stored, Tally,
};

use super::{Sqlite, jobs, notices, predictions, sweep};

impl Store for Sqlite {
    fn put_job(&self, job: NewJob, most: usize, keep: Duration) -> Stored<'_, Put> {
        self.run(move |connection| jobs::put(connection, &job, most, keep))
    }

    fn read_job(&self, id: &str) -> Stored<'_, Option<Kept>> {
        let id = id.to_owned();
        self.run(move |connection| jobs::read(connection, &id))
    }

    fn read_texts(&self, id: &str, from: usize, count: usize) -> Stored<'_, Vec<String>> {
        let id = id.to_owned();
        self.run(move |connection| jobs::page(connection, jobs::TEXTS, (&id, from, count)))
    }

    fn read_results(&self, id: &str, from: usize, count: usize) -> Stored<'_, Vec<String>> {
        let id = id.to_owned();
        self.run(move |connection| jobs::page(connection, jobs::RESULTS, (&id, from, count)))
    }

    fn open_jobs(&self, owner: &str) -> Stored<'_, usize> {
        let owner = owner.to_owned();
        self.run(move |connection| jobs::open(connection, &owner))
    }

    fn claim_job(&self, answerers: Vec<String>, lease: Duration) -> Stored<'_, Option<Claimed>> {
        self.run(move |connection| jobs::claim(connection, &answerers, lease))
    }

    fn extend_lease(&self, hold: Hold, lease: Duration) -> Stored<'_, Held> {
        self.run(move |connection| jobs::extend(connection, &hold, lease))
    }

    fn append_results(
        &self,
        hold: Hold,
        from: usize,
        results: Vec<String>,
        lease: Duration,
    ) -> Stored<'_, Held> {
        self.run(move |connection| jobs::append(connection, &hold, from, &results, lease))
    }

    fn release_job(&self, hold: Hold) -> Stored<'_, Held> {
        self.run(move |connection| jobs::release(connection, &hold))
    }

    fn end_job(&self, hold: Hold, ending: Ending) -> Stored<'_, Held> {
        self.run(move |connection| jobs::end(connection, &hold.id, Some(hold.fence), &ending))
    }

    fn cancel_job(&self, id: &str, ending: Ending) -> Stored<'_, Held> {
        let id = id.to_owned();
        self.run(move |connection| jobs::end(connection, &id, None, &ending))
    }

    fn late_jobs(&self, count: usize) -> Stored<'_, Vec<String>> {
        self.run(move |connection| sweep::late(connection, count))
    }

    fn sweep_jobs(&self) -> Stored<'_, u64> {
        self.run(sweep::sweep)
    }

    fn sweep_predictions(&self) -> Stored<'_, u64> {
        self.run(|connection| {
            let gone = predictions::sweep(connection)?;
            predictions::settle(connection)?;
            Ok(gone)
        })
    }

    fn tally(&self) -> Stored<'_, Tally> {
        self.run(|connection| jobs::tally(connection))
    }

    fn claim_notice(&self, lease: Duration, longest: Duration) -> Stored<'_, Option<Notice>> {
        self.run(move |connection| notices::claim(connection, lease, longest))
    }

    fn settle_notice(&self, id: &str, fence: u64, sent: Sent) -> Stored<'_, Held> {
        let id = id.to_owned();
        self.run(move |connection| notices::settle(connection, &id, fence, sent))
    }

    fn dead_notices(&self, behind: &str, count: usize) -> Stored<'_, Vec<DeadNotice>> {
        let behind = behind.to_owned();
        self.run(move |connection| notices::dead(connection, &behind, count))
    }

    fn revive_notices(&self, ids: Vec<String>) -> Stored<'_, u64> {
        self.run(move |connection| notices::revive(connection, &ids))
    }
}

impl PredictionStore for Sqlite {
    fn put_predictions(&self, all: Vec<NewPrediction>, keep: Duration) -> Stored<'_, ()> {
        self.run(move |connection| predictions::put(connection, &all, keep))
    }

    fn read_prediction(&self, id: &str) -> Stored<'_, Option<KeptPrediction>> {
        let id = id.to_owned();
        self.run(move |connection| predictions::read(connection, &id))
    }

    fn delete_prediction(&self, id: &str, owner: &str) -> Stored<'_, bool> {
        let (id, owner) = (id.to_owned(), owner.to_owned());
        self.run(move |connection| predictions::delete(connection, &id, &owner))
    }

    fn secret(&self, name: &str, fresh: String) -> Stored<'_, String> {
        let name = name.to_owned();
        self.run(move |connection| predictions::secret(connection, &name, &fresh))
    }
}
