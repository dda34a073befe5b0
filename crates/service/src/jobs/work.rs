//! Doing a job: pieces are answered and written down, one behind the other. While one is written,
//! the next is being answered.
//!
//! A host may end between any two lines here. What is written stays; whoever takes the job up next
//! goes on behind it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use serde_json::json;
use trireme_domain::Fault;
use trireme_domain::jobs::{Next, Status};

use super::Jobs;
use super::heart::beside;
use super::order::{Order, answerer};
use crate::Service;
use crate::engine::{Answers, Text};
use crate::predict::of_option;
use crate::served::Served;
use crate::store::{Claimed, Ending, Held, Hold};

/// What a worker left a job as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// It is over.
    Ended(Status),
    /// Others get their turn before it is gone on with.
    HandedBack,
    /// Somebody else has it, or called it off.
    Lost,
}

/// What came of a piece.
enum Piece {
    /// Of its first text on.
    Results(usize, Vec<String>),
    /// The other texts would fare no better.
    Hopeless(Fault),
}

/// Why no further piece is answered.
enum Left {
    /// There is none.
    Done,
    /// Others waited for long enough.
    Turn,
    /// The other texts would fare no better.
    Hopeless(Fault),
    Lost,
}

/// A job in work.
struct Work<'a> {
    jobs: &'a Jobs,
    hold: &'a Hold,
    served: &'a Served,
    order: &'a Order,
    owner: &'a Arc<str>,
}

