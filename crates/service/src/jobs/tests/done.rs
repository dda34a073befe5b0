//! Jobs are done: whole, in order, once, whatever happens on the way.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use serde_json::{Value, json};
use trireme_domain::jobs::Status;
use trireme_domain::wire::{JobKind, JobRequest};
use trireme_domain::{Code, Fault};

use super::bench::{Bench, now, request, texts};
use crate::jobs::{Page, Worked};
use crate::ports::Clock as _;

const MINUTE: Duration = Duration::from_secs(60);

/// What a classified text's result says of it.
fn confidences(results: &[Value]) -> Vec<Option<f64>> {
    results.iter().map(|result| result["confidence"].as_f64()).collect()
}

fn expected(count: usize) -> Vec<Option<f64>> {
    let score = |text: &String| f64::from(1.0 - 1.0 / text.len() as f32);
    let rounded = |score: f64| format!("{}", score as f32).parse().ok();
    texts(count).iter().map(score).map(rounded).collect()
}

#[test]
fn every_text_gets_its_result_in_order_and_by_pages() {
    let bench = Bench::new();
    let id = bench.submit(request(JobKind::Classify, texts(10))).unwrap();
    let waiting = bench.job(&id);
    assert_eq!((waiting.status, waiting.progress), (Status::Processing, 0.0));
    assert_eq!((waiting.results.len(), waiting.next), (0, Some(0)));
    assert_eq!(bench.work(), Ok(Some(Worked::Ended(Status::Completed))));
    let done = bench.job(&id);
    assert_eq!((done.status, done.progress, done.done), (Status::Completed, 1.0, 10));
    assert_eq!((done.results.len(), done.next), (4, Some(4)), "a page");
    assert_eq!(confidences(&bench.results(&id)), expected(10));
    assert_eq!(*bench.rule.asked.lock().unwrap(), [3, 3, 3, 1], "texts of each piece");
    let last = now(bench.service.job(&id, "", Page { from: 9, limit: Some(9) })).unwrap();
    assert_eq!((last.results.len(), last.next), (1, None));
    let behind = now(bench.service.job(&id, "", Page { from: 99, limit: None })).unwrap();
    assert_eq!((behind.results.len(), behind.next), (0, None));
}

#[test]
fn each_kind_has_results_as_its_route_says_them() {
    let bench = Bench::new();
    let mixed = vec!["xxxx".to_owned(), "bad one".to_owned(), " ".to_owned()];
    for (kind, good, bad) in [
        (JobKind::Classify, json!("good"), json!(null)),
        (JobKind::Sentiment, json!("good"), json!("bad one")),
        (JobKind::Embed, json!(null), json!(null)),
    ] {
        let id = bench.submit(request(kind, mixed.clone())).unwrap();
        bench.work_off();
        let results = bench.results(&id);
        assert_eq!(results.len(), 3, "{kind:?}");
        assert_eq!(results[0]["label"], good, "{kind:?}");
        assert_eq!(results[0]["embedding"].is_array(), kind == JobKind::Embed, "{kind:?}");
        assert_eq!(results[1]["text"], bad, "{kind:?}");
        assert_eq!(results[1]["error"]["code"], "answer_not_finite", "{kind:?}");
        assert_eq!(results[2]["error"]["code"], "empty_text", "{kind:?}");
        assert_eq!(bench.job(&id).status, Status::Completed, "a bad text spoils no job");
    }
}

#[test]
fn a_host_that_breaks_down_anywhere_costs_no_result_and_doubles_none() {
    for unheard in [false, true] {
        for broken in 0..20 {
            let bench = Bench::new();
            let id = bench.submit(request(JobKind::Classify, texts(10))).unwrap();
            *bench.store.left.lock().unwrap() = Some(broken);
            *bench.store.unheard.lock().unwrap() = unheard;
            let broke = bench.work().is_err();
            *bench.store.left.lock().unwrap() = None;
            bench.clock.pass(MINUTE);
            bench.work_off();
            let case = format!("verb {broken}, unheard: {unheard}, it broke: {broke}");
            assert_eq!(bench.job(&id).status, Status::Completed, "{case}");
            assert_eq!(confidences(&bench.results(&id)), expected(10), "{case}");
            assert!(broke || broken >= 10, "{case}");
        }
    }
}

