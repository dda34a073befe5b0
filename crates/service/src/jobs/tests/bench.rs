//! A host whose model answers by rule and whose time is the test's.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use trireme_domain::batching::Priority;
use trireme_domain::jobs::Rules;
use trireme_domain::wire::{JobAnswer, JobKind, JobRequest, Kind, Origin, Pooling};
use trireme_domain::{Code, Fault};

use super::kept::Memory;
use crate::doubles::Reader;
use crate::engine::{Answer, Answers, Job, Task, Text, together};
use crate::jobs::{Asker, Jobs, Page, Worked};
use crate::ports::{BoxFuture, Clock, Compute, Entropy, Timer, Vitals};
use crate::{Identity, Models, Served, Service};

/// Milliseconds, as it is told; whoever sleeps makes them pass.
#[derive(Default)]
pub struct Hand(pub AtomicU64);

impl Hand {
    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as u64, SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(SeqCst))
    }
}

struct Shared(Arc<Hand>);

impl Clock for Shared {
    fn now(&self) -> Duration {
        self.0.now()
    }
}

impl Timer for Shared {
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        let due = self.0.now() + time;
        Box::pin(poll_fn(move |context| {
            let left = due.saturating_sub(self.0.now());
            if left.is_zero() {
                return Poll::Ready(());
            }
            // A little, so that others who sleep see their own moment too.
            self.0.pass(left.min(Duration::from_secs(1)));
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }
}

#[derive(Default)]
struct Numbers(AtomicU64);

impl Entropy for Numbers {
    fn id(&self) -> String {
        format!("id{}", self.0.fetch_add(1, SeqCst))
    }
}

/// Scores by the length of a text; those that begin with `bad` have none.
#[derive(Default)]
pub struct Rule {
    clock: Arc<Hand>,
    /// How long an answer takes.
    pub takes: Mutex<Duration>,
    /// What befalls the next requests.
    pub faults: Mutex<Vec<Fault>>,
    /// Why its thread does not go on.
    pub stopped: Mutex<Option<String>>,
    /// What befalls texts of the next request, by their places in it.
    pub spoilt: Mutex<Vec<(usize, Fault)>>,
    /// Texts of each request.
    pub asked: Mutex<Vec<usize>>,
}

impl Compute for Rule {
    fn submit(&self, job: Job) -> BoxFuture<'_, Result<Answers, Fault>> {
        assert_eq!(job.terms.priority, Priority::Batch, "jobs let others go first");
        assert!(job.terms.patient, "a job takes as long as it takes");
        self.asked.lock().unwrap().push(job.texts.len());
        let due = self.clock.now() + *self.takes.lock().unwrap();
        let mut faults = self.faults.lock().unwrap();
        let answers = match faults.is_empty() {
            true => {
                let mut answers: Answers =
                    job.texts.iter().map(|text| says(text, &job.task)).collect();
                for (at, fault) in std::mem::take(&mut *self.spoilt.lock().unwrap()) {
                    answers[at] = Err(fault);
                }
                together(answers)
            }
            false => Err(faults.remove(0)),
        };
        Box::pin(Due { clock: Arc::clone(&self.clock), due, answers: Some(answers) })
    }

    fn vitals(&self) -> Vitals {
        Vitals { stopped: self.stopped.lock().unwrap().clone(), unready: None }
    }

    fn capacity(&self) -> crate::ports::Capacity {
        crate::ports::Capacity { waiting: 16, batch_texts: 2, batch_tokens: 64 }
    }
}

fn says(text: &Text, task: &Task) -> Result<Answer, Fault> {
    if text.first.starts_with("bad") {
        return Err(Fault::new(Code::AnswerNotFinite, "not finite"));
    }
    let length = text.first.len() as f32;
    let values = match task {
        Task::Embed { .. } | Task::Tokens { .. } => vec![length, 0.5],
        Task::Classify { .. } => vec![1.0 / length, 1.0 - 1.0 / length],
    };
    Ok(Answer { values, tokens: 1, dropped: 0, id: None })
}

/// Answers that are there from a moment on.
struct Due {
    clock: Arc<Hand>,
    due: Duration,
    answers: Option<Result<Answers, Fault>>,
}

impl Future for Due {
    type Output = Result<Answers, Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.clock.now() < self.due {
            true => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            false => Poll::Ready(self.answers.take().unwrap()),
        }
    }
}

