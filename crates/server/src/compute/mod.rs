//! The thread that runs the model, and the desk where work waits for it.
//!
//! Inference never runs on the listener's threads: a long text must not keep a health check
//! waiting. Texts of different requests run together; what befalls one of them is found out by
//! halves and stays its own.

mod canary;
mod desk;
mod pulse;
mod run;
mod sideline;
mod ticket;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use trireme_backend::Backend;
use trireme_domain::admission::Admission;
use trireme_domain::batching::Batching;
use trireme_domain::{Code, Fault};
use trireme_service::ports::{Aside, BoxFuture, Capacity, Compute, Vitals, Work};
use trireme_service::{Answers, Engine, Job, Terms};

use crate::{Shared, trace};
use desk::{Desk, too_late};
use run::Runner;
use sideline::Sideline;

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

/// How long past its deadline a request is left to the thread, which answers it as soon as a step is
/// done. Where none is done, the request is answered all the same.
const SLACK: Duration = Duration::from_secs(1);

/// A [`Compute`] with a thread of its own.
pub struct Threads {
    desk: Arc<Desk>,
    sideline: Arc<Sideline>,
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
        Ok(Self { desk, sideline: Arc::default(), ended: Mutex::new(ended) })
    }

    /// When an answer on these terms is too late.
    fn due(&self, terms: &Terms) -> Option<Instant> {
        Instant::now().checked_add(terms.time(self.desk.rules.timeout)?)
    }
}

/// What comes in time, where there is a time.
async fn within<T>(
    due: Option<Instant>,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match due {
        Some(due) => {
            let done = tokio::time::timeout_at(due.into(), work).await;
            done.unwrap_or_else(|_| Err(too_late()))
        }
        None => work.await,
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
        let due = self.due(&job.terms).and_then(|due| due.checked_add(SLACK));
        let taken = self.desk.take_in(job);
        Box::pin(async move {
            let told = async { taken?.await.unwrap_or_else(|_| Err(gone())) };
            let (answers, spent) = within(due, told).await?;
            let tokens = answers.iter().flatten().map(|answer| answer.tokens).sum();
            trace::computed(&span, tokens, spent.waited, spent.ran);
            Ok(answers)
        })
    }

    fn aside(&self, terms: Terms, work: Aside) -> BoxFuture<'_, Result<Terms, Fault>> {
        // Here too a place is taken by calling.
        let (due, place) = (self.due(&terms), self.sideline.place(terms.owner));
        if place.is_err() {
            self.desk.pulse.refused.fetch_add(1, Relaxed);
        }
        Box::pin(async move {
            within(due, place?.work(work)).await?;
            let left = due.map(|due| due.saturating_duration_since(Instant::now()));
            Ok(Terms { timeout: left.or(terms.timeout), ..terms })
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
