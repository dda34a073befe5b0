//! The thread that runs the model, and the desk where work waits for it.
//!
//! Inference never runs on the listener's threads: a long text must not keep a health check
//! waiting. Texts of different requests run together; what befalls one of them is found out by
//! halves and stays its own.

mod canary;
mod desk;
mod pulse;
mod run;
mod ticket;

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use trireme_backend::Backend;
use trireme_domain::admission::Admission;
use trireme_domain::batching::Batching;
use trireme_domain::{Code, Fault};
use trireme_service::ports::{BoxFuture, Capacity, Compute, Vitals, Work};
use trireme_service::{Answers, Engine, Job};

use crate::{Shared, trace};
use desk::Desk;
use run::Runner;

/// How much may wait, how long, and what runs together.
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    /// Texts and tokens that may wait.
    pub admission: Admission,
    /// Which of them run together.
    pub batching: Batching,
    /// The longest time from submission to answer.
    pub timeout: Duration,
    /// How often the model answers a text whose answer is known; never, where it is not said.
    pub canary: Option<Duration>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            admission: Admission::default(),
            // A run holds an interactive text up, and without padding a longer one gains nothing.
            batching: Batching { max_tokens: 1024, ..Batching::default() },
            timeout: Duration::from_secs(60),
            canary: None,
        }
    }
}

impl Queue {
    /// The same, with so many texts waiting at most.
    #[must_use]
    pub fn of_texts(texts: usize) -> Self {
        let admission = Admission { texts, ..Admission::default() };
        Self { admission, ..Self::default() }
    }
}

/// How long whoever drops a thread waits until it has given its device back: a process that ends
/// meanwhile would end in the device's driver.
const GRACE: Duration = Duration::from_secs(1);

/// A [`Compute`] with a thread of its own.
pub struct Threads {
    desk: Arc<Desk>,
    /// Closed when the thread has ended, its model dropped.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Threads {
    /// Starts the thread, whose runs are shared out over `pool`; it ends when this value is dropped
    /// and nothing waits any more. Dropping it waits for that, a second at most.
    ///
    /// # Errors
    /// [`Code::Internal`] where the system gives no more threads.
    pub fn start<B: Backend>(engine: Engine<B>, pool: Shared, queue: Queue) -> Result<Self, Fault> {
        let no_thread = |e: std::io::Error| Fault::new(Code::Internal, format!("no thread: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(no_thread)?;
        let desk = Arc::new(Desk::new(queue, engine.model().reader().max_tokens()));
        let runner = Runner { engine, pool, runtime, desk: Arc::clone(&desk) };
        let (running, ended) = mpsc::channel();
        let work = move || {
            runner.work();
            drop(runner);
            drop(running);
        };
        thread::Builder::new().name("trireme-model".to_owned()).spawn(work).map_err(no_thread)?;
        Ok(Self { desk, ended: Mutex::new(ended) })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.desk.close();
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Nothing is ever sent: it is closed, or the time is up.
        let _: Result<(), mpsc::RecvTimeoutError> = ended.recv_timeout(GRACE);
    }
}

impl Compute for Threads {
    fn submit(&self, job: Job) -> BoxFuture<'_, Result<Answers, Fault>> {
        // A place is taken by calling, so that a burst is refused in the order it came.
        let span = trace::computing(job.texts.len());
        let taken = self.desk.take_in(job);
        Box::pin(async move {
            let (answers, spent) = taken?.await.unwrap_or_else(|_| Err(gone()))?;
            let tokens = answers.iter().flatten().map(|answer| answer.tokens).sum();
            trace::computed(&span, tokens, spent.waited, spent.ran);
            Ok(answers)
        })
    }

    fn vitals(&self) -> Vitals {
        self.desk.vitals()
    }

    fn work(&self) -> Work {
        self.desk.work()
    }

    fn capacity(&self) -> Capacity {
        let Queue { admission, batching, .. } = self.desk.rules;
        Capacity {
            waiting: admission.texts,
            batch_texts: batching.max_texts,
            batch_tokens: batching.max_tokens,
        }
    }
}

fn gone() -> Fault {
    Fault::new(Code::ShuttingDown, "the compute thread has ended")
}
