//! Equal texts of requests that are there at once.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Waker};
use std::time::Duration;

use trireme_domain::Code;
use trireme_domain::batching::Priority;

use super::fake::{Bell, Bench, look};
use super::{assert_same, computed, job, with, within};
use crate::ports::Compute;
use crate::service::{Caching, Terms};

/// A bench whose compute keeps all waiting.
fn held() -> Bench {
    let bench = Bench::new(1 << 20);
    bench.fake.hold();
    bench
}

#[test]
fn a_text_that_many_ask_for_at_once_runs_once() {
    let bench = held();
    let mut all: Vec<_> = (0..5).map(|_| bench.cached.submit(job(&["a"]))).collect();
    assert!(all.iter_mut().all(|answer| look(answer).is_none()));
    bench.fake.release();
    for mut answer in all {
        assert_same(&look(&mut answer).unwrap().unwrap(), &computed(&["a"]));
    }
    assert_eq!(bench.fake.asked(), [["a"]]);
    assert_eq!(bench.cached.work().remembered.joined, 4);
}

#[test]
fn a_job_gathers_what_is_known_what_others_ask_for_and_what_is_new() {
    let bench = Bench::new(1 << 20);
    bench.ask(job(&["known"])).unwrap();
    bench.fake.hold();
    let mut one = bench.cached.submit(job(&["one", "two"]));
    let mut three = bench.cached.submit(job(&["three"]));
    let texts = ["new", "three", "two", "known", "one", "three"];
    let mut all = bench.cached.submit(job(&texts));
    assert!(look(&mut all).is_none());
    bench.fake.release();
    assert_same(&look(&mut all).unwrap().unwrap(), &computed(&texts));
    assert!(look(&mut one).is_some() && look(&mut three).is_some());
    let mut asked = bench.fake.asked();
    asked.sort();
    assert_eq!(asked, [vec!["known"], vec!["new"], vec!["one", "two"], vec!["three"]]);
}

