//! What the use cases need from their host, and nothing else.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use trireme_backend::Backend;
use trireme_domain::Fault;
use trireme_domain::histogram::Histogram;
use trireme_domain::wire::Origin;
use trireme_model::Token;

use crate::engine::{Answers, Job, Placed};
use crate::service::Terms;

/// A boxed future that may cross threads; hosts with one thread wrap theirs once.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Work that takes a while and is no pass.
pub type Aside = Box<dyn FnOnce() + Send>;

/// Where jobs are answered: threads behind a queue, or the caller's own.
pub trait Compute: Send + Sync {
    /// Answers a job. Dropping the future cancels it, between two layers at the latest.
    fn submit(&self, job: Job) -> BoxFuture<'_, Result<Answers, Fault>>;

    /// Does work that is no pass, such as reading long texts; resolves when it is done, with terms
    /// for what comes after it: their time is what is left, which only the host knows. A host with
    /// threads does it on none that listens, and on none that runs the model, so that neither is
    /// held up; here it is done at once, by the one thread there is, and no time is kept.
    fn aside(&self, terms: Terms, work: Aside) -> BoxFuture<'_, Result<Terms, Fault>> {
        Box::pin(async move {
            work();
            Ok(terms)
        })
    }

    /// How those threads are, without asking them: never behind a job.
    fn vitals(&self) -> Vitals {
        Vitals::default()
    }

    /// What those threads did so far; nothing, where nobody counts.
    fn work(&self) -> Work {
        Work::default()
    }

    /// How much those threads take at once: one request, where they are the caller's own.
    fn capacity(&self) -> Capacity {
        Capacity { waiting: 1, batch_texts: 1, batch_tokens: 512 }
    }
}

/// What a host counts of what was answered. What is not counted costs nothing.
pub trait Telemetry: Send + Sync {
    /// A text was classified, with a confidence unless the head's own numbers were wanted.
    fn predicted(&self, _origin: &Origin, _label: &str, _confidence: Option<f32>) {}

    /// Predictions were answered, and their records could not be kept.
    fn unrecorded(&self, _predictions: u64) {}
}

impl Telemetry for () {}

/// What a model's threads did so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Work {
    /// Steps of passes: a layer each.
    pub steps: u64,
    /// Runs.
    pub runs: u64,
    /// Texts that ran.
    pub texts: u64,
    /// Tokens that were answered.
    pub tokens: u64,
    /// Runs that had to be halved.
    pub halved: u64,
    /// Texts whose time was up before they ran.
    pub late: u64,
    /// Requests that were not let in.
    pub refused: u64,
    /// Times that a thread was begun anew.
    pub restarts: u64,
    /// Texts that wait now.
    pub waiting: u64,
    /// Bytes of a GPU's memory that the model takes.
    pub device_bytes: u64,
    /// How those runs were.
    pub spread: Spreads,
    /// What those threads were spared.
    pub remembered: Remembered,
}

/// How runs were, and what was waited for them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spreads {
    /// Texts of a run.
    pub texts: Histogram,
    /// Tokens of a run.
    pub tokens: Histogram,
    /// Seconds of a run.
    pub ran: Histogram,
    /// Seconds that a text waited for its run.
    pub waited: Histogram,
}

/// What was answered without running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Texts whose answer was remembered.
    pub hits: u64,
    /// Texts that had to run.
    pub misses: u64,
    /// Texts that waited for an equal one which ran.
    pub joined: u64,
    /// Bytes of answers now.
    pub bytes: u64,
    /// Answers now.
    pub entries: u64,
}

/// How much a model's threads take at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Texts that may wait.
    pub waiting: usize,
    /// Texts of different requests that run together.
    pub batch_texts: usize,
    /// Tokens that run together.
    pub batch_tokens: usize,
}

/// How the threads of a model are: well, but for what is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Why they do not go on.
    pub stopped: Option<String>,
    /// Why they do not answer as they should.
    pub unready: Option<String>,
}

/// How a model reads texts, apart from its weights.
pub trait Reads: Send + Sync {
    /// The most tokens of a text that the model sees.
    fn max_tokens(&self) -> usize;

    /// All tokens of a text, behind a prompt of the model where one is named.
    ///
    /// # Errors
    /// [`Fault`] of the text or the prompt.
    fn tokens(&self, text: &str, prompt: Option<&str>, special: bool) -> Result<Vec<Token>, Fault>;

    /// The text that ids stand for, as nearly as can be said.
    ///
    /// # Errors
    /// [`Fault`] for an id that no token has.
    fn text(&self, ids: &[u32], skip_special: bool) -> Result<String, Fault>;
}

/// What a host does between two steps of a pass: look at a deadline, give an event loop its turn.
pub trait Pace: Send + Sync {
    /// Resolves when the next step may run; its fault ends the job.
    fn step(&self) -> BoxFuture<'_, Result<(), Fault>>;
}

