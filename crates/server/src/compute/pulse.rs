//! Signs of life, and what was done so far. Nothing here waits for anything.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use trireme_service::ports::{Vitals, Work};

/// A step of a pass takes milliseconds. Where one takes this long, the thread hangs.
const HANGS: Duration = Duration::from_secs(30);

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
        let hangs = self.busy.load(Relaxed) && silent > HANGS;
        let stopped = hangs.then(|| format!("no sign of life for {} s", silent.as_secs()));
        let unwell = self.unwell.lock().unwrap_or_else(PoisonError::into_inner);
        Vitals { stopped, unready: unwell.clone() }
    }

    pub fn work(&self, waiting: usize) -> Work {
        let read = |count: &AtomicU64| count.load(Relaxed);
        Work {
            steps: read(&self.steps),
            runs: read(&self.runs),
            texts: read(&self.texts),
            tokens: read(&self.tokens),
            halved: read(&self.halved),
            late: read(&self.late),
            refused: read(&self.refused),
            restarts: read(&self.restarts),
            waiting: waiting as u64,
            ..Work::default()
        }
    }
}