#[test]
fn whoever_leaves_harms_nobody_and_the_last_ends_the_run() {
    let bench = held();
    let mut leader = bench.cached.submit(job(&["a"]));
    let mut follower = bench.cached.submit(job(&["a"]));
    let leaves = bench.cached.submit(job(&["a"]));
    assert!(look(&mut leader).is_none());
    drop(leaves);
    let bell = Arc::<Bell>::default();
    let waker = Waker::from(Arc::clone(&bell));
    assert!(follower.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(leader);
    assert_eq!(bench.fake.left.load(SeqCst), 0, "somebody still waits");
    bench.fake.release();
    assert!(bell.0.load(SeqCst), "who waits is told");
    assert_same(&look(&mut follower).unwrap().unwrap(), &computed(&["a"]));
    assert_eq!(bench.fake.asked().len(), 1);

    bench.fake.hold();
    let mut both = [bench.cached.submit(job(&["b"])), bench.cached.submit(job(&["b"]))];
    assert!(both.iter_mut().all(|answer| look(answer).is_none()));
    drop(both);
    assert_eq!(bench.fake.left.load(SeqCst), 1, "nobody waits any more");
    bench.fake.release();
    assert_same(&bench.ask(job(&["b"])).unwrap(), &computed(&["b"]));
    assert_eq!(bench.fake.asked().len(), 3, "a run that ended is not joined");
}

#[test]
fn one_who_left_before_beginning_leaves_nothing_to_join() {
    let bench = Bench::new(1 << 20);
    drop(bench.cached.submit(job(&["a"])));
    assert_eq!(bench.fake.asked().len(), 0);
    assert_same(&bench.ask(job(&["a"])).unwrap(), &computed(&["a"]));
}

#[test]
fn a_fault_that_is_its_callers_own_harms_no_other() {
    for code in [Code::Overloaded, Code::Cancelled, Code::DeadlineExceeded, Code::TooManyTexts] {
        let bench = held();
        let mut leader = bench.cached.submit(with(&["a"], within(300)));
        assert!(look(&mut leader).is_none());
        bench.clock.0.store(100, SeqCst);
        let mut follower = bench.cached.submit(with(&["b", "a"], within(500)));
        assert!(look(&mut follower).is_none());
        bench.clock.0.store(250, SeqCst);
        bench.fake.will_fail(code);
        bench.fake.release();
        assert_eq!(look(&mut leader).unwrap().unwrap_err().code, code);
        assert_same(&look(&mut follower).unwrap().unwrap(), &computed(&["b", "a"]));
        assert_eq!(bench.fake.asked(), [["a"], ["b"], ["a"]]);
        let left = bench.fake.jobs.lock().unwrap()[2].terms.timeout;
        assert_eq!(left, Some(Duration::from_millis(350)), "what is left of its time, not more");
        bench.ask(job(&["a"])).unwrap();
        assert_eq!(bench.fake.asked().len(), 3, "what it then computed is kept");
    }
}

#[test]
fn one_who_computes_alone_after_all_may_be_refused_too() {
    let bench = held();
    let mut leader = bench.cached.submit(job(&["a"]));
    let mut follower = bench.cached.submit(job(&["a"]));
    assert!(look(&mut leader).is_none() && look(&mut follower).is_none());
    bench.clock.0.store(400, SeqCst);
    bench.fake.will_fail(Code::Overloaded);
    bench.fake.will_fail(Code::Overloaded);
    bench.fake.release();
    assert_eq!(look(&mut leader).unwrap().unwrap_err().code, Code::Overloaded);
    assert_eq!(look(&mut follower).unwrap().unwrap_err().code, Code::Overloaded);
    let left = bench.fake.jobs.lock().unwrap()[1].terms.timeout;
    assert_eq!(left, Some(Duration::from_millis(600)), "of the longest there is");
}

#[test]
fn a_fault_of_the_text_is_everybodys() {
    let bench = held();
    let mut leader = bench.cached.submit(job(&["bad"]));
    let mut follower = bench.cached.submit(job(&["bad", "good"]));
    assert!(look(&mut leader).is_none() && look(&mut follower).is_none());
    bench.fake.release();
    assert_eq!(look(&mut leader).unwrap().unwrap_err().code, Code::AnswerNotFinite);
    assert_same(&look(&mut follower).unwrap().unwrap(), &computed(&["bad", "good"]));
    assert_eq!(bench.fake.asked(), [["bad"], ["good"]]);
}

#[test]
fn nobody_waits_for_a_run_that_may_be_slower_than_their_own() {
    let batch = Terms { priority: Priority::Batch, ..Terms::default() };
    let patient = Terms { patient: true, ..Terms::default() };
    let cases = [
        ("equal terms", job(&["a"]), job(&["a"]), true),
        ("less time", with(&["a"], within(300)), with(&["a"], within(299)), false),
        ("more time", with(&["a"], within(300)), with(&["a"], within(301)), true),
        ("all the time there is", with(&["a"], within(9000)), job(&["a"]), true),
        ("less than that", job(&["a"]), with(&["a"], within(999)), false),
        ("who has all the time there is", with(&["a"], patient.clone()), job(&["a"]), false),
        ("such a one behind another", job(&["a"]), with(&["a"], patient), true),
        ("a screen behind a nightly job", with(&["a"], batch.clone()), job(&["a"]), false),
        ("a nightly job behind a screen", job(&["a"]), with(&["a"], batch), true),
        ("one text behind many", job(&["a", "b"]), job(&["a"]), false),
        ("many texts behind one", job(&["a"]), job(&["a", "b"]), true),
    ];
    for (case, leader, follower, joins) in cases {
        let bench = held();
        let mut both = [bench.cached.submit(leader), bench.cached.submit(follower)];
        assert!(both.iter_mut().all(|answer| look(answer).is_none()));
        assert_eq!(bench.cached.work().remembered.joined == 1, joins, "{case}");
        bench.fake.release();
        assert!(both.iter_mut().all(|answer| look(answer).unwrap().is_ok()), "{case}");
    }
}

#[test]
fn time_that_passed_counts_for_who_comes_later() {
    let bench = held();
    let mut leader = bench.cached.submit(with(&["a"], within(300)));
    bench.clock.0.store(100, SeqCst);
    let mut follower = bench.cached.submit(with(&["a"], within(200)));
    assert!(look(&mut leader).is_none() && look(&mut follower).is_none());
    assert_eq!(bench.fake.asked().len(), 1);
}

#[test]
fn a_quicker_run_is_the_one_to_join() {
    let bench = held();
    let mut slow = bench.cached.submit(with(&["a"], within(900)));
    let mut quick = bench.cached.submit(with(&["a"], within(100)));
    let mut joins = bench.cached.submit(with(&["a"], within(200)));
    let all = [&mut slow, &mut quick, &mut joins];
    assert!(all.into_iter().all(|answer| look(answer).is_none()));
    assert_eq!(bench.fake.asked().len(), 2);
    drop(slow);
    let mut also = bench.cached.submit(with(&["a"], within(200)));
    assert!(look(&mut also).is_none());
    assert_eq!(bench.fake.asked().len(), 2, "the slow one took nothing but itself away");
}

#[test]
fn an_answer_that_must_be_new_joins_nobody_and_may_be_joined() {
    let bench = held();
    let renew = Terms { caching: Caching::Renew, ..Terms::default() };
    let off = Terms { caching: Caching::Off, ..Terms::default() };
    let jobs = [job(&["a"]), with(&["a"], renew), job(&["a"]), with(&["a"], off), job(&["a"])];
    let mut all: Vec<_> = jobs.into_iter().map(|job| bench.cached.submit(job)).collect();
    assert!(all.iter_mut().all(|answer| look(answer).is_none()));
    assert_eq!(bench.fake.asked().len(), 3, "the first, the new one, the one apart");
    bench.fake.release();
    assert!(all.iter_mut().all(|answer| look(answer).unwrap().is_ok()));
}
