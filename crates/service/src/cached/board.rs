//! What is known, and what is under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Shared, WeakShared};
use trireme_domain::Fault;
use trireme_domain::batching::Priority;
use trireme_domain::lru::Lru;

use super::key::Key;
use crate::engine::{Answer, Answers};
use crate::ports::{BoxFuture, Remembered, Vitals};

/// What became of a run.
pub type Ran = Result<Arc<Answers>, Fault>;

/// A run that whoever waits for it drives, and that goes on while anyone does.
pub type Run = Shared<BoxFuture<'static, Ran>>;

/// What a job was told of how its run will go.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    /// When it is over at the latest.
    pub due: Duration,
    pub priority: Priority,
    /// Texts of the job.
    pub texts: usize,
}

impl Promise {
    /// Whether a job that was promised this loses nothing by waiting for a run that was promised
    /// `other`: it ends in time, others do not go before it, and it is no larger.
    fn is_kept_by(self, other: Self) -> bool {
        other.due <= self.due
            && (other.priority == self.priority || other.priority == Priority::Interactive)
            && other.texts <= self.texts
    }
}

/// What is known, and what is under way.
pub struct Board(Mutex<State>);

pub struct State {
    known: Lru<Key, Answer>,
    flights: HashMap<Key, Flight>,
    begun: u64,
    pub counts: Remembered,
}

/// A text in a run that is under way.
struct Flight {
    number: u64,
    run: WeakShared<BoxFuture<'static, Ran>>,
    at: usize,
    promise: Promise,
}

/// What is found for a text.
pub enum Found {
    Answer(Answer),
    /// The run that will bring it, by its place among those that are waited for.
    Run {
        run: usize,
        at: usize,
    },
}

impl Board {
    pub fn new(bytes: usize) -> Self {
        let counts = Remembered::default();
        let (known, flights) = (Lru::new(bytes), HashMap::new());
        Self(Mutex::new(State { known, flights, begun: 0, counts }))
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn counts(&self) -> Remembered {
        let state = self.lock();
        let (bytes, entries) = (state.known.bytes() as u64, state.known.len() as u64);
        Remembered { bytes, entries, ..state.counts }
    }

    /// Remembers the answers among these; a fault may pass. What a model says that is not well is
    /// not to be trusted, nor what it said lately.
    pub fn keep(&self, keys: &[Key], answers: &Answers, of: &Vitals) {
        let mut state = self.lock();
        if *of != Vitals::default() {
            state.known.clear();
            return;
        }
        for (key, answer) in keys.iter().zip(answers) {
            if let Ok(answer) = answer {
                let size = size_of_val(answer.values.as_slice());
                state.known.insert(*key, answer.clone(), size);
            }
        }
    }
}

impl State {
    /// The answer to a text, or a run that will bring it in time, which is then among `runs`.
    pub fn find(&mut self, key: &Key, promise: Promise, runs: &mut Vec<Run>) -> Option<Found> {
        if let Some(answer) = self.known.get(key) {
            self.counts.hits += 1;
            return Some(Found::Answer(answer.clone()));
        }
        let flight = self.flights.get(key).filter(|it| promise.is_kept_by(it.promise))?;
        let (shared, at) = (flight.run.upgrade()?, flight.at);
        self.counts.joined += 1;
        let run = runs.iter().position(|run| run.ptr_eq(&shared)).unwrap_or(runs.len());
        if run == runs.len() {
            runs.push(shared);
        }
        Some(Found::Run { run, at })
    }

    /// What a new run of these texts leaves behind when it ends.
    pub fn landing(&mut self, board: &Arc<Board>, keys: Vec<Key>) -> Arc<Landing> {
        self.begun += 1;
        Arc::new(Landing { board: Arc::clone(board), keys, number: self.begun })
    }

    /// A run begins, for others to join. It takes the place of one that this job could not join.
    pub fn depart(&mut self, landing: &Landing, run: &Run, promise: Promise) {
        for (at, key) in landing.keys.iter().enumerate() {
            if let Some(run) = run.downgrade() {
                let flight = Flight { number: landing.number, run, at, promise };
                self.flights.insert(*key, flight);
            }
        }
    }
}

/// The end of a run, however it ends: nobody can join it any more.
pub struct Landing {
    board: Arc<Board>,
    keys: Vec<Key>,
    number: u64,
}

impl Landing {
    pub fn keep(&self, answers: &Answers, of: &Vitals) {
        self.board.keep(&self.keys, answers, of);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut state = self.board.lock();
        for key in &self.keys {
            if state.flights.get(key).is_some_and(|flight| flight.number == self.number) {
                state.flights.remove(key);
            }
        }
    }
}
