//! A store holds jobs to the rules: whatever is done, in whatever order, it says what
//! [`Life`] says.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use trireme_domain::jobs::{Life, Lost, Status};
use trireme_service::store::{Held, Hold, Store};

use crate::places::{HOUR, Place, ending, job};

#[derive(Debug, Clone, Copy)]
enum Deed {
    /// Takes the job up, for an hour or for no time.
    Claim {
        long: bool,
    },
    Append {
        worker: usize,
        from: usize,
        results: usize,
        long: bool,
    },
    Extend {
        worker: usize,
        long: bool,
    },
    Release {
        worker: usize,
    },
    End {
        worker: usize,
    },
    Cancel,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let long = || any::<bool>();
    let deed = prop_oneof![
        4 => long().prop_map(|long| Deed::Claim { long }),
        6 => (0..3usize, 0..4usize, 0..3usize, long())
            .prop_map(|(worker, from, results, long)| Deed::Append { worker, from, results, long }),
        2 => (0..3usize, long()).prop_map(|(worker, long)| Deed::Extend { worker, long }),
        2 => (0..3usize).prop_map(|worker| Deed::Release { worker }),
        1 => (0..3usize).prop_map(|worker| Deed::End { worker }),
        1 => Just(Deed::Cancel),
    ];
    prop::collection::vec(deed, 1..30)
}

fn lease(long: bool) -> Duration {
    if long { HOUR } else { Duration::ZERO }
}

fn said(told: Result<(), Lost>) -> Held {
    told.map_or(Held::Lost, |()| Held::Still)
}

/// Does the same to a store's job and to one of the rules', and compares what both say.
async fn compare(store: &dyn Store, id: &str, deeds: &[Deed]) -> Result<(), TestCaseError> {
    let new = trireme_service::store::NewJob { answerer: id.to_owned(), ..job(id) };
    store.put_job(new, 10_000, HOUR).await.unwrap();
    let mut life = Life::new(3);
    // Tokens as they were given, the newest last.
    let mut tokens = vec![0];
    for (second, deed) in deeds.iter().enumerate() {
        let now = Duration::from_secs(second as u64);
        let token = |worker: usize| tokens.iter().rev().nth(worker).copied().unwrap_or(0);
        let hold = |worker| Hold { id: id.to_owned(), fence: token(worker) };
        match *deed {
            Deed::Claim { long } => {
                let claimed = store.claim_job(vec![id.to_owned()], lease(long)).await.unwrap();
                let expected = life.claim(now, lease(long));
                let got = claimed.as_ref().map(|claimed| claimed.hold.fence);
                prop_assert_eq!(got, expected, "{:?}", life);
                if let Some(claimed) = claimed {
                    let got = (claimed.attempts, claimed.done);
                    prop_assert_eq!(got, (life.attempts, life.done));
                    tokens.push(claimed.hold.fence);
                }
            }
            Deed::Append { worker, from, results, long } => {
                let rows = (from..from + results).map(|place| place.to_string()).collect();
                let got = store.append_results(hold(worker), from, rows, lease(long)).await;
                let told = life.append(token(worker), from, results, now, lease(long));
                prop_assert_eq!(got, Ok(said(told)), "{:?}", life);
            }
            Deed::Extend { worker, long } => {
                let got = store.extend_lease(hold(worker), lease(long)).await;
                let told = life.extend(token(worker), now, lease(long));
                prop_assert_eq!(got, Ok(said(told)), "{:?}", life);
            }
            Deed::Release { worker } => {
                let got = store.release_job(hold(worker)).await;
                prop_assert_eq!(got, Ok(said(life.release(token(worker), now))), "{:?}", life);
            }
            Deed::End { worker } => {
                let got = store.end_job(hold(worker), ending(Status::Completed)).await;
                let told = life.end(token(worker), Status::Completed);
                prop_assert_eq!(got, Ok(said(told)), "{:?}", life);
            }
            Deed::Cancel => {
                let got = store.cancel_job(id, ending(Status::Cancelled)).await;
                let expected = if life.cancel() { Held::Still } else { Held::Lost };
                prop_assert_eq!(got, Ok(expected), "{:?}", life);
            }
        }
        let kept = store.read_job(id).await.unwrap().unwrap();
        prop_assert_eq!((kept.status, kept.done), (life.status, life.done));
        let all: Vec<String> = (0..life.done).map(|place| place.to_string()).collect();
        prop_assert_eq!(store.read_results(id, 0, 9).await.unwrap(), all);
    }
    Ok(())
}

#[test]
fn whatever_is_done_a_store_says_what_the_rules_say() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for place in Place::both() {
        println!("{}:", place.name());
        let store = runtime.block_on(place.open());
        let cases = std::env::var("TRIREME_CASES").map_or(32, |cases| cases.parse().unwrap());
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let number = std::cell::Cell::new(0);
        let test = |deeds: Vec<Deed>| {
            number.set(number.get() + 1);
            let id = format!("j{}", number.get());
            runtime.block_on(compare(&*store, &id, &deeds))
        };
        TestRunner::new(config).run(&deeds(), test).unwrap_or_else(|error| panic!("{error}"));
    }
}
