//! What the thread does: runs, halves those that fail, and begins anew if it breaks itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::runtime::Runtime;
use trireme_backend::Backend;
use trireme_domain::{Code, Fault};
use trireme_service::{Answers, Engine, Job, Terms};

use super::canary::Canary;
use super::desk::{Desk, Turn, too_late};
use super::ticket::{Spent, Ticket};
use crate::Shared;

/// The thread's own.
pub struct Runner<B: Backend> {
    pub engine: Engine<B>,
    pub pool: Shared,
    pub runtime: Runtime,
    pub desk: Arc<Desk>,
}

impl<B: Backend> Runner<B> {
    /// Works until the desk is closed and empty. A panic outside a run ends nobody but those whose
    /// texts it held.
    pub fn work(&self) {
        while catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            self.desk.pulse.restarts.fetch_add(1, Relaxed);
        }
    }

    fn serve(&self) {
        let (mut canary, every) = (Canary::default(), self.desk.rules.canary);
        let mut due = every.map(|_| Duration::ZERO);
        loop {
            let now = self.desk.pulse.now();
            if let (Some(every), true) = (every, due.is_some_and(|due| now >= due)) {
                self.desk.pulse.busy(true);
                let answer = self.attempt(&Canary::job(), &|| Ok(()));
                // Asked afterwards: the model may have moved under the canary.
                self.desk.pulse.checked(canary.heard(answer, &self.engine.model()));
                due = Some(now.saturating_add(every));
            }
            self.desk.pulse.busy(false);
            match self.desk.next(due.map(|due| due.saturating_sub(self.desk.pulse.now()))) {
                Turn::Run(tickets) => {
                    self.desk.pulse.busy(true);
                    self.run(&tickets);
                }
                Turn::Idle => {}
                Turn::End => return,
            }
        }
    }

    /// Answers texts of one kind. A run that fails is halved until each text has an answer, or a
    /// fault of its own.
    fn run(&self, tickets: &[Ticket]) {
        let Some(first) = tickets.first() else { return };
        let pulse = &self.desk.pulse;
        let job = Job {
            texts: tickets.iter().filter_map(Ticket::text).cloned().collect(),
            task: first.request.task.clone(),
            cut: first.request.cut,
            terms: Terms::default(),
        };
        let begun = pulse.now();
        let answers = self.attempt(&job, &|| self.proceed(tickets));
        match answers {
            Ok(answers) => {
                let tokens = answers.iter().flatten().map(|answer| answer.tokens).sum();
                let took = pulse.now().saturating_sub(begun);
                let waited =
                    tickets.iter().map(|ticket| begun.saturating_sub(ticket.request.since));
                self.desk.observe(tokens, took);
                pulse.device_bytes.store(self.engine.device_bytes(), Relaxed);
                pulse.ran(tokens, took, waited.clone());
                for ((ticket, answer), waited) in tickets.iter().zip(answers).zip(waited) {
                    ticket.request.spend(Spent { waited, ran: took });
                    ticket.answer(answer);
                }
            }
            Err(fault) if tickets.len() == 1 || is_of_no_text(&fault) => {
                for ticket in tickets {
                    ticket.answer(Err(fault.clone()));
                }
            }
            Err(_) => {
                pulse.halved.fetch_add(1, Relaxed);
                let (low, high) = tickets.split_at(tickets.len() / 2);
                self.run(low);
                self.run(high);
            }
        }
    }

    /// Runs a job on the pool. A panic in it is a fault like any other.
    fn attempt(
        &self,
        job: &Job,
        proceed: &(dyn Fn() -> Result<(), Fault> + Sync),
    ) -> Result<Answers, Fault> {
        let pace = || {
            self.desk.pulse.beat();
            proceed()?;
            self.desk.pulse.steps.fetch_add(1, Relaxed);
            Ok(())
        };
        let run = || self.pool.run(|| self.runtime.block_on(self.engine.answer(job, &pace)));
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
            Err(Fault::new(Code::Internal, "the model's thread panicked on this text"))
        })
    }

    /// Whether the next step is worth it: somebody still waits, and has time.
    fn proceed(&self, tickets: &[Ticket]) -> Result<(), Fault> {
        let now = self.desk.pulse.now();
        let is_late = |ticket: &&Ticket| ticket.request.deadline.is_some_and(|due| now >= due);
        let mut there = tickets.iter().filter(|ticket| !ticket.request.is_left()).peekable();
        if there.peek().is_none() {
            return Err(Fault::new(Code::Cancelled, "the caller left"));
        }
        if there.all(|ticket| is_late(&ticket)) { Err(too_late()) } else { Ok(()) }
    }
}

/// Whether a run ended because nobody waits for it or nothing computes it, and not because of a text.
fn is_of_no_text(fault: &Fault) -> bool {
    matches!(fault.code, Code::Cancelled | Code::DeadlineExceeded | Code::DeviceLost)
}
