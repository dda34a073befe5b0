//! Doing a job: pieces are answered and written down, one after another.
//!
//! A host may end between any two lines here. What is written stays; whoever takes the job up next
//! goes on behind it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use serde_json::json;
use trireme_domain::Fault;
use trireme_domain::jobs::{Next, Status};

use super::heart::Heart;
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
    Results(Vec<String>),
    /// The other texts would fare no better.
    Hopeless(Fault),
    Lost,
}

impl Service {
    /// Takes up the job that waits the longest, of those that the models here can answer.
    ///
    /// # Errors
    /// Faults of the store.
    pub async fn take_job(&self) -> Result<Option<Claimed>, Fault> {
        let jobs = self.jobs()?;
        let models = self.models.all();
        let answerers: Vec<_> =
            models.iter().map(|served| answerer(&served.identity.origin)).collect();
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
        let Claimed { hold, owner, mut attempts, order, texts, done } = claimed;
        let owner: Arc<str> = owner.into();
        if let Some(poison) = jobs.rules.poison(attempts) {
            return self.end(hold, Status::Failed, Some(poison)).await;
        }
        let order = match Order::read(&order) {
            Ok(order) => order,
            Err(fault) => return self.end(hold, Status::Failed, Some(fault)).await,
        };
        let Some(served) = self.answers_as(&order) else { return self.hand_back(hold).await };
        let (begun, mut from) = (self.clock.now(), done);
        let mut heart = Heart::new(jobs, self.clock.as_ref(), hold);
        while from < texts {
            if self.clock.now().saturating_sub(begun) >= jobs.rules.slice {
                return self.hand_back(heart.hold).await;
            }
            let room = served.compute.capacity().waiting;
            let count = jobs.rules.piece(room, attempts).min(texts - from);
            let piece = jobs.store.read_texts(&heart.hold.id, from, count).await?;
            // The texts of a job that was called off are gone.
            if piece.len() < count {
                return Ok(Worked::Lost);
            }
            let results = match self.answered(&mut heart, &served, (&order, &owner), piece).await? {
                Piece::Results(results) => results,
                Piece::Hopeless(fault) => {
                    return self.end(heart.hold, Status::Failed, Some(fault)).await;
                }
                Piece::Lost => return Ok(Worked::Lost),
            };
            if heart.append(from, results).await? == Held::Lost {
                return Ok(Worked::Lost);
            }
            from += count;
            // What went well may be larger next time.
            attempts -= u32::from(attempts > 1);
        }
        self.end(heart.hold, Status::Completed, None).await
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

    /// The results of a piece, asked for as often as it takes.
    async fn answered(
        &self,
        heart: &mut Heart<'_>,
        served: &Served,
        (order, owner): (&Order, &Arc<str>),
        texts: Vec<String>,
    ) -> Result<Piece, Fault> {
        let jobs = self.jobs()?;
        let mut tries = 0;
        loop {
            tries += 1;
            let asked = order.asked(turn(&heart.hold.id), owner);
            let batch = texts.iter().cloned().map(Text::from).collect();
            let answers = match heart.beside(self.each(served, batch, asked)).await? {
                Some(answers) => answers,
                None => return Ok(Piece::Lost),
            };
            let pause = match answers {
                Ok(answers) => return self.results(order, served, &texts, answers),
                Err(fault) => match jobs.rules.after(&fault, tries) {
                    Next::Wait(pause) => pause,
                    Next::Job => return Ok(Piece::Hopeless(fault)),
                    Next::Texts => {
                        let answers = texts.iter().map(|_| Err(fault.clone())).collect();
                        return self.results(order, served, &texts, answers);
                    }
                },
            };
            if heart.beside(jobs.timer.sleep(pause)).await?.is_none() {
                return Ok(Piece::Lost);
            }
        }
    }

    fn results(
        &self,
        order: &Order,
        served: &Served,
        texts: &[String],
        answers: Answers,
    ) -> Result<Piece, Fault> {
        if let Some(fault) = of_option(&answers) {
            return Ok(Piece::Hopeless(fault));
        }
        let each = texts.iter().zip(answers);
        let results = each.map(|(text, answer)| self.result(order, served, text, answer));
        Ok(Piece::Results(results.collect::<Result<_, _>>()?))
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