impl Service {
    /// Takes up the job that waits the longest, of those that the models here can answer. One whose
    /// thread hangs can't.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn take_job(&self) -> Result<Option<Claimed>, Fault> {
        let jobs = self.jobs()?;
        let models = self.models.all();
        let live = models.iter().filter(|served| served.live().is_ok());
        let answerers: Vec<_> = live.map(|served| answerer(&served.identity.origin)).collect();
        if answerers.is_empty() {
            return Ok(None);
        }
        Ok(jobs.store.claim_job(answerers, jobs.rules.lease).await?)
    }

    /// Goes on with a job that was taken up, until it is over or others have waited for long enough.
    /// Dropped halfway, it leaves a job that can be handed back.
    ///
    /// # Errors
    /// Faults of the store; what is wrong with the job is the job's own.
    pub async fn work_on(&self, claimed: Claimed) -> Result<Worked, Fault> {
        let jobs = self.jobs()?;
        let Claimed { hold, owner, attempts, order, texts, done } = claimed;
        if let Some(poison) = jobs.rules.poison(attempts) {
            return self.end(hold, Status::Failed, Some(poison)).await;
        }
        let order = match Order::read(&order) {
            Ok(order) => order,
            Err(fault) => return self.end(hold, Status::Failed, Some(fault)).await,
        };
        let Some(served) = self.answers_as(&order) else { return self.hand_back(hold).await };
        let (order, owner) = (&order, &owner.into());
        let work = Work { jobs, hold: &hold, served: &served, order, owner };
        let pieces = self.pieces(&work, done..texts, attempts);
        match beside(jobs, &hold, &served, pieces).await? {
            Some(Left::Done) => self.end(hold, Status::Completed, None).await,
            Some(Left::Turn) => self.hand_back(hold).await,
            Some(Left::Hopeless(fault)) => self.end(hold, Status::Failed, Some(fault)).await,
            Some(Left::Lost) | None => Ok(Worked::Lost),
        }
    }

    /// Answers pieces of these texts and writes their results down, in order.
    async fn pieces(
        &self,
        work: &Work<'_>,
        texts: Range<usize>,
        mut attempts: u32,
    ) -> Result<Left, Fault> {
        let Jobs { rules, store, .. } = work.jobs;
        let (begun, mut asked) = (self.clock.now(), texts.start);
        let mut running = FuturesOrdered::new();
        loop {
            let in_turn = self.clock.now().saturating_sub(begun) < rules.slice;
            let room = work.served.compute.capacity().waiting;
            let (pieces, count) = rules.pieces(room, attempts);
            while in_turn && asked < texts.end && running.len() < pieces {
                // A piece is a request, and no larger than one may be.
                let count = count.min(self.limits.texts).min(texts.end - asked);
                // Not by the piece itself: it would hold the store while nobody looks after it.
                let piece = store.read_texts(&work.hold.id, asked, count).await?;
                // The texts of a job that was called off are gone.
                if piece.len() < count {
                    return Ok(Left::Lost);
                }
                running.push_back(self.piece(work, asked, piece));
                asked += count;
            }
            let Some(piece) = running.next().await else {
                return Ok(if asked < texts.end { Left::Turn } else { Left::Done });
            };
            let (from, results) = match piece? {
                Piece::Results(from, results) => (from, results),
                Piece::Hopeless(fault) => return Ok(Left::Hopeless(fault)),
            };
            let hold = work.hold.clone();
            if store.append_results(hold, from, results, rules.lease).await? == Held::Lost {
                return Ok(Left::Lost);
            }
            // What went well may be larger next time.
            attempts -= u32::from(attempts > 1);
        }
    }

    /// Hands a job back, for whoever takes it up next.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn hand_back(&self, hold: Hold) -> Result<Worked, Fault> {
        Ok(match self.jobs()?.store.release_job(hold).await? {
            Held::Still => Worked::HandedBack,
            Held::Lost => Worked::Lost,
        })
    }

    /// The model that a job was brought to, if it is here.
    fn answers_as(&self, order: &Order) -> Option<Arc<Served>> {
        let wanted = answerer(&order.origin);
        self.models.all().into_iter().find(|served| answerer(&served.identity.origin) == wanted)
    }

    /// The results of texts. Those with a fault that may pass are asked for again, as often as it
    /// takes.
    async fn piece(
        &self,
        work: &Work<'_>,
        from: usize,
        texts: Vec<String>,
    ) -> Result<Piece, Fault> {
        let Work { jobs, hold, served, order, owner } = work;
        let mut answers = BTreeMap::new();
        let (mut left, mut tries) = (Vec::from_iter(0..texts.len()), 0);
        loop {
            tries += 1;
            let asked = order.asked(turn(&hold.id), owner);
            let batch = left.iter().map(|&at| Text::from(texts[at].clone())).collect();
            let got = match self.each(served, batch, asked).await {
                Ok(answers) => answers,
                Err(fault) if jobs.rules.after(&fault, tries) == Next::Job => {
                    return Ok(Piece::Hopeless(fault));
                }
                Err(fault) => left.iter().map(|_| Err(fault.clone())).collect(),
            };
            let (mut again, mut longest) = (Vec::new(), Duration::ZERO);
            for (at, answer) in left.into_iter().zip(got) {
                match answer.as_ref().err().map(|fault| jobs.rules.after(fault, tries)) {
                    Some(Next::Wait(pause)) => {
                        again.push(at);
                        longest = longest.max(pause);
                    }
                    _ => drop(answers.insert(at, answer)),
                }
            }
            if again.is_empty() {
                break;
            }
            left = again;
            jobs.timer.sleep(longest).await;
        }
        let answers: Answers = answers.into_values().collect();
        if let Some(fault) = of_option(&answers) {
            return Ok(Piece::Hopeless(fault));
        }
        let each = texts.iter().zip(answers);
        let results = each.map(|(text, answer)| self.result(order, served, text, answer));
        Ok(Piece::Results(from, results.collect::<Result<_, _>>()?))
    }

    async fn end(&self, hold: Hold, status: Status, error: Option<Fault>) -> Result<Worked, Fault> {
        let ending = self.ending(&hold.id, status, error)?;
        Ok(match self.jobs()?.store.end_job(hold, ending).await? {
            Held::Still => Worked::Ended(status),
            Held::Lost => Worked::Lost,
        })
    }

    /// How a job ends, with the notice for whoever wanted one.
    pub(super) fn ending(
        &self,
        id: &str,
        status: Status,
        error: Option<Fault>,
    ) -> Result<Ending, Fault> {
        let keep = self.jobs()?.rules.keep;
        let kind = format!("job.{}", status.name());
        let body = json!({"type": kind, "data": {"job_id": id, "status": status}}).to_string();
        Ok(Ending { status, error, notice: (self.entropy.id(), body), keep })
    }
}

/// Whose turn it is: each job takes its own.
fn turn(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