#[test]
fn an_overload_is_waited_out_with_signs_of_life() {
    let bench = Bench::new();
    let id = bench.submit(request(JobKind::Classify, texts(2))).unwrap();
    let busy = Fault::new(Code::Overloaded, "full").after(Duration::from_secs(5));
    *bench.rule.faults.lock().unwrap() = vec![busy; 60];
    assert_eq!(bench.work(), Ok(Some(Worked::Ended(Status::Completed))));
    let beats = bench.store.beats.load(SeqCst);
    assert!(beats >= 25, "{beats} signs of life in 300 s");
    assert_eq!(confidences(&bench.results(&id)), expected(2));
}

#[test]
fn a_fault_of_some_texts_that_passes_is_not_their_result() {
    let bench = Bench::new();
    let id = bench.submit(request(JobKind::Classify, texts(3))).unwrap();
    let lost = Fault::new(Code::DeviceLost, "the GPU is gone");
    *bench.rule.spoilt.lock().unwrap() = vec![(0, lost.clone()), (2, lost)];
    assert_eq!(bench.work(), Ok(Some(Worked::Ended(Status::Completed))));
    assert_eq!(confidences(&bench.results(&id)), expected(3));
    assert_eq!(*bench.rule.asked.lock().unwrap(), [3, 2], "those two are asked for again");
}

#[test]
fn no_piece_is_larger_than_a_request_may_be() {
    let mut bench = Bench::new();
    bench.service.limits.texts = 2;
    let id = bench.submit(request(JobKind::Classify, texts(5))).unwrap();
    assert_eq!(bench.work(), Ok(Some(Worked::Ended(Status::Completed))));
    assert_eq!(confidences(&bench.results(&id)), expected(5));
    assert_eq!(*bench.rule.asked.lock().unwrap(), [2, 2, 1]);
}

#[test]
fn a_slow_piece_is_held_by_signs_of_life() {
    let bench = Bench::new();
    let id = bench.submit(request(JobKind::Classify, texts(2))).unwrap();
    *bench.rule.takes.lock().unwrap() = 5 * MINUTE;
    assert_eq!(bench.work(), Ok(Some(Worked::Ended(Status::Completed))));
    assert!(bench.store.beats.load(SeqCst) >= 25);
    assert_eq!(bench.job(&id).done, 2);
}

#[test]
fn whoever_hangs_gives_no_sign_of_life_and_takes_nothing_up() {
    let bench = Bench::new();
    let id = bench.submit(request(JobKind::Classify, texts(2))).unwrap();
    let claimed = now(bench.service.take_job()).unwrap().unwrap();
    *bench.rule.stopped.lock().unwrap() = Some("its thread hangs".to_owned());
    *bench.rule.takes.lock().unwrap() = 5 * MINUTE;
    assert_eq!(now(bench.service.take_job()), Ok(None));
    // It comes round in the end, before anybody else took the job up.
    assert_eq!(now(bench.service.work_on(claimed)), Ok(Worked::Ended(Status::Completed)));
    assert_eq!(bench.store.beats.load(SeqCst), 0, "signs of life");
    assert_eq!(bench.job(&id).done, 2);
}

#[test]
fn whoever_lost_a_job_to_another_stops_and_writes_nothing() {
    let bench = Bench::new();
    let id = bench.submit(request(JobKind::Classify, texts(4))).unwrap();
    let slept = now(bench.service.take_job()).unwrap().unwrap();
    bench.clock.pass(MINUTE);
    let awake = now(bench.service.take_job()).unwrap().unwrap();
    assert_eq!(now(bench.service.work_on(slept)), Ok(Worked::Lost));
    assert_eq!(bench.job(&id).done, 0);
    assert_eq!(now(bench.service.work_on(awake)), Ok(Worked::Ended(Status::Completed)));
    assert_eq!(confidences(&bench.results(&id)), expected(4));
}

#[test]
fn a_job_that_is_called_off_is_not_gone_on_with() {
    let bench = Bench::new();
    let id = bench.submit(request(JobKind::Classify, texts(9))).unwrap();
    let claimed = now(bench.service.take_job()).unwrap().unwrap();
    let standing = now(bench.service.cancel_job(&id, "")).unwrap();
    assert_eq!(standing.status, Status::Cancelled);
    assert_eq!(now(bench.service.work_on(claimed)), Ok(Worked::Lost));
    let job = bench.job(&id);
    assert_eq!((job.status, job.done, job.next), (Status::Cancelled, 0, None));
    let again = now(bench.service.cancel_job(&id, "")).unwrap();
    assert_eq!(again.status, Status::Cancelled, "twice is once");
}

