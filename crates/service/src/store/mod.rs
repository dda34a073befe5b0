//! What the use cases need kept, in verbs.
//!
//! Each verb is one statement or one batch: it happens whole or not at all, and what it says has
//! happened is durable. No verb depends on one before it having been the caller's own, so several
//! hosts may share a store. Moments are the store's: its clock says what is past.

mod predictions;

use std::time::Duration;

use trireme_domain::Fault;
use trireme_domain::jobs::Status;

use crate::ports::BoxFuture;

pub use predictions::{KeptPrediction, NewPrediction, PredictionStore};

/// What a verb gives.
pub type Stored<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Where jobs are kept, with their texts, their results, and notices of their end.
///
/// What may happen to a job is `trireme_domain::jobs::Life`; a store holds every job to it, whoever
/// asks at the same time.
pub trait Store: Send + Sync {
    /// Keeps a new job, if its owner has fewer than `most` open ones. One whose owner and key are
    /// known is not kept again.
    fn put_job(&self, job: NewJob, most: usize, keep: Duration) -> Stored<'_, Put>;

    /// A job, as it is now.
    fn read_job(&self, id: &str) -> Stored<'_, Option<Kept>>;

    /// So many texts of a job, from a place on. Those that have a result may be gone.
    fn read_texts(&self, id: &str, from: usize, count: usize) -> Stored<'_, Vec<String>>;

    /// So many results of a job, from a place on, each as JSON.
    fn read_results(&self, id: &str, from: usize, count: usize) -> Stored<'_, Vec<String>>;

    /// How many jobs of an owner are not over.
    fn open_jobs(&self, owner: &str) -> Stored<'_, usize>;

    /// Takes up the job that waits the longest, of those that one of these can answer.
    fn claim_job(&self, answerers: Vec<String>, lease: Duration) -> Stored<'_, Option<Claimed>>;

    /// A sign of life: the job is held for a while from now on.
    fn extend_lease(&self, hold: Hold, lease: Duration) -> Stored<'_, Held>;

    /// Writes the results of the next texts, the first of which is at `from`, and is a sign of life.
    fn append_results(
        &self,
        hold: Hold,
        from: usize,
        results: Vec<String>,
        lease: Duration,
    ) -> Stored<'_, Held>;

    /// Hands a job back, for whoever takes it up next.
    fn release_job(&self, hold: Hold) -> Stored<'_, Held>;

    /// Ends a job.
    fn end_job(&self, hold: Hold, ending: Ending) -> Stored<'_, Held>;

    /// Ends a job whoever holds it; [`Held::Lost`] where it was over already.
    fn cancel_job(&self, id: &str, ending: Ending) -> Stored<'_, Held>;

    /// Some of the jobs that are not over though their time is: their names, the one that is late
    /// the longest first.
    fn late_jobs(&self, count: usize) -> Stored<'_, Vec<String>>;

    /// Forgets some of the jobs that are over and were kept long enough, with all that belongs to
    /// them: how many rows that were, so few that nobody waits long. A job whose notice still waits
    /// is kept.
    fn sweep_jobs(&self) -> Stored<'_, u64>;

    /// Forgets some of the records of predictions that were kept long enough, whether this host
    /// keeps any or not: how many.
    fn sweep_predictions(&self) -> Stored<'_, u64>;

    /// How many there are of each kind.
    fn tally(&self) -> Stored<'_, Tally>;

    /// Takes up the notice that is due the longest. None is put off for longer than `longest`: one
    /// that is due later than that was given its moment before the clock was set back.
    fn claim_notice(&self, lease: Duration, longest: Duration) -> Stored<'_, Option<Notice>>;

    /// Says what came of a notice; nothing changes where somebody else has taken it up since.
    fn settle_notice(&self, id: &str, fence: u64, sent: Sent) -> Stored<'_, Held>;

    /// So many of the notices that were laid aside, in the order of their names, behind this one.
    fn dead_notices(&self, behind: &str, count: usize) -> Stored<'_, Vec<DeadNotice>>;

    /// Has those of these notices that were laid aside sent again, as if they were new; how many.
    fn revive_notices(&self, ids: Vec<String>) -> Stored<'_, u64>;
}

