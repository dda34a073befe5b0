//! What is remembered, and what is not.

use trireme_domain::Code;
use trireme_domain::batching::Priority;
use trireme_model::Cut;

use super::fake::{Bench, Fake};
use super::{assert_same, computed, job, with};
use crate::engine::{Job, Task, Text};
use crate::ports::{Compute, Remembered};
use crate::service::{Caching, Terms};

const PLENTY: usize = 1 << 20;

#[test]
fn a_text_is_answered_again_to_the_bit_without_running() {
    let bench = Bench::new(PLENTY);
    let first = bench.ask(job(&["a quiet harbour"])).unwrap();
    let again = bench.ask(job(&["a quiet harbour"])).unwrap();
    assert_same(&first, &computed(&["a quiet harbour"]));
    assert_same(&again, &first);
    assert_eq!(bench.fake.asked().len(), 1);
}

#[test]
fn only_what_is_not_known_runs_and_each_text_once() {
    let bench = Bench::new(PLENTY);
    bench.ask(job(&["b", "d"])).unwrap();
    let texts = ["a", "b", "a", "c", "d", "c", "b"];
    assert_same(&bench.ask(job(&texts)).unwrap(), &computed(&texts));
    assert_eq!(bench.fake.asked(), [vec!["b", "d"], vec!["a", "c"]]);
    let Remembered { hits, misses, joined, entries, bytes } = bench.cached.work().remembered;
    assert_eq!((hits, misses, joined, entries), (2, 4, 3, 4));
    assert!(bytes > 4 * 12, "{bytes}");
}

#[test]
fn what_runs_is_asked_for_on_the_callers_terms() {
    let bench = Bench::new(PLENTY);
    let terms = Terms { owner: 9, priority: Priority::Batch, ..super::within(70) };
    let cut = Cut { max_tokens: Some(5), side: None };
    bench.ask(Job { cut, ..with(&["a"], terms.clone()) }).unwrap();
    let jobs = bench.fake.jobs.lock().unwrap();
    assert_eq!((&jobs[0].terms, jobs[0].cut, &jobs[0].task), (&terms, cut, &Task::CLASSES));
}

#[test]
fn another_question_about_the_same_text_is_another_question() {
    let bench = Bench::new(PLENTY);
    let pair = Text { first: "a".into(), second: Some("b".into()) };
    for job in [
        job(&["a"]),
        Job { task: Task::Classify { raw: true }, ..job(&["a"]) },
        Job { task: Task::default(), ..job(&["a"]) },
        Job { cut: Cut { max_tokens: Some(9), side: None }, ..job(&["a"]) },
        Job { texts: vec![pair], ..job(&[]) },
    ] {
        bench.ask(job).unwrap();
    }
    assert_eq!(bench.cached.work().remembered.misses, 5);
    assert_eq!(bench.fake.asked().len(), 5);
}

#[test]
fn a_fault_is_not_remembered_and_spoils_no_answer_that_is() {
    let bench = Bench::new(PLENTY);
    bench.ask(job(&["good"])).unwrap();
    let texts = ["good", "bad"];
    for _ in 0..2 {
        assert_same(&bench.ask(job(&texts)).unwrap(), &computed(&texts));
    }
    assert_eq!(bench.fake.asked(), [["good"], ["bad"], ["bad"]]);
    let alone = bench.ask(job(&["bad", "bad"])).unwrap_err();
    assert_eq!(alone.code, Code::AnswerNotFinite, "what befalls all texts befalls the job");
}

#[test]
fn a_request_that_finds_no_room_is_refused_as_a_whole() {
    let bench = Bench::new(PLENTY);
    bench.ask(job(&["known"])).unwrap();
    for code in [Code::Overloaded, Code::TooManyTexts, Code::DeadlineExceeded] {
        bench.fake.will_fail(code);
        assert_eq!(bench.ask(job(&["known", "new"])).unwrap_err().code, code);
    }
    bench.ask(job(&["known"])).unwrap();
    assert_eq!(bench.fake.asked().len(), 4, "what is known needs no room");
}

#[test]
fn no_more_is_kept_than_there_is_room_for() {
    let bench = Bench::new(4096);
    for round in 0..200 {
        bench.ask(job(&[&format!("text {round}")])).unwrap();
        assert!(bench.cached.work().remembered.bytes <= 4096);
    }
    let kept = bench.cached.work().remembered.entries;
    assert!((4..200).contains(&kept), "{kept}");
    bench.ask(job(&["text 199"])).unwrap();
    assert_eq!(bench.cached.work().remembered.hits, 1, "the last is known");
    bench.ask(job(&["text 0"])).unwrap();
    assert_eq!(bench.cached.work().remembered.misses, 201, "the first is forgotten");
}

#[test]
fn a_caller_may_want_an_answer_that_is_new_or_leaves_nothing() {
    let bench = Bench::new(PLENTY);
    let ask = |caching| bench.ask(with(&["a"], Terms { caching, ..Terms::default() })).unwrap();
    ask(Caching::Off);
    ask(Caching::Usual);
    assert_eq!(bench.fake.asked().len(), 2, "nothing was kept");
    ask(Caching::Off);
    ask(Caching::Renew);
    assert_eq!(bench.fake.asked().len(), 4, "nothing was read");
    ask(Caching::Usual);
    assert_eq!(bench.fake.asked().len(), 4, "it was known");

    let new = Bench::new(PLENTY);
    new.ask(with(&["a"], Terms { caching: Caching::Renew, ..Terms::default() })).unwrap();
    new.ask(job(&["a"])).unwrap();
    assert_eq!(new.fake.asked().len(), 1, "what was renewed is kept");
}

#[test]
fn whatever_is_asked_memory_changes_no_answer() {
    let (small, mut state) = (Bench::new(3000), 1u64);
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    for _ in 0..500 {
        let texts: Vec<String> = (0..next(9))
            .map(|_| format!("{}{}", if next(6) == 0 { "bad " } else { "" }, next(30)))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let plain = crate::engine::together(computed(&texts));
        match (small.ask(job(&texts)), plain) {
            (Ok(answers), Ok(expected)) => assert_same(&answers, &expected),
            (got, expected) => assert_eq!(got, expected, "{texts:?}"),
        }
    }
    let Remembered { hits, misses, entries, .. } = small.cached.work().remembered;
    assert!(hits > 0 && misses > entries, "{hits} hits, {misses} misses, {entries} entries");
}

#[test]
fn a_model_that_is_not_well_is_believed_by_nobody_later() {
    let bench = Bench::new(PLENTY);
    bench.ask(job(&["before"])).unwrap();
    *bench.fake.unready.lock().unwrap() = Some("its canary's answer has changed".into());
    bench.ask(job(&["meanwhile"])).unwrap();
    *bench.fake.unready.lock().unwrap() = None;
    bench.ask(job(&["before", "meanwhile"])).unwrap();
    assert_eq!(bench.fake.asked().last().unwrap(), &["before", "meanwhile"]);
}

#[test]
fn how_the_threads_are_is_not_hidden() {
    let Bench { fake, cached, .. } = Bench::new(PLENTY);
    *fake.unready.lock().unwrap() = Some("its canary is silent".into());
    assert_eq!(cached.vitals(), fake.vitals());
    assert_eq!(cached.capacity(), fake.capacity());
    assert_eq!(cached.work(), Fake::work(&fake));
}
