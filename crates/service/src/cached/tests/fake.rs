//! A compute that answers when it is told to, and a clock that goes when it is told to.

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use trireme_domain::wire::Origin;
use trireme_domain::{Code, Fault};

use crate::cached::{Cached, Memory};
use crate::engine::{Answer, Answers, Job, Text, together};
use crate::ports::{BoxFuture, Capacity, Clock, Compute, Vitals, Work};

pub type Reply = Result<Answers, Fault>;

/// Answers to texts, each its own; those that begin with `bad` have none.
#[derive(Default)]
pub struct Fake {
    /// The jobs that it got.
    pub jobs: Mutex<Vec<Job>>,
    /// Whether it keeps all waiting.
    pub holds: AtomicBool,
    /// What befalls the next jobs that would be answered.
    pub faults: Mutex<Vec<Fault>>,
    /// What its canary found.
    pub unready: Mutex<Option<String>>,
    /// Jobs whose callers left.
    pub left: AtomicUsize,
    wakers: Mutex<Vec<Waker>>,
}

impl Fake {
    /// The texts of each job.
    pub fn asked(&self) -> Vec<Vec<String>> {
        let texts = |job: &Job| job.texts.iter().map(|text| text.first.clone()).collect();
        self.jobs.lock().unwrap().iter().map(texts).collect()
    }

    pub fn hold(&self) {
        self.holds.store(true, SeqCst);
    }

    pub fn release(&self) {
        self.holds.store(false, SeqCst);
        self.wakers.lock().unwrap().drain(..).for_each(Waker::wake);
    }

    pub fn will_fail(&self, code: Code) {
        self.faults.lock().unwrap().push(Fault::new(code, "as it was told"));
    }

    /// The answer to a text, computed.
    pub fn says(text: &Text) -> Result<Answer, Fault> {
        if text.first.starts_with("bad") {
            return Err(Fault::new(Code::AnswerNotFinite, "not finite"));
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let bits = hasher.finish();
        let values = vec![f32::from_bits(bits as u32 & 0x7f7f_ffff), -0.0, bits as f32 / 3.0];
        Ok(Answer { values, tokens: text.first.len(), dropped: text.first.len() / 2, id: None })
    }
}

impl Compute for Fake {
    fn submit(&self, job: Job) -> BoxFuture<'_, Reply> {
        self.jobs.lock().unwrap().push(job.clone());
        Box::pin(Answering { fake: self, job, answered: false })
    }

    fn vitals(&self) -> Vitals {
        Vitals { stopped: None, unready: self.unready.lock().unwrap().clone() }
    }

    fn work(&self) -> Work {
        Work { texts: 7, ..Work::default() }
    }

    fn capacity(&self) -> Capacity {
        Capacity { waiting: 1, batch_texts: 2, batch_tokens: 3 }
    }
}

struct Answering<'a> {
    fake: &'a Fake,
    job: Job,
    answered: bool,
}

impl Future for Answering<'_> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        if self.fake.holds.load(SeqCst) {
            self.fake.wakers.lock().unwrap().push(context.waker().clone());
            return Poll::Pending;
        }
        self.answered = true;
        let mut faults = self.fake.faults.lock().unwrap();
        Poll::Ready(match faults.is_empty() {
            true => together(self.job.texts.iter().map(Fake::says).collect()),
            false => Err(faults.remove(0)),
        })
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.fake.left.fetch_add(usize::from(!self.answered), SeqCst);
    }
}

/// Milliseconds since it was made, as it is told.
#[derive(Default)]
pub struct Hand(pub AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(SeqCst))
    }
}

/// A compute, a clock, and a memory before them in which a job takes a second at most.
pub struct Bench {
    pub fake: Arc<Fake>,
    pub clock: Arc<Hand>,
    pub cached: Cached,
}

impl Bench {
    pub fn new(bytes: usize) -> Self {
        let (fake, clock) = (Arc::<Fake>::default(), Arc::<Hand>::default());
        let longest = Duration::from_secs(1);
        let memory = Memory { bytes, longest, clock: Arc::clone(&clock) as _ };
        let model = Origin {
            model: "m".into(),
            version: "1".into(),
            digest: "d".into(),
            precision: "int8".into(),
            place: "origin".into(),
        };
        let cached = Cached::new(Arc::clone(&fake) as _, &model, memory);
        Self { fake, clock, cached }
    }

    /// The answer to a job that nothing keeps waiting.
    pub fn ask(&self, job: Job) -> Reply {
        look(&mut self.cached.submit(job)).expect("the answer is there")
    }
}

/// The answer, if it is there.
pub fn look(answer: &mut BoxFuture<'_, Reply>) -> Option<Reply> {
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(reply) => Some(reply),
        Poll::Pending => None,
    }
}

/// Whether somebody was woken.
#[derive(Default)]
pub struct Bell(pub AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}