/// A job to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Names it; no other has it.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// The key under which its owner may send it again.
    pub key: Option<String>,
    /// What the whole request was, as a digest.
    pub digest: String,
    /// What can answer it.
    pub answerer: String,
    /// What is wanted of each text, as JSON.
    pub order: String,
    /// Who is told that it ended.
    pub webhook: Option<String>,
    /// The texts.
    pub texts: Vec<String>,
}

/// What became of a job that was to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is kept.
    Made,
    /// Its owner sent this key before.
    Known {
        /// The job that came of it.
        id: String,
        /// The digest of that request.
        digest: String,
    },
    /// Its owner has as many open jobs as it may.
    Full,
}

/// A job, as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Whose it is.
    pub owner: String,
    /// What is wanted of each text, as JSON.
    pub order: String,
    /// How it is.
    pub status: Status,
    /// How many texts it has.
    pub texts: usize,
    /// How many of them have their result.
    pub done: usize,
    /// How long ago it was first taken up, or how long that was before it ended.
    pub took: Duration,
    /// Why it failed.
    pub error: Option<Fault>,
}

/// The right to change a job that was taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The job.
    pub id: String,
    /// The token; it is worth nothing once somebody else takes the job up.
    pub fence: u64,
}

/// Whether a verb found its job held by its caller, and did what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It did.
    Still,
    /// Somebody else has the job, or it is over; nothing was changed.
    Lost,
}

/// A job that was taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The right to change it.
    pub hold: Hold,
    /// Whose it is.
    pub owner: String,
    /// How often it was taken up since it last got on.
    pub attempts: u32,
    /// What is wanted of each text, as JSON.
    pub order: String,
    /// How many texts it has.
    pub texts: usize,
    /// How many of them have their result.
    pub done: usize,
}

/// How a job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How it is from now on.
    pub status: Status,
    /// Why, where it failed.
    pub error: Option<Fault>,
    /// The notice of it, if somebody wants one: its id and its body.
    pub notice: (String, String),
    /// How long it is kept.
    pub keep: Duration,
}

/// A notice that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Names it, however often it is sent.
    pub id: String,
    /// The token of whoever took it up last.
    pub fence: u64,
    /// Where to.
    pub url: String,
    /// What is sent.
    pub body: String,
    /// How often it was taken up, this time among them.
    pub tries: u32,
}

/// What came of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was taken.
    Delivered,
    /// It is due again after this long.
    Again(Duration),
    /// It is laid aside, for a person to look at.
    Dead,
}

/// A notice that was laid aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadNotice {
    /// Names it.
    pub id: String,
    /// The job that it is of.
    pub job: String,
    /// Where it was sent.
    pub url: String,
    /// How often.
    pub tries: u32,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Jobs of each status, in the order of [`Status::ALL`].
    pub jobs: [u64; 4],
    /// How long the oldest job that is not over has been here.
    pub oldest: Duration,
    /// Notices that are not taken yet.
    pub notices: u64,
    /// Notices that were laid aside.
    pub dead: u64,
}

/// Why a store could not do something. Nothing was changed, but where the connection was lost:
/// then nobody knows, and whoever asks again with the same key or token does no harm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Others use it for longer than one waits.
    #[error("the store is busy: {reason}")]
    Busy {
        /// The store's own words.
        reason: String,
    },
    /// It can't be reached, or broke off.
    #[error("the store can't be reached: {reason}")]
    Unreachable {
        /// The store's own words.
        reason: String,
    },
    /// It has no room left.
    #[error("the store has no room left: {reason}")]
    NoRoom {
        /// The store's own words.
        reason: String,
    },
    /// It may be read and not written.
    #[error("the store may not be written: {reason}")]
    ReadOnly {
        /// The store's own words.
        reason: String,
    },
    /// It is damaged, or something else altogether.
    #[error("the store is damaged or none of ours: {reason}")]
    Damaged {
        /// The store's own words.
        reason: String,
    },
    /// A newer program wrote it.
    #[error("the store is of version {found}, and this program knows those up to {known}")]
    Newer {
        /// Its version.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// The settings make no sense.
    #[error("the store can't be used so: {reason}")]
    Misconfigured {
        /// Which, and what it should be.
        reason: String,
    },
    /// Anything else.
    #[error("the store failed: {reason}")]
    Failed {
        /// The store's own words.
        reason: String,
    },
}
