//! The compute thread under bad luck: a full queue, a caller who leaves, a deadline, a panic.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use trireme_cpu::{Cpu, Cuts, Executor, Lane, Work};
use trireme_domain::{Code, Fault};
use trireme_model::files::gathered;
use trireme_model::{Checkpoint, Cut, Model};
use trireme_server::{Queue, Shared, Threads};
use trireme_service::ports::Compute;
use trireme_service::{Answer, Answers, Engine, Job, Task, all};

/// What the executor does when it is next called.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Work,
    Wait,
    Panic,
}

/// The inline executor, with a gate before every piece of work.
#[derive(Clone)]
struct Gate {
    mood: Arc<(Mutex<Mood>, Condvar)>,
    calls: Arc<AtomicUsize>,
}

impl Gate {
    fn new(mood: Mood) -> Self {
        Self { mood: Arc::new((Mutex::new(mood), Condvar::new())), calls: Arc::default() }
    }

    fn set(&self, mood: Mood) {
        *self.mood.0.lock().unwrap() = mood;
        self.mood.1.notify_all();
    }

    /// Returns once the executor has been called this often.
    fn until(&self, calls: usize) {
        while self.calls.load(Ordering::SeqCst) < calls {
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
        for (index, piece) in cuts.pieces(out).enumerate() {
            work(index, piece);
        }
    }
}

fn threads(gate: &Gate, queue: Queue) -> Threads {
    let folder = trireme_tests::repo_root().join("tests/goldens/tiny/bert-classify");
    let files = gathered(|name| std::fs::read(folder.join(name)).ok().map(Into::into)).unwrap();
    let checkpoint = Checkpoint::from_files(&files).unwrap();
    let cpu = Cpu::new(Box::new(gate.clone()), Lane::PORTABLE);
    let model = Model::new(cpu, &checkpoint).unwrap();
    Threads::start(Engine::new(Arc::new(model), 512), Shared::new(1).unwrap(), queue).unwrap()
}

fn job() -> Job {
    let texts = vec!["A quiet harbour.".to_owned().into()];
    Job { texts, task: Task::CLASSES, ..Job::default() }
}

fn wait(answer: impl Future<Output = Result<Answers, Fault>>) -> Result<Vec<Answer>, Fault> {
    all(tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer)?)
}

fn code(answer: Result<Vec<Answer>, Fault>) -> Option<Code> {
    answer.err().map(|fault| fault.code)
}

#[test]
fn a_full_queue_refuses_and_loses_nothing() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue { jobs: 1, ..Queue::default() });
    let running = threads.submit(job());
    gate.until(1);
    let waiting = threads.submit(job());
    assert_eq!(code(wait(threads.submit(job()))), Some(Code::Overloaded));
    gate.set(Mood::Work);
    assert_eq!(code(wait(running)), None, "the job that ran");
    assert_eq!(code(wait(waiting)), None, "the job that waited");
}

#[test]
fn a_caller_who_leaves_stops_the_pass_at_the_next_step() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::default());
    let leaves = threads.submit(job());
    gate.until(1);
    drop(leaves);
    gate.set(Mood::Work);
    assert_eq!(code(wait(threads.submit(job()))), None, "the next job is answered");
    let both = gate.calls.load(Ordering::SeqCst);
    assert_eq!(code(wait(threads.submit(job()))), None);
    let one = gate.calls.load(Ordering::SeqCst) - both;
    // The embedding is two calls: the look-up that waited, and its layer norm.
    assert_eq!(both - one, 2, "calls that were spent on the caller who left");
}

#[test]
fn a_caller_who_leaves_while_waiting_costs_nothing() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::default());
    let running = threads.submit(job());
    gate.until(1);
    drop(threads.submit(job()));
    gate.set(Mood::Work);
    assert_eq!(code(wait(running)), None);
    let one = gate.calls.load(Ordering::SeqCst);
    assert_eq!(code(wait(threads.submit(job()))), None);
    assert_eq!(gate.calls.load(Ordering::SeqCst), 2 * one);
}

#[test]
fn a_deadline_ends_a_job_between_steps() {
    let gate = Gate::new(Mood::Wait);
    let timeout = Duration::from_millis(50);
    let threads = threads(&gate, Queue { timeout, ..Queue::default() });
    let (submitted, late) = (Instant::now(), threads.submit(job()));
    gate.until(1);
    while submitted.elapsed() <= 2 * timeout {
        std::thread::yield_now();
    }
    gate.set(Mood::Work);
    assert_eq!(code(wait(late)), Some(Code::DeadlineExceeded));
    let calls = gate.calls.load(Ordering::SeqCst);
    assert_eq!(calls, 2, "the embedding's look-up and its norm, and nothing after them");
}

#[test]
fn a_job_whose_time_is_up_is_not_begun() {
    let gate = Gate::new(Mood::Work);
    let threads = threads(&gate, Queue { timeout: Duration::ZERO, ..Queue::default() });
    assert_eq!(code(wait(threads.submit(job()))), Some(Code::DeadlineExceeded));
    assert_eq!(gate.calls.load(Ordering::SeqCst), 0, "nothing was computed");
}

#[test]
fn a_time_allowed_beyond_all_clocks_is_no_deadline() {
    let gate = Gate::new(Mood::Work);
    let threads = threads(&gate, Queue { timeout: Duration::MAX, ..Queue::default() });
    assert_eq!(code(wait(threads.submit(job()))), None);
}

#[test]
fn a_panic_is_a_fault_of_its_own_request_only() {
    let gate = Gate::new(Mood::Panic);
    let threads = threads(&gate, Queue::default());
    assert_eq!(code(wait(threads.submit(job()))), Some(Code::Internal));
    gate.set(Mood::Work);
    assert_eq!(code(wait(threads.submit(job()))), None, "the next request is answered");
}

#[test]
fn a_bad_text_does_not_end_the_thread() {
    let gate = Gate::new(Mood::Work);
    let threads = threads(&gate, Queue::default());
    let no_room = Cut { max_tokens: Some(1), ..Cut::default() };
    let got = wait(threads.submit(Job { cut: no_room, ..job() }));
    assert_eq!(code(got), Some(Code::InvalidOption));
    assert_eq!(code(wait(threads.submit(job()))), None);
}

#[test]
fn a_job_is_submitted_before_it_is_awaited() {
    // The queue's place is taken by calling, so that a burst is refused in the order it came.
    let gate = Gate::new(Mood::Work);
    let threads = threads(&gate, Queue::default());
    let mut answer = pin!(threads.submit(job()));
    gate.until(1);
    let mut context = Context::from_waker(Waker::noop());
    while answer.as_mut().poll(&mut context).is_pending() {
        std::thread::yield_now();
    }
}
