//! Where work waits: who is let in, and what the thread takes next.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use trireme_domain::admission::{Backlog, Cost, Inside, Refusal};
use trireme_domain::batching::{Next, Queue as Line, Waiting};
use trireme_domain::{Code, Fault};
use trireme_service::ports::{Vitals, Work};
use trireme_service::{Cut, Job, Task, Terms, Text};

use super::pulse::Pulse;
use super::ticket::{Reply, Request, Ticket};
use super::{Queue, gone};
use crate::runtime::PAUSE;

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
    /// Tokens of the run that the thread took last and is not done with.
    running: usize,
    closed: bool,
}

impl State {
    /// Answers what waited past its deadline.
    fn expire(&mut self, now: Duration, pulse: &Pulse) {
        for late in self.line.expired(now) {
            pulse.late.fetch_add(1, Relaxed);
            late.ticket.answer(Err(too_late()));
        }
    }
}

/// A number for each task and its options, which texts that run together share.
#[derive(Default)]
struct Kinds {
    known: HashMap<(Task, Cut), u64>,
    /// Numbers that were given. None is given twice: texts of a kind that was forgotten may still
    /// wait, and who ran with them would be answered as they are.
    given: u64,
}

impl Kinds {
    /// Options that nobody asked for lately are forgotten; new numbers only part texts that could
    /// have run together.
    const MOST: usize = 1024;

    fn of(&mut self, kind: (Task, Cut)) -> u64 {
        if self.known.len() >= Self::MOST {
            self.known.clear();
        }
        *self.known.entry(kind).or_insert_with(|| {
            self.given += 1;
            self.given
        })
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
        let deadline = terms.time(self.rules.timeout).and_then(|time| now.checked_add(time));
        let Terms { owner, priority, patient, .. } = terms;
        let most = cut.max_tokens.unwrap_or(self.most_tokens).min(self.most_tokens);
        let tokens: Vec<usize> = texts.iter().map(|text| tokens_of(text).min(most)).collect();
        let asked = Backlog { texts: texts.len(), tokens: tokens.iter().sum() };
        let mut state = self.state();
        if state.closed {
            return Err(gone());
        }
        // Not only between two runs: where the thread hangs, the room is theirs who have time.
        state.expire(now, &self.pulse);
        let found = state.line.found_by(owner, priority, asked.tokens);
        let inside = Inside { running: state.running, ..found };
        let admitted =
            self.rules.admission.admit(inside, asked, priority, &state.cost, now, deadline);
        if let Err(refusal) = admitted {
            self.pulse.refused.fetch_add(1, Relaxed);
            // A job asks from within, and again.
            if !patient {
                let tokens = inside.waiting.tokens.saturating_add(inside.running);
                PAUSE.allow(refusal.pause(state.cost.predict_runs(tokens)));
            }
            return Err(refused(refusal));
        }
        let group = state.kinds.of((task.clone(), cut));
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
        state.running = 0;
        let until = patience.and_then(|patience| self.pulse.now().checked_add(patience));
        loop {
            let now = self.pulse.now();
            state.expire(now, &self.pulse);
            let company = match state.line.next(&self.rules.batching, now) {
                Next::Run(mut run) => {
                    run.retain(|waiting| !waiting.ticket.request.is_left());
                    if run.is_empty() {
                        continue;
                    }
                    state.running = run.iter().map(|waiting| waiting.tokens).sum();
                    return Turn::Run(run.into_iter().map(|waiting| waiting.ticket).collect());
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
        self.pulse.vitals(self.rules.canary)
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

#[cfg(test)]
mod tests {
    use trireme_domain::batching::Priority;

    use super::*;

    const MOST: usize = 100;

    fn desk(rules: Queue) -> Desk {
        Desk::new(rules, MOST)
    }

    /// So many texts that are as long as the model sees.
    fn job(texts: usize, terms: Terms) -> Job {
        Job { texts: vec![Text::from("a".repeat(1000)); texts], terms, ..Job::default() }
    }

    fn of(owner: u64, priority: Priority) -> Terms {
        Terms { owner, priority, ..Terms::default() }
    }

    fn code(taken: &Result<oneshot::Receiver<Reply>, Fault>) -> Option<Code> {
        taken.as_ref().err().map(|fault| fault.code)
    }

    #[test]
    fn texts_of_different_kinds_never_run_together_however_many_kinds_there_are() {
        let desk = desk(Queue::of_texts(4 * Kinds::MOST));
        let kinds = 0..2 * Kinds::MOST + 100;
        let cut = |kind| Cut { max_tokens: Some(kind + 10), ..Cut::default() };
        let ask = |kind| desk.take_in(Job { cut: cut(kind), ..job(1, Terms::default()) }).unwrap();
        let _answers: Vec<_> = kinds.clone().map(ask).collect();
        for kind in kinds {
            let Turn::Run(run) = desk.next(Some(Duration::ZERO)) else { panic!("{kind} is lost") };
            let cuts: Vec<Cut> = run.iter().map(|ticket| ticket.request.cut).collect();
            assert_eq!(cuts, [cut(kind)]);
        }
    }

    #[test]
    fn whoever_fills_the_room_with_batch_work_anothers_text_for_a_screen_comes_in() {
        let desk = desk(Queue::of_texts(8));
        let [urgent, calm] = [Priority::Interactive, Priority::Batch];
        let mut answers = Vec::new();
        for (case, texts, terms, expected) in [
            ("one fills the room", 8, of(1, calm), None),
            ("and gets no more", 1, of(1, calm), Some(Code::Overloaded)),
            ("another", 1, of(2, urgent), None),
            ("the same, with what goes before that", 1, of(1, urgent), None),
            ("now all is full", 1, of(3, urgent), Some(Code::Overloaded)),
        ] {
            let taken = desk.take_in(job(texts, terms));
            assert_eq!(code(&taken), expected, "{case}");
            answers.push(taken);
        }
        let Turn::Run(run) = desk.next(None) else { panic!("there is work") };
        assert_eq!(run.len(), 8 + 2, "nobody who was let in is lost");
    }

    #[test]
    fn only_what_goes_before_is_believed_to_make_a_text_late() {
        let desk = desk(Queue::default());
        let [urgent, calm] = [Priority::Interactive, Priority::Batch];
        for _ in 0..10 {
            desk.observe(MOST, Duration::from_secs(1));
        }
        let soon = Some(Duration::from_secs(30));
        let ask = |texts, terms| desk.take_in(job(texts, terms));
        let _much = ask(100, of(1, calm)).unwrap();
        let late = ask(1, Terms { timeout: soon, ..of(1, calm) });
        assert_eq!(code(&late), Some(Code::DeadlineExceeded), "behind much of its own");
        let hurried = |owner| ask(1, Terms { timeout: soon, ..of(owner, urgent) });
        let _first = hurried(2).unwrap();
        let _more = ask(100, Terms { patient: true, ..of(1, urgent) }).unwrap();
        let _second = hurried(3).unwrap();
        let behind = hurried(1);
        assert_eq!(code(&behind), Some(Code::DeadlineExceeded), "its own goes before");
    }
}
