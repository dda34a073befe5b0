//! Answers that are remembered, and texts that run once however many ask for them at once.
//!
//! Requests wait for each other's runs here, so this is for hosts whose requests may share a future;
//! those of a Worker may not.

mod board;
mod key;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join_all, try_join};
use trireme_domain::wire::Origin;
use trireme_domain::{Class, Code, Fault};

use crate::engine::{Answer, Answers, Job, Text, together};
use crate::ports::{Aside, BoxFuture, Capacity, Clock, Compute, Vitals, Work};
use crate::service::{Asked, Caching, Terms};
use board::{Board, Found, Landing, Promise, Ran, Run};
use key::{Key, Prefix};

/// What a model's answers are remembered with.
#[derive(Clone)]
pub struct Memory {
    /// Bytes of answers, at most.
    pub bytes: usize,
    /// The longest that a job may take, where it does not say less.
    pub longest: Duration,
    /// The host's time, for what is left of a job's own.
    pub clock: Arc<dyn Clock>,
}

/// A [`Compute`] that is asked only for what it has not answered before, and is not answering now.
pub struct Cached {
    compute: Arc<dyn Compute>,
    model: Prefix,
    board: Arc<Board>,
    longest: Duration,
    clock: Arc<dyn Clock>,
}

impl Cached {
    /// Remembers what `compute` says for this model.
    #[must_use]
    pub fn new(compute: Arc<dyn Compute>, model: &Origin, memory: Memory) -> Self {
        let Memory { bytes, longest, clock } = memory;
        let board = Arc::new(Board::new(bytes));
        Self { compute, model: Prefix::of(model), board, longest, clock }
    }
}

impl Compute for Cached {
    fn submit(&self, job: Job) -> BoxFuture<'_, Result<Answers, Fault>> {
        if job.terms.caching == Caching::Off {
            return self.compute.submit(job);
        }
        let plan = self.plan(job);
        Box::pin(self.answer(plan))
    }

    fn vitals(&self) -> Vitals {
        self.compute.vitals()
    }

    fn work(&self) -> Work {
        Work { remembered: self.board.counts(), ..self.compute.work() }
    }

    fn capacity(&self) -> Capacity {
        self.compute.capacity()
    }

    fn aside(&self, terms: Terms, work: Aside) -> BoxFuture<'_, Result<Terms, Fault>> {
        self.compute.aside(terms, work)
    }
}

/// Where the answers of a job come from.
struct Plan {
    /// For each text its place among those that differ.
    order: Vec<usize>,
    differing: Vec<Source>,
    /// The run that this job began.
    ours: Option<Run>,
    /// Those that it waits for.
    theirs: Vec<Run>,
    asked: Asked,
    due: Duration,
}

/// Where the answer to a text comes from.
enum Source {
    Memory(Answer),
    /// The job's own run, at this place.
    Ours(usize),
    Theirs(Joined),
}

/// A text that is answered in another job's run, if that goes well.
struct Joined {
    run: usize,
    at: usize,
    key: Key,
    text: Text,
}