#[test]
fn a_job_that_breaks_every_worker_fails_and_one_that_gets_on_does_not() {
    let bench = Bench::new();
    let id = bench.submit(request(JobKind::Classify, texts(9))).unwrap();
    for _ in 0..3 {
        // Whoever takes it up is never heard of again.
        assert!(now(bench.service.take_job()).unwrap().is_some());
        bench.clock.pass(MINUTE);
    }
    assert_eq!(bench.work(), Ok(Some(Worked::Ended(Status::Failed))));
    assert_eq!(bench.job(&id).error.map(|fault| fault.code), Some(Code::JobFailed));
    let id = bench.submit(request(JobKind::Classify, texts(9))).unwrap();
    for _ in 0..3 {
        *bench.store.left.lock().unwrap() = Some(3);
        assert!(bench.work().is_err());
        *bench.store.left.lock().unwrap() = None;
        bench.clock.pass(MINUTE);
    }
    bench.work_off();
    assert_eq!(bench.job(&id).status, Status::Completed, "it got on each time");
}

#[test]
fn what_no_text_can_help_fails_the_job_and_what_is_of_texts_does_not() {
    let bench = Bench::new();
    for (code, status, done) in [
        (Code::InvalidOption, Status::Failed, 0),
        (Code::NoClassifier, Status::Failed, 0),
        (Code::Internal, Status::Completed, 2),
        (Code::AnswerNotFinite, Status::Completed, 2),
    ] {
        let id = bench.submit(request(JobKind::Classify, texts(2))).unwrap();
        bench.rule.faults.lock().unwrap().push(Fault::new(code, "as it was told"));
        bench.work_off();
        let job = bench.job(&id);
        assert_eq!((job.status, job.done), (status, done), "{}", code.name());
        let told = match status {
            Status::Failed => job.error.map(|fault| fault.code.name().to_owned()),
            _ => job.results[0]["error"]["code"].as_str().map(str::to_owned),
        };
        assert_eq!(told.as_deref(), Some(code.name()));
    }
}

#[test]
fn a_long_job_gives_others_their_turn() {
    let bench = Bench::new();
    *bench.rule.takes.lock().unwrap() = MINUTE;
    let id = bench.submit(request(JobKind::Classify, texts(15))).unwrap();
    for done in [6, 12] {
        assert_eq!(bench.work(), Ok(Some(Worked::HandedBack)), "after pieces that took long");
        assert_eq!(bench.job(&id).done, done, "what was asked for is written down");
    }
    assert_eq!(bench.work(), Ok(Some(Worked::Ended(Status::Completed))));
}

#[test]
fn while_a_piece_is_answered_the_next_is_asked_for() {
    let mut bench = Bench::new();
    *bench.rule.takes.lock().unwrap() = MINUTE;
    let jobs = bench.service.jobs.as_mut().unwrap();
    jobs.rules.slice = 10 * MINUTE;
    bench.submit(request(JobKind::Classify, texts(12))).unwrap();
    assert_eq!(bench.work(), Ok(Some(Worked::Ended(Status::Completed))));
    assert_eq!(*bench.rule.asked.lock().unwrap(), [3, 3, 3, 3]);
    let took = bench.clock.now();
    assert!(took < 3 * MINUTE, "four pieces of a minute, two at a time, took {took:?}");
}

#[test]
fn a_job_waits_for_the_model_that_it_was_brought_to() {
    let bench = Bench::new();
    let id = bench.submit(request(JobKind::Classify, texts(1))).unwrap();
    let other = Bench::new();
    let mut rows = std::mem::take(&mut *bench.store.rows.lock().unwrap());
    rows.get_mut(&id).unwrap().job.answerer = "an older digest/f32".to_owned();
    *other.store.rows.lock().unwrap() = rows;
    assert_eq!(other.work(), Ok(None), "no model here answers it");
    assert_eq!(other.job(&id).status, Status::Processing);
    let vectors = JobRequest { model: Some("mini".into()), ..request(JobKind::Embed, texts(1)) };
    let second = other.submit(vectors).unwrap();
    other.work_off();
    assert_eq!(other.job(&second).origin.model, "mini");
}
