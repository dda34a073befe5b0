//! Who holds a job, and what whoever lost it can still do: nothing.

use std::time::Duration;

use futures_util::future::join_all;
use trireme_domain::jobs::Status;
use trireme_service::store::{Held, Hold, NewJob, Store};

use crate::places::{HOUR, Place, claim, claim_when_free, each, ending, job, results, try_claim};

#[tokio::test]
async fn a_job_that_is_held_is_nobody_elses_until_the_time_is_up() {
    each(async |store| {
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let first = claim(&*store, Duration::from_millis(50)).await;
        assert_eq!((first.attempts, first.texts, first.done), (1, 3, 0));
        assert_eq!(first.order, job("a").order);
        let second = claim_when_free(&*store).await;
        assert!(second.fence > first.hold.fence, "{second:?} after {first:?}");
        assert_eq!(try_claim(&*store, HOUR).await, None, "it is held for an hour");
    })
    .await;
}

/// What a worker does that says until when a job is held.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Claim,
    Extend,
    Append,
    Release,
}

/// Gives a sign of a job that nobody else has; the token from then on.
async fn give(sign: Sign, store: &dyn Store, hold: Hold) -> Hold {
    let held = match sign {
        Sign::Claim => return claim(store, HOUR).await.hold,
        Sign::Extend => store.extend_lease(hold.clone(), HOUR).await,
        Sign::Append => store.append_results(hold.clone(), 0, results(&["1"]), HOUR).await,
        Sign::Release => store.release_job(hold.clone()).await,
    };
    assert_eq!(held, Ok(Held::Still), "{sign:?}");
    hold
}

#[tokio::test]
async fn a_clock_that_is_set_back_holds_no_job_for_longer_than_it_was_set_back() {
    for sign in [Sign::Claim, Sign::Extend, Sign::Append, Sign::Release] {
        for place in Place::both() {
            println!("{}, {sign:?}:", place.name());
            let store = place.open().await;
            store.put_job(job("a"), 10, HOUR).await.unwrap();
            let before = claim(&*store, HOUR).await.hold;
            place.sql("UPDATE jobs SET turned_at = 1, held_until = 1");
            let before = give(sign, &*store, before).await;
            // As if the clock had been a day ahead then: what was written by it, and nothing else.
            place.sql(
                "UPDATE jobs SET
                   turned_at = CASE turned_at WHEN 1 THEN 1 ELSE turned_at + 86400000 END,
                   held_until = CASE held_until WHEN 1 THEN 1 ELSE held_until + 86400000 END",
            );
            store.put_job(job("b"), 10, HOUR).await.unwrap();
            assert_eq!(claim(&*store, HOUR).await.hold.id, "b", "who has waited longer");
            let after = claim(&*store, HOUR).await.hold;
            assert_eq!(after.id, "a");
            assert!(after.fence > before.fence, "{after:?} after {before:?}");
            assert_eq!(store.extend_lease(before, HOUR).await, Ok(Held::Lost));
            assert_eq!(try_claim(&*store, HOUR).await, None, "it is held by today's clock");
        }
    }
}

#[tokio::test]
async fn a_worker_that_slept_through_its_lease_can_write_nothing() {
    each(async |store| {
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let slept = claim(&*store, Duration::ZERO).await.hold;
        let awake = claim_when_free(&*store).await;
        let appended = store.append_results(slept.clone(), 0, results(&["old"]), HOUR).await;
        assert_eq!(appended, Ok(Held::Lost));
        assert_eq!(store.extend_lease(slept.clone(), HOUR).await, Ok(Held::Lost));
        assert_eq!(store.release_job(slept.clone()).await, Ok(Held::Lost));
        assert_eq!(store.end_job(slept, ending(Status::Completed)).await, Ok(Held::Lost));
        assert_eq!(store.read_results("a", 0, 9).await, Ok(vec![]));
        let appended = store.append_results(awake, 0, results(&["new"]), HOUR).await;
        assert_eq!(appended, Ok(Held::Still));
        assert_eq!(store.read_results("a", 0, 9).await.unwrap(), ["new"]);
    })
    .await;
}

