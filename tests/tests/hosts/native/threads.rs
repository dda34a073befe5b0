//! The compute thread under bad luck: a full queue, a caller who leaves, a deadline, a panic.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use trireme_domain::batching::{Batching, Priority};
use trireme_domain::{Code, Fault, Retry};
use trireme_model::Cut;
use trireme_server::Queue;
use trireme_service::ports::Compute;
use trireme_service::{Answer, Answers, Job, Task, Terms, Text, all};

use super::gate::{Gate, Mood, threads};

fn job() -> Job {
    let texts = vec!["A quiet harbour.".to_owned().into()];
    Job { texts, task: Task::CLASSES, ..Job::default() }
}

fn wait(answer: impl Future<Output = Result<Answers, Fault>>) -> Result<Vec<Answer>, Fault> {
    all(runtime().block_on(answer)?)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

fn code(answer: Result<Vec<Answer>, Fault>) -> Option<Code> {
    answer.err().map(|fault| fault.code)
}

#[test]
fn a_full_queue_refuses_and_loses_nothing() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::of_texts(1));
    let running = threads.submit(job());
    gate.until(1);
    let waiting = threads.submit(job());
    assert_eq!(code(wait(threads.submit(job()))), Some(Code::Overloaded));
    gate.set(Mood::Work);
    assert_eq!(code(wait(running)), None, "the job that ran");
    assert_eq!(code(wait(waiting)), None, "the job that waited");
}

#[test]
fn a_caller_who_leaves_stops_the_pass_at_the_next_step() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::default());
    let leaves = threads.submit(job());
    gate.until(1);
    drop(leaves);
    gate.set(Mood::Work);
    assert_eq!(code(wait(threads.submit(job()))), None, "the next job is answered");
    let both = gate.calls.load(Ordering::SeqCst);
    assert_eq!(code(wait(threads.submit(job()))), None);
    let one = gate.calls.load(Ordering::SeqCst) - both;
    // The embedding is one call: the one that waited.
    assert_eq!(both - one, 1, "calls that were spent on the caller who left");
}

#[test]
fn a_caller_who_leaves_while_waiting_costs_nothing() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::default());
    let running = threads.submit(job());
    gate.until(1);
    drop(threads.submit(job()));
    gate.set(Mood::Work);
    assert_eq!(code(wait(running)), None);
    let one = gate.calls.load(Ordering::SeqCst);
    assert_eq!(code(wait(threads.submit(job()))), None);
    assert_eq!(gate.calls.load(Ordering::SeqCst), 2 * one);
}

#[test]
fn a_deadline_ends_a_job_between_steps() {
    let gate = Gate::new(Mood::Wait);
    let timeout = Duration::from_millis(50);
    let threads = threads(&gate, Queue { timeout, ..Queue::default() });
    let (submitted, late) = (Instant::now(), threads.submit(job()));
    gate.until(1);
    while submitted.elapsed() <= 2 * timeout {
        std::thread::yield_now();
    }
    gate.set(Mood::Work);
    assert_eq!(code(wait(late)), Some(Code::DeadlineExceeded));
    let calls = gate.calls.load(Ordering::SeqCst);
    assert_eq!(calls, 1, "the embedding, and nothing after it");
}

#[test]
fn a_step_that_hangs_leaves_no_request_unanswered() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::default());
    let timeout = Some(Duration::from_secs(3));
    let soon = || Job { terms: Terms { timeout, ..Terms::default() }, ..job() };
    let hangs = threads.submit(soon());
    gate.until(1);
    let waits = threads.submit(soon());
    for (case, answer) in [("whose step hangs", hangs), ("behind it", waits)] {
        let answer = async {
            let long = Duration::from_secs(60);
            tokio::time::timeout(long, answer).await.unwrap_or_else(|_| panic!("{case}: silence"))
        };
        assert_eq!(code(wait(answer)), Some(Code::DeadlineExceeded), "{case}");
    }
    let next = threads.submit(job());
    assert_eq!(threads.work().waiting, 1, "those who heard take no room");
    gate.set(Mood::Work);
    assert_eq!(code(wait(next)), None, "once the step is done");
    assert_eq!(threads.work().runs, 1, "nothing was run for those who had left");
}

