//! One thread that runs the model, behind a bounded queue.
//!
//! Inference never runs on the listener's threads: a long text must not keep a health check
//! waiting. A job that panics answers with a fault and leaves the thread as it was.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use trireme_backend::Backend;
use trireme_domain::{Code, Fault};
use trireme_service::ports::{BoxFuture, Compute};
use trireme_service::{Answers, Engine, Job};

use crate::Shared;

/// How much may wait, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    /// Jobs that may wait; one more is refused.
    pub jobs: usize,
    /// The longest time from submission to answer.
    pub timeout: Duration,
}

impl Default for Queue {
    fn default() -> Self {
        Self { jobs: 512, timeout: Duration::from_secs(60) }
    }
}

type Reply = Result<Answers, Fault>;

struct Waiting {
    job: Job,
    /// `None` where the time allowed is longer than the clock can count.
    deadline: Option<Instant>,
    reply: oneshot::Sender<Reply>,
}

/// A [`Compute`] with a thread of its own.
pub struct Threads {
    queue: SyncSender<Waiting>,
    timeout: Duration,
}

impl Threads {
    /// Starts the thread, whose jobs run on `pool`; it ends when this value is dropped and its
    /// queue is empty.
    ///
    /// # Errors
    /// [`Code::Internal`] where the system gives no more threads.
    pub fn start<B: Backend>(engine: Engine<B>, pool: Shared, queue: Queue) -> Result<Self, Fault> {
        let no_thread = |e: std::io::Error| Fault::new(Code::Internal, format!("no thread: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(no_thread)?;
        let (sender, receiver) = sync_channel(queue.jobs);
        thread::Builder::new()
            .name("trireme-model".to_owned())
            .spawn(move || work(&engine, &pool, &runtime, &receiver))
            .map_err(no_thread)?;
        Ok(Self { queue: sender, timeout: queue.timeout })
    }
}

impl Compute for Threads {
    fn submit(&self, job: Job) -> BoxFuture<'_, Reply> {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now().checked_add(self.timeout);
        let sent = self.queue.try_send(Waiting { job, deadline, reply });
        Box::pin(async move {
            match sent {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(gone())),
                Err(TrySendError::Full(_)) => {
                    let message = "too many requests are waiting; try again in a second";
                    Err(Fault::new(Code::Overloaded, message))
                }
                Err(TrySendError::Disconnected(_)) => Err(gone()),
            }
        })
    }
}

fn gone() -> Fault {
    Fault::new(Code::ShuttingDown, "the compute thread has ended")
}

fn work<B: Backend>(
    engine: &Engine<B>,
    pool: &Shared,
    runtime: &Runtime,
    queue: &Receiver<Waiting>,
) {
    for Waiting { job, deadline, reply } in queue {
        let proceed = || match () {
            () if reply.is_closed() => Err(Fault::new(Code::Cancelled, "the caller left")),
            () if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                Err(Fault::new(Code::DeadlineExceeded, "the answer was not ready in time"))
            }
            () => Ok(()),
        };
        let run = || pool.run(|| runtime.block_on(engine.answer(&job, &proceed)));
        let answer = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
            Err(Fault::new(Code::Internal, "the model's thread panicked on this request"))
        });
        // Nobody waits any more where the caller left.
        drop(reply.send(answer));
    }
}
