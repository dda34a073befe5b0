//! Signs of life, and what was done so far. Nothing here waits for anything.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use trireme_domain::histogram::Histogram;
use trireme_service::ports::{Spreads, Vitals, Work};

use super::canary::Heard;

/// A step of a pass takes milliseconds. Where one takes this long, the thread hangs.
const HANGS: Duration = Duration::from_secs(30);

const TEXTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
const TOKENS: &[f64] = &[16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0];
/// Seconds: a run takes one or two milliseconds at least, and waiting may take none.
const SECONDS: &[f64] =
    &[0.0001, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0];

/// The thread's signs of life.
pub struct Pulse {
    since: Instant,
    last: AtomicU64,
    busy: AtomicBool,
    heard: Mutex<Heard>,
    spread: Mutex<Spreads>,
    pub steps: AtomicU64,
    pub runs: AtomicU64,
    pub texts: AtomicU64,
    pub tokens: AtomicU64,
    pub halved: AtomicU64,
    pub late: AtomicU64,
    pub refused: AtomicU64,
    pub restarts: AtomicU64,
    /// Bytes of a device's own memory, after the last run.
    pub device_bytes: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            since: Instant::now(),
            last: zero(),
            busy: AtomicBool::new(false),
            heard: Mutex::default(),
            spread: Mutex::new(Spreads {
                texts: Histogram::new(TEXTS),
                tokens: Histogram::new(TOKENS),
                ran: Histogram::new(SECONDS),
                waited: Histogram::new(SECONDS),
            }),
            steps: zero(),
            runs: zero(),
            texts: zero(),
            tokens: zero(),
            halved: zero(),
            late: zero(),
            refused: zero(),
            restarts: zero(),
            device_bytes: zero(),
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

    /// It ran texts, each of which had waited so long.
    pub fn ran(&self, tokens: usize, took: Duration, waited: impl Iterator<Item = Duration>) {
        let mut spread = self.spread.lock().unwrap_or_else(PoisonError::into_inner);
        let mut texts = 0u32;
        for waited in waited {
            texts += 1;
            spread.waited.count(waited.as_secs_f64());
        }
        spread.texts.count(f64::from(texts));
        spread.tokens.count(tokens as f64);
        spread.ran.count(took.as_secs_f64());
        self.runs.fetch_add(1, Relaxed);
        self.texts.fetch_add(texts.into(), Relaxed);
        self.tokens.fetch_add(tokens as u64, Relaxed);
    }

    /// What its last check found wrong.
    pub fn checked(&self, unwell: Option<String>) {
        let now = self.now();
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).checked(unwell, now);
    }

    /// How the thread is, and the model, whose canary is to be heard so often.
    pub fn vitals(&self, canary: Option<Duration>) -> Vitals {
        let now = self.now();
        let silent = now.saturating_sub(Duration::from_millis(self.last.load(Relaxed)));
        let hangs = self.busy.load(Relaxed) && silent > HANGS;
        let stopped = hangs.then(|| format!("no sign of life for {} s", silent.as_secs()));
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        Vitals { stopped, unready: heard.unready(canary, now) }
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
            device_bytes: read(&self.device_bytes),
            spread: self.spread.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            ..Work::default()
        }
    }
}