#[test]
fn who_is_patient_waits_longer_than_a_request_may() {
    let gate = Gate::new(Mood::Work);
    let threads = threads(&gate, Queue { timeout: Duration::ZERO, ..Queue::default() });
    let terms = Terms { patient: true, ..Terms::default() };
    assert_eq!(code(wait(threads.submit(Job { terms, ..job() }))), None);
}

#[test]
fn a_job_whose_time_is_up_is_not_begun() {
    let gate = Gate::new(Mood::Work);
    let threads = threads(&gate, Queue { timeout: Duration::ZERO, ..Queue::default() });
    assert_eq!(code(wait(threads.submit(job()))), Some(Code::DeadlineExceeded));
    assert_eq!(gate.calls.load(Ordering::SeqCst), 0, "nothing was computed");
}

#[test]
fn a_time_allowed_beyond_all_clocks_is_no_deadline() {
    let gate = Gate::new(Mood::Work);
    let threads = threads(&gate, Queue { timeout: Duration::MAX, ..Queue::default() });
    assert_eq!(code(wait(threads.submit(job()))), None);
}

#[test]
fn a_panic_is_a_fault_of_its_own_request_only() {
    let gate = Gate::new(Mood::Panic);
    let threads = threads(&gate, Queue::default());
    assert_eq!(code(wait(threads.submit(job()))), Some(Code::Internal));
    gate.set(Mood::Work);
    assert_eq!(code(wait(threads.submit(job()))), None, "the next request is answered");
}

#[test]
fn a_bad_text_does_not_end_the_thread() {
    let gate = Gate::new(Mood::Work);
    let threads = threads(&gate, Queue::default());
    let no_room = Cut { max_tokens: Some(1), ..Cut::default() };
    let got = wait(threads.submit(Job { cut: no_room, ..job() }));
    assert_eq!(code(got), Some(Code::InvalidOption));
    assert_eq!(code(wait(threads.submit(job()))), None);
}

fn texts(texts: &[&str]) -> Job {
    Job { texts: texts.iter().map(|text| Text::from((*text).to_owned())).collect(), ..job() }
}

#[test]
fn texts_of_different_requests_run_together() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::default());
    let first = threads.submit(job());
    gate.until(1);
    let others: Vec<_> = (0..5).map(|_| threads.submit(job())).collect();
    gate.set(Mood::Work);
    let alone = wait(first).unwrap();
    for other in others {
        assert_eq!(wait(other).unwrap(), alone, "together the bits are the same");
    }
    let counts = threads.work();
    assert_eq!((counts.runs, counts.texts), (2, 6), "{counts:?}");
}

#[test]
fn different_tasks_run_apart() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::default());
    let first = threads.submit(job());
    gate.until(1);
    let vector = threads.submit(Job { task: Task::default(), ..job() });
    let classes = threads.submit(job());
    gate.set(Mood::Work);
    let lens = [first, vector, classes].map(|answer| wait(answer).unwrap()[0].values.len());
    assert_eq!(lens[0], lens[2], "classes");
    assert_ne!(lens[0], lens[1], "a vector");
    assert_eq!(threads.work().runs, 3);
}

#[test]
fn a_text_that_breaks_its_run_breaks_nobody_elses() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::default());
    let blocks = threads.submit(job());
    gate.until(1);
    let poison = "a quiet harbour with two oars and a net";
    let before = threads.submit(texts(&["a boat", "an oar"]));
    let mixed = threads.submit(texts(&["a boat", poison, "an oar"]));
    let alone = threads.submit(texts(&[poison]));
    let behind = threads.submit(texts(&["a boat"]));
    gate.set(Mood::Choke(9));
    drop(wait(blocks));
    let mixed: Vec<_> = runtime().block_on(mixed).unwrap().into_iter().map(|a| a.is_ok()).collect();
    assert_eq!(mixed, [true, false, true], "the culprit's neighbours in one request");
    assert_eq!(code(wait(alone)), Some(Code::Internal));
    assert_eq!(Code::Internal.retry(), Retry::Never, "it would break the next run, too");
    let (before, behind) = (wait(before).unwrap(), wait(behind).unwrap());
    assert_eq!(before[0], behind[0], "other requests");
    let counts = threads.work();
    assert!(counts.halved > 0 && counts.restarts == 0, "{counts:?}");
}