pub struct Bench {
    pub clock: Arc<Hand>,
    pub store: Arc<Memory>,
    pub rule: Arc<Rule>,
    pub service: Service,
}

impl Bench {
    /// A host with two models, `mood` for classes and `mini` for vectors alone.
    pub fn new() -> Self {
        let clock = Arc::<Hand>::default();
        let store = Arc::new(Memory { clock: Arc::clone(&clock), ..Memory::default() });
        let rule = Arc::new(Rule { clock: Arc::clone(&clock), ..Rule::default() });
        let models = Models::of(served("mood", &["bad", "good"], &rule));
        models.add(served("mini", &[], &rule));
        let mut jobs = Jobs::new(Arc::clone(&store) as _, Shared(Arc::clone(&clock)));
        jobs.rules =
            Rules { texts: 20, piece: 6, open: 2, page: 4, attempts: 3, ..Rules::default() };
        jobs.webhooks = ["hooks.example".to_owned()].into();
        let service = Service::new(models, Shared(Arc::clone(&clock)), Numbers::default());
        Self { clock, store, rule, service: Service { jobs: Some(jobs), ..service } }
    }

    pub fn submit(&self, request: JobRequest) -> Result<String, Fault> {
        self.submit_as(request, &Asker::default())
    }

    pub fn submit_as(&self, request: JobRequest, asker: &Asker) -> Result<String, Fault> {
        now(self.service.submit_job(request, asker.clone())).map(|standing| standing.job_id)
    }

    /// Takes up a job and works on it, once.
    pub fn work(&self) -> Result<Option<Worked>, Fault> {
        match now(self.service.take_job())? {
            Some(claimed) => now(self.service.work_on(claimed)).map(Some),
            None => Ok(None),
        }
    }

    /// Works until nothing is left to do.
    pub fn work_off(&self) {
        while self.work().unwrap().is_some() {}
    }

    pub fn job(&self, id: &str) -> JobAnswer {
        now(self.service.job(id, "", Page::default())).unwrap()
    }

    /// All results of a job, page by page.
    pub fn results(&self, id: &str) -> Vec<serde_json::Value> {
        let mut all = Vec::new();
        let mut from = Some(0);
        while let Some(at) = from {
            let page = Page { from: at, limit: None };
            let answer = now(self.service.job(id, "", page)).unwrap();
            if answer.results.is_empty() {
                break;
            }
            all.extend(answer.results);
            from = answer.next;
        }
        all
    }
}

fn served(name: &str, labels: &[&str], rule: &Arc<Rule>) -> Served {
    let origin = Origin {
        model: name.to_owned(),
        version: "1".to_owned(),
        digest: format!("{name}'s digest"),
        precision: "f32".to_owned(),
        place: "origin".to_owned(),
    };
    let identity = Identity {
        origin,
        kind: if labels.is_empty() { Kind::Embedding } else { Kind::Classifier },
        architecture: "bert",
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        several: false,
        dimensions: 2,
        pooling: Pooling::Mean,
        normalizes: true,
    };
    Served { identity, compute: Arc::clone(rule) as _, reader: Arc::new(Reader) }
}

/// Texts whose lengths tell them apart.
pub fn texts(count: usize) -> Vec<String> {
    (0..count).map(|at| "x".repeat(at + 2)).collect()
}

pub fn request(kind: JobKind, texts: Vec<String>) -> JobRequest {
    JobRequest {
        kind,
        texts,
        max_length: None,
        return_probabilities: None,
        normalize: None,
        pooling: None,
        dimensions: None,
        prompt: None,
        model: None,
        webhook: None,
    }
}

/// Nothing here waits for anything but the test's own time.
pub fn now<F: Future>(future: F) -> F::Output {
    const MOST: usize = 10_000;
    let mut future = pin!(future);
    for _ in 0..MOST {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
    panic!("it waits for something")
}