impl Cached {
    fn plan(&self, job: Job) -> Plan {
        let Job { texts, task, cut, terms } = job;
        let time = terms.time(self.longest);
        let due = time.map_or(Duration::MAX, |time| self.clock.now().saturating_add(time));
        let promise = Promise { due, priority: terms.priority, texts: texts.len() };
        let prefix = self.model.and(&(&task, cut));
        let keyed: Vec<(Key, Text)> =
            texts.into_iter().map(|text| (prefix.and(&text).key(), text)).collect();

        let mut places: HashMap<Key, usize> = HashMap::with_capacity(keyed.len());
        let (mut order, mut differing) = (Vec::with_capacity(keyed.len()), Vec::new());
        let (mut wanted, mut keys, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        // Runs outlive this lock: what ends with the last of them takes it too.
        let mut board = self.board.lock();
        for (key, text) in keyed {
            let place = match places.entry(key) {
                Entry::Occupied(place) => {
                    board.counts.joined += 1;
                    *place.get()
                }
                Entry::Vacant(place) => {
                    let found = match terms.caching {
                        Caching::Usual => board.find(&key, promise, &mut theirs),
                        Caching::Renew | Caching::Off => None,
                    };
                    differing.push(match found {
                        Some(Found::Answer(answer)) => Source::Memory(answer),
                        Some(Found::Run { run, at }) => {
                            Source::Theirs(Joined { run, at, key, text })
                        }
                        None => {
                            wanted.push(text);
                            keys.push(key);
                            Source::Ours(wanted.len() - 1)
                        }
                    });
                    *place.insert(differing.len() - 1)
                }
            };
            order.push(place);
        }
        board.counts.misses += wanted.len() as u64;
        let asked = Asked { task, cut, terms };
        let ours = (!wanted.is_empty()).then(|| {
            let landing = board.landing(&self.board, keys);
            let run = self.run(job_of(wanted, &asked), landing.clone());
            board.depart(&landing, &run, promise);
            run
        });
        drop(board);
        Plan { order, differing, ours, theirs, asked, due }
    }

    /// A run that ends early only where all who wait for it leave.
    fn run(&self, job: Job, landing: Arc<Landing>) -> Run {
        let compute = Arc::clone(&self.compute);
        let run = async move {
            let answers = compute.submit(job).await?;
            landing.keep(&answers, &compute.vitals());
            Ok(Arc::new(answers))
        };
        (Box::pin(run) as BoxFuture<'static, Ran>).shared()
    }

    async fn answer(&self, plan: Plan) -> Result<Answers, Fault> {
        let Plan { order, differing, ours, theirs, asked, due } = plan;
        let ours = async {
            match ours {
                Some(run) => run.await.map_or_else(of_texts, |ran| Ok(Ok(ran))),
                None => Ok(Ok(Arc::default())),
            }
        };
        let (ours, theirs) = try_join(ours, join_all(theirs).map(Ok)).await?;
        let mut failed = Vec::new();
        let mut answers: Answers = Vec::with_capacity(differing.len());
        for source in differing {
            answers.push(match source {
                Source::Memory(answer) => Ok(answer),
                Source::Ours(at) => outcome(Some(&ours), at),
                Source::Theirs(joined) => {
                    let outcome = outcome(theirs.get(joined.run), joined.at);
                    if outcome.as_ref().is_err_and(is_of_request) {
                        failed.push((answers.len(), joined));
                    }
                    outcome
                }
            });
        }
        if !failed.is_empty() {
            self.answer_alone(failed, &asked, due, &mut answers).await?;
        }
        let in_order = order.into_iter().filter_map(|place| answers.get(place).cloned());
        together(in_order.collect())
    }

    /// Answers what others were to answer and did not, for a reason of theirs, in the time that is
    /// left.
    async fn answer_alone(
        &self,
        failed: Vec<(usize, Joined)>,
        asked: &Asked,
        due: Duration,
        answers: &mut Answers,
    ) -> Result<(), Fault> {
        let (places, (keys, texts)): (Vec<usize>, (Vec<Key>, Vec<Text>)) =
            failed.into_iter().map(|(place, text)| (place, (text.key, text.text))).unzip();
        let mut job = job_of(texts, asked);
        job.terms.timeout = Some(due.saturating_sub(self.clock.now()));
        let ran = self.compute.submit(job).await.map(Arc::new).map_or_else(of_texts, |r| Ok(Ok(r)));
        let ran = ran?;
        if let Ok(ran) = &ran {
            self.board.keep(&keys, ran, &self.compute.vitals());
        }
        for (at, place) in places.into_iter().enumerate() {
            if let Some(answer) = answers.get_mut(place) {
                *answer = outcome(Some(&ran), at);
            }
        }
        Ok(())
    }
}

fn job_of(texts: Vec<Text>, asked: &Asked) -> Job {
    Job { texts, task: asked.task.clone(), cut: asked.cut, terms: asked.terms.clone() }
}

fn outcome(ran: Option<&Ran>, at: usize) -> Result<Answer, Fault> {
    let nothing = || Err(Fault::new(Code::Internal, "the text got no answer"));
    match ran {
        Some(Ok(answers)) => answers.get(at).cloned().unwrap_or_else(nothing),
        Some(Err(fault)) => Err(fault.clone()),
        None => nothing(),
    }
}

/// A fault of a run as that of each of its texts, so that those which are remembered keep their
/// answers; but one of the request is its whole answer.
fn of_texts(fault: Fault) -> Result<Ran, Fault> {
    if is_of_request(&fault) { Err(fault) } else { Ok(Err(fault)) }
}

/// Whether a fault says nothing of the text: another who asks for it may well get an answer.
fn is_of_request(fault: &Fault) -> bool {
    fault.code.class() == Class::Busy || fault.code == Code::TooManyTexts
}