#[tokio::test]
async fn a_sign_of_life_keeps_a_job() {
    each(async |store| {
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let held = claim(&*store, Duration::ZERO).await.hold;
        assert_eq!(store.extend_lease(held.clone(), HOUR).await, Ok(Held::Still));
        assert_eq!(try_claim(&*store, HOUR).await, None, "after a heartbeat");
        store.append_results(held.clone(), 0, results(&["1"]), Duration::ZERO).await.unwrap();
        let next = claim_when_free(&*store).await;
        store.append_results(next, 1, results(&["2"]), HOUR).await.unwrap();
        assert_eq!(try_claim(&*store, HOUR).await, None, "after a piece");
    })
    .await;
}

#[tokio::test]
async fn a_piece_is_written_once_and_only_behind_what_is_there() {
    each(async |store| {
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        let append = async |from, all: &[&str]| {
            store.append_results(held.clone(), from, results(all), HOUR).await.unwrap()
        };
        assert_eq!(append(1, &["2"]).await, Held::Lost, "the first is missing");
        assert_eq!(append(0, &["1", "2"]).await, Held::Still);
        assert_eq!(append(0, &["1", "2"]).await, Held::Lost, "it is there already");
        assert_eq!(append(2, &["3", "4"]).await, Held::Lost, "there is no fourth text");
        assert_eq!(store.read_results("a", 0, 9).await.unwrap(), ["1", "2"]);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_is_handed_back_is_anybodys_at_once_and_was_not_tried() {
    each(async |store| {
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        assert_eq!(store.release_job(held.clone()).await, Ok(Held::Still));
        let late = store.append_results(held, 0, results(&["1"]), HOUR).await;
        assert_eq!(late, Ok(Held::Lost), "whoever handed it back writes no more");
        assert_eq!(claim(&*store, HOUR).await.attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn attempts_are_counted_until_a_job_gets_on() {
    each(async |store| {
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let mut attempts = Vec::new();
        for _ in 0..3 {
            attempts.push(claim(&*store, Duration::ZERO).await.attempts);
        }
        let held = claim(&*store, Duration::ZERO).await.hold;
        store.append_results(held, 0, results(&["1"]), Duration::ZERO).await.unwrap();
        attempts.push(claim(&*store, Duration::ZERO).await.attempts);
        assert_eq!(attempts, [1, 2, 3, 1]);
    })
    .await;
}

#[tokio::test]
async fn only_what_a_worker_can_answer_is_taken_up() {
    each(async |store| {
        let other = NewJob { answerer: "elsewhere".to_owned(), ..job("a") };
        store.put_job(other, 10, HOUR).await.unwrap();
        assert_eq!(try_claim(&*store, HOUR).await, None);
        assert_eq!(store.claim_job(vec![], HOUR).await, Ok(None));
        let claimed = store.claim_job(vec!["elsewhere".to_owned()], HOUR).await.unwrap();
        assert_eq!(claimed.map(|claimed| claimed.hold.id).as_deref(), Some("a"));
    })
    .await;
}

#[tokio::test]
async fn jobs_take_turns() {
    each(async |store| {
        for id in ["a", "b"] {
            store.put_job(job(id), 10, HOUR).await.unwrap();
        }
        next_moment().await;
        let mut turns = Vec::new();
        for _ in 0..4 {
            let held = claim(&*store, HOUR).await.hold;
            turns.push(held.id.clone());
            store.release_job(held).await.unwrap();
            next_moment().await;
        }
        assert_eq!(turns, ["a", "b", "a", "b"]);
    })
    .await;
}

/// Turns are told apart by the millisecond.
async fn next_moment() {
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_millis(2) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn of_many_workers_at_once_each_gets_another_job() {
    for place in Place::both() {
        println!("{}:", place.name());
        let stores = join_all((0..6).map(|_| place.open())).await;
        for id in ["a", "b", "c", "d"] {
            stores[0].put_job(job(id), 10, HOUR).await.unwrap();
        }
        let claims = stores.iter().map(|store| try_claim(&**store, HOUR));
        let all: Vec<Hold> =
            join_all(claims).await.into_iter().flatten().map(|claimed| claimed.hold).collect();
        let mut ids: Vec<&str> = all.iter().map(|hold| hold.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["a", "b", "c", "d"]);
    }
}
