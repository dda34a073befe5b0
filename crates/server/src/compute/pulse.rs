//! Signs of life, and what was done so far. Nothing here waits for anything.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use trireme_service::ports::Vitals;

/// A step of a pass takes milliseconds. Where one takes this long, the thread hangs.
const HANGS: Duration = Duration::from_secs(30);

/// What a model's thread did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
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
    /// Times that the thread was begun anew.
    pub restarts: u64,
    /// Texts that wait now.
    pub waiting: u64,
}

/// The thread's signs of life.
pub struct Pulse {
    since: Instant,
    last: AtomicU64,
    busy: AtomicBool,
    unwell: Mutex<Option<String>>,
    pub steps: AtomicU64,
    pub runs: AtomicU64,
    pub texts: AtomicU64,
    pub tokens: AtomicU64,
    pub halved: AtomicU64,
    pub late: AtomicU64,
    pub refused: AtomicU64,
    pub restarts: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            since: Instant::now(),
            last: zero(),
            busy: AtomicBool::new(false),
            unwell: Mutex::new(None),
            steps: zero(),
            runs: zero(),
            texts: zero(),
            tokens: zero(),
            halved: zero(),
            late: zero(),
            refused: zero(),
            restarts: zero(),
        }
    }
}

impl Pulse {
    /// Time since the thread was first begun.
    pub fn now(&self) -> Duration {
        self.since.elapsed()
    }

    /// The thread is here.
    pub fn beat(&self) {
        self.last.store(u64::try_from(self.now().as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Whether it has work; at rest it need not beat.
    pub fn busy(&self, busy: bool) {
        self.beat();
        self.busy.store(busy, Relaxed);
    }

    /// What its last check found wrong.
    pub fn checked(&self, unwell: Option<String>) {
        *self.unwell.lock().unwrap_or_else(PoisonError::into_inner) = unwell;
    }

    pub fn vitals(&self) -> Vitals {
        let silent = self.now().saturating_sub(Duration::from_millis(self.last.load(Relaxed)));
        let alive = match self.busy.load(Relaxed) && silent > HANGS {
            true => Err(format!("no sign of life for {} s", silent.as_secs())),
            false => Ok(()),
        };
        let unwell = self.unwell.lock().unwrap_or_else(PoisonError::into_inner);
        Vitals { alive, ready: unwell.clone().map_or(Ok(()), Err) }
    }

    pub fn counts(&self, waiting: usize) -> Counts {
        let read = |count: &AtomicU64| count.load(Relaxed);
        Counts {
            steps: read(&self.steps),
            runs: read(&self.runs),
            texts: read(&self.texts),
            tokens: read(&self.tokens),
            halved: read(&self.halved),
            late: read(&self.late),
            refused: read(&self.refused),
            restarts: read(&self.restarts),
            waiting: waiting as u64,
        }
    }
}