#[test]
fn a_request_is_let_in_whole_or_not_at_all() {
    let gate = Gate::new(Mood::Wait);
    let threads = threads(&gate, Queue::of_texts(3));
    let running = threads.submit(job());
    gate.until(1);
    let two = threads.submit(texts(&["a", "b"]));
    let fault = wait(threads.submit(texts(&["c", "d"]))).unwrap_err();
    assert_eq!(fault.code, Code::Overloaded);
    assert!(fault.after.is_some(), "it says when to try again");
    let one = threads.submit(texts(&["c"]));
    assert_eq!(threads.work().waiting, 3, "the refused request left no text behind");
    let four = wait(threads.submit(texts(&["a", "b", "c", "d"]))).unwrap_err();
    assert_eq!(four.code, Code::TooManyTexts, "no wait would help");
    gate.set(Mood::Work);
    assert_eq!([running, two, one].map(|answer| wait(answer).unwrap().len()), [1, 2, 1]);
}

#[test]
fn one_who_asks_for_much_does_not_hold_the_others_up() {
    let gate = Gate::new(Mood::Wait);
    let batching = Batching { max_texts: 4, ..Queue::default().batching };
    let threads = threads(&gate, Queue { batching, ..Queue::default() });
    let of = |owner, priority| Terms { owner, priority, ..Terms::default() };
    let running = threads.submit(job());
    gate.until(1);
    let much = Job { terms: of(1, Priority::Interactive), ..texts(&["a"; 40]) };
    let batch = Job { terms: of(2, Priority::Batch), ..texts(&["a"; 4]) };
    let little = Job { terms: of(3, Priority::Interactive), ..texts(&["a"]) };
    let (much, batch) = (threads.submit(much), threads.submit(batch));
    let mut little = pin!(threads.submit(little));
    gate.set(Mood::Work);
    drop(wait(running));
    runtime().block_on(little.as_mut()).unwrap();
    let then = threads.work();
    assert!(then.texts < 20, "the little request waited for {} texts", then.texts);
    assert_eq!((wait(much).unwrap().len(), wait(batch).unwrap().len()), (40, 4));
}

#[test]
fn a_model_whose_canary_falls_silent_is_not_ready_but_alive() {
    let gate = Gate::new(Mood::Wait);
    let every = Some(Duration::from_millis(1));
    let threads = threads(&gate, Queue { canary: every, ..Queue::default() });
    gate.until(1);
    let first = threads.vitals().unready;
    assert!(first.is_some_and(|why| why.contains("canary")), "nobody knows yet how it is");
    gate.set(Mood::Work);
    let until = |ready: bool| {
        while threads.vitals().unready.is_none() != ready {
            std::thread::yield_now();
        }
    };
    gate.until(8);
    until(true);
    gate.set(Mood::Panic);
    until(false);
    let vitals = threads.vitals();
    assert_eq!(vitals.stopped, None);
    assert!(vitals.unready.unwrap().contains("canary"));
    gate.set(Mood::Work);
    until(true);
    assert_eq!(code(wait(threads.submit(job()))), None);
}

#[test]
fn a_job_is_submitted_before_it_is_awaited() {
    // The queue's place is taken by calling, so that a burst is refused in the order it came.
    let gate = Gate::new(Mood::Work);
    let threads = threads(&gate, Queue::default());
    let mut answer = pin!(threads.submit(job()));
    gate.until(1);
    let runtime = runtime();
    let _timers = runtime.enter();
    let mut context = Context::from_waker(Waker::noop());
    while answer.as_mut().poll(&mut context).is_pending() {
        std::thread::yield_now();
    }
}
