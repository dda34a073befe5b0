//! Where work waits: who is let in, and what the thread takes next.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use trireme_domain::admission::{Backlog, Cost, Refusal};
use trireme_domain::batching::{Next, Queue as Line, Waiting};
use trireme_domain::{Code, Fault};
use trireme_service::ports::{Vitals, Work};
use trireme_service::{Cut, Job, Task, Terms, Text};

use super::pulse::Pulse;
use super::ticket::{Reply, Request, Ticket};
use super::{Queue, gone};

/// Bytes of a token, about; what waits is counted before it is read.
const BYTES: usize = 4;

/// Where work waits for the thread.
pub struct Desk {
    pub rules: Queue,
    /// The most tokens of a text that the model sees.
    most_tokens: usize,
    pub pulse: Pulse,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    line: Line<Ticket>,
    kinds: Kinds,
    cost: Cost,
    closed: bool,
}

/// A number for each task and its options, which texts that run together share.
#[derive(Default)]
struct Kinds(HashMap<(Task, Cut), u64>);

impl Kinds {
    /// Options that nobody asked for lately are forgotten; new numbers only part texts that could
    /// have run together.
    const MOST: usize = 1024;

    fn of(&mut self, kind: (Task, Cut), fresh: u64) -> u64 {
        if self.0.len() >= Self::MOST {
            self.0.clear();
        }
        *self.0.entry(kind).or_insert(fresh)
    }
}

/// What the thread does next.
pub enum Turn {
    /// Answers these texts, of one kind.
    Run(Vec<Ticket>),
    /// Nothing, for it was waited for so long; it looks after itself.
    Idle,
    /// Ends.
    End,
}

impl Desk {
    pub fn new(rules: Queue, most_tokens: usize) -> Self {
        Self {
            rules,
            most_tokens,
            pulse: Pulse::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a job in, or refuses it; all of its texts or none.
    pub fn take_in(&self, job: Job) -> Result<oneshot::Receiver<Reply>, Fault> {
        let Job { texts, task, cut, terms } = job;
        let now = self.pulse.now();
        let Terms { owner, priority, timeout, .. } = terms;
        let timeout = timeout.unwrap_or(self.rules.timeout).min(self.rules.timeout);
        let deadline = now.checked_add(timeout);
        let most = cut.max_tokens.unwrap_or(self.most_tokens).min(self.most_tokens);
        let tokens: Vec<usize> = texts.iter().map(|text| tokens_of(text).min(most)).collect();
        let asked = Backlog { texts: texts.len(), tokens: tokens.iter().sum() };
        let mut state = self.state();
        if state.closed {
            return Err(gone());
        }
        let inside = Backlog { texts: state.line.texts(), tokens: state.line.tokens() };
        let admitted =
            self.rules.admission.admit(inside, asked, &state.cost, now, deadline).map_err(refused);
        if let Err(fault) = admitted {
            self.pulse.refused.fetch_add(1, Relaxed);
            return Err(fault);
        }
        let fresh = self.pulse.runs.load(Relaxed).wrapping_shl(20) | state.kinds.0.len() as u64;
        let group = state.kinds.of((task.clone(), cut), fresh);
        let (request, answer) = Request::new(texts, (task, cut), now, deadline);
        for (ticket, tokens) in Ticket::all(&request).zip(tokens) {
            state.line.push(Waiting {
                ticket,
                group,
                owner,
                priority,
                tokens,
                since: now,
                deadline,
            });
        }
        drop(state);
        self.changed.notify_one();
        Ok(answer)
    }

    /// What is to be done next; waits for it, for so long at most.
    pub fn next(&self, patience: Option<Duration>) -> Turn {
        let mut state = self.state();
        let until = patience.and_then(|patience| self.pulse.now().checked_add(patience));
        loop {
            let now = self.pulse.now();
            for late in state.line.expired(now) {
                self.pulse.late.fetch_add(1, Relaxed);
                late.ticket.answer(Err(too_late()));
            }
            let company = match state.line.next(&self.rules.batching, now) {
                Next::Run(run) => {
                    let run: Vec<Ticket> = run.into_iter().map(|waiting| waiting.ticket).collect();
                    let wanted: Vec<Ticket> =
                        run.into_iter().filter(|ticket| !ticket.request.is_left()).collect();
                    if wanted.is_empty() {
                        continue;
                    }
                    return Turn::Run(wanted);
                }
                Next::Wait(until) => Some(until),
                Next::Empty if state.closed => return Turn::End,
                Next::Empty => None,
            };
            if until.is_some_and(|until| now >= until) {
                return Turn::Idle;
            }
            let wake = [company, until].into_iter().flatten().min();
            state = match wake {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(wake) => {
                    let wait = wake.saturating_sub(now);
                    let woken = self.changed.wait_timeout(state, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// A run took so long.
    pub fn observe(&self, tokens: usize, took: Duration) {
        self.state().cost.observe(tokens, took.as_secs_f64());
    }

    pub fn vitals(&self) -> Vitals {
        self.pulse.vitals()
    }

    pub fn work(&self) -> Work {
        self.pulse.work(self.state().line.texts())
    }

    /// Lets nobody in any more; what waits is answered.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }
}

/// About how many tokens a text has, with those around it.
fn tokens_of(text: &Text) -> usize {
    let bytes = text.first.len() + text.second.as_ref().map_or(0, String::len);
    2 + bytes.div_ceil(BYTES)
}

pub fn too_late() -> Fault {
    Fault::new(Code::DeadlineExceeded, "the answer was not ready in time")
}

fn refused(refusal: Refusal) -> Fault {
    let code = match refusal {
        Refusal::Full { .. } => Code::Overloaded,
        Refusal::TooLate { .. } => Code::DeadlineExceeded,
        Refusal::TooLarge { .. } => Code::TooManyTexts,
    };
    let fault = Fault::new(code, refusal.to_string());
    match refusal.retry_after() {
        Some(after) => fault.after(after),
        None => fault,
    }
}
