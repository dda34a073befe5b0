//! An executor that can be told to wait, to panic, or to compute what is no number.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use trireme_cpu::{Cpu, Cuts, Executor, Lane, Work};
use trireme_model::files::gathered;
use trireme_model::{Checkpoint, Model};
use trireme_server::{Queue, Shared, Threads};
use trireme_service::Engine;

/// What the executor does when it is next called.
#[derive(Clone, Copy, PartialEq)]
pub enum Mood {
    Work,
    Wait,
    Panic,
    /// Panics over texts of this many tokens or more.
    Choke(u32),
    /// Makes what is no number of texts of this many tokens or more.
    Rave(u32),
}

/// The inline executor, with a gate before every piece of work.
#[derive(Clone)]
pub struct Gate {
    mood: Arc<(Mutex<Mood>, Condvar)>,
    pub calls: Arc<AtomicUsize>,
}

impl Gate {
    pub fn new(mood: Mood) -> Self {
        Self { mood: Arc::new((Mutex::new(mood), Condvar::new())), calls: Arc::default() }
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.0.lock().unwrap() = mood;
        self.mood.1.notify_all();
    }

    /// Returns once the executor has been called this often.
    pub fn until(&self, calls: usize) {
        let begun = Instant::now();
        while self.calls.load(Ordering::SeqCst) < calls {
            assert!(begun.elapsed() < Duration::from_secs(60), "{calls} calls never came");
            std::thread::yield_now();
        }
    }
}

impl Executor for Gate {
    fn threads(&self) -> usize {
        1
    }

    fn for_each(&self, out: &mut [f32], cuts: Cuts<'_>, work: &Work<'_>) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mood = self.mood.0.lock().unwrap();
        let mood = *self.mood.1.wait_while(mood, |mood| *mood == Mood::Wait).unwrap();
        assert!(mood != Mood::Panic, "the executor was told to panic");
        let long = |at: usize, tokens: u32| match cuts {
            Cuts::At { starts, .. } => {
                starts.get(at + 1).is_some_and(|end| end - starts[at] >= tokens)
            }
            _ => false,
        };
        for (index, piece) in cuts.pieces(out).enumerate() {
            if let Mood::Choke(tokens) = mood {
                assert!(!long(index, tokens), "the executor was told to choke");
            }
            work(index, piece);
            if matches!(mood, Mood::Rave(tokens) if long(index, tokens)) {
                piece.fill(f32::NAN);
            }
        }
    }
}

/// A small model's thread, over that executor.
pub fn threads(gate: &Gate, queue: Queue) -> Threads {
    let model = model(gate);
    Threads::start(Engine::new(model, 512), Shared::new(1).unwrap(), queue).unwrap()
}

/// A small model that classifies, over that executor.
pub fn model(gate: &Gate) -> Arc<Model<Cpu>> {
    let folder = trireme_tests::repo_root().join("tests/goldens/tiny/bert-classify");
    let files = gathered(|name| std::fs::read(folder.join(name)).ok().map(Into::into)).unwrap();
    let checkpoint = Checkpoint::from_files(&files).unwrap();
    let cpu = Cpu::new(Box::new(gate.clone()), Lane::PORTABLE);
    Arc::new(Model::new(cpu, &checkpoint).unwrap())
}