/// A pace that only looks, and never waits.
impl<F: Fn() -> Result<(), Fault> + Send + Sync> Pace for F {
    fn step(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(std::future::ready(self()))
    }
}

/// What one pass gives: for each of its texts a row, or why it has none.
pub type Rows = Result<Vec<Result<Vec<f32>, Fault>>, Fault>;

/// Runs the passes of a job: one after another, or as many at once as the host has cores for.
pub trait Spread: Send + Sync {
    /// The rows of every pass, in order. Passes behind one that failed may be left out.
    fn run<'a>(&'a self, passes: Vec<BoxFuture<'a, Rows>>) -> BoxFuture<'a, Vec<Rows>>;
}

/// Brings a model anew whose device was lost.
pub trait Renew<B: Backend>: Send + Sync {
    /// The same model on a device that computes.
    fn placed(&self) -> BoxFuture<'_, Result<Placed<B>, Fault>>;
}

/// One pass after another, in the caller's own future.
pub struct OneByOne;

impl Spread for OneByOne {
    fn run<'a>(&'a self, passes: Vec<BoxFuture<'a, Rows>>) -> BoxFuture<'a, Vec<Rows>> {
        Box::pin(async move {
            let mut all = Vec::with_capacity(passes.len());
            for pass in passes {
                all.push(pass.await);
                if all.last().is_some_and(Result::is_err) {
                    break;
                }
            }
            all
        })
    }
}

/// The host's time.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment; it never runs backwards.
    fn now(&self) -> Duration;
}

/// The host's patience: only hosts that work while nobody asks have any.
pub trait Timer: Send + Sync {
    /// Resolves after this long.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()>;
}

/// The host's randomness.
pub trait Entropy: Send + Sync {
    /// An id that no other has, in hexadecimal.
    fn id(&self) -> String;
}

/// Where a model's files come from: a folder, a web server, a hub, memory.
pub trait ModelSource: Send + Sync {
    /// The bytes of one file, by its path inside the model (`1_Pooling/config.json`),
    /// or `None` where the source has no such file.
    ///
    /// # Errors
    /// [`SourceError`] where the source could not say.
    fn fetch<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, SourceError>>;

    /// The source as a person would name it: a path, a URL, `hub:owner/name@revision`.
    fn describe(&self) -> String;
}

/// Why a source could not hand over a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is no model at this place at all.
    #[error("no model at {place}: {reason}")]
    NoModel {
        /// The source, as `describe` names it.
        place: String,
        /// What was looked for and not found.
        reason: String,
    },
    /// The server asks for a token, or refuses the one it got.
    #[error("{place} refused {file} (HTTP {status}); set a token that may read it")]
    Unauthorized {
        /// The source.
        place: String,
        /// The file asked for.
        file: String,
        /// 401 or 403.
        status: u16,
    },
    /// Offline mode, and the cache does not hold the file.
    #[error("{file} of {place} is not in the cache and offline mode forbids fetching it")]
    Offline {
        /// The source.
        place: String,
        /// The file asked for.
        file: String,
    },
    /// The server answered with a status that is neither success nor "no such file".
    #[error("{place} answered HTTP {status} for {file}")]
    Status {
        /// The source.
        place: String,
        /// The file asked for.
        file: String,
        /// The HTTP status.
        status: u16,
    },
    /// The bytes are not the ones that were promised.
    #[error("{file} of {place} is damaged: expected {expected}, got {got}")]
    Integrity {
        /// The source.
        place: String,
        /// The file asked for.
        file: String,
        /// Size or digest that was promised.
        expected: String,
        /// Size or digest that came.
        got: String,
    },
    /// The server could not be reached, or broke off and did not come back.
    #[error(
        "could not fetch {file} from {place}: {reason}; check the address and the network{}",
        if *cached { ", or load the cached copy in offline mode" } else { "" }
    )]
    Unreachable {
        /// The source.
        place: String,
        /// The file asked for.
        file: String,
        /// The network's own words.
        reason: String,
        /// Whether offline mode would find the file.
        cached: bool,
    },
    /// What the source was made of can't be right.
    #[error("cannot use {place}: {reason}")]
    Misconfigured {
        /// The source.
        place: String,
        /// Which setting is wrong, and what it should be.
        reason: String,
    },
    /// A file name that could leave the model.
    #[error("{file:?} names no file inside {place}; use a relative path without `..`")]
    UnsafeName {
        /// The source.
        place: String,
        /// The file asked for.
        file: String,
    },
    /// The host has not the memory that the file takes.
    #[error("out of memory for {file} of {place}; take a smaller model")]
    OutOfMemory {
        /// The source.
        place: String,
        /// The file asked for.
        file: String,
    },
    /// The disk failed.
    #[error("could not read {file} of {place}: {reason}")]
    Io {
        /// The source.
        place: String,
        /// The file asked for.
        file: String,
        /// The host's own words.
        reason: String,
    },
}
