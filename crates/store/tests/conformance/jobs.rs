//! Jobs are kept, read, counted and forgotten.

use std::time::Duration;

use futures_util::future::join_all;
use trireme_domain::jobs::Status;
use trireme_domain::{Code, Fault};
use trireme_service::store::{Ending, Held, NewJob, Put, Tally};

use crate::places::{HOUR, Place, claim, each, ending, job, results};

#[tokio::test]
async fn what_is_kept_is_read_as_it_was() {
    each(async |store| {
        assert_eq!(store.put_job(job("a"), 10, HOUR).await, Ok(Put::Made));
        let kept = store.read_job("a").await.unwrap().unwrap();
        assert_eq!((kept.owner.as_str(), kept.order.as_str()), ("shop", r#"{"kind":"classify"}"#));
        assert_eq!((kept.status, kept.texts, kept.done), (Status::Processing, 3, 0));
        assert_eq!((kept.took, kept.error), (Duration::ZERO, None));
        assert_eq!(store.read_texts("a", 0, 9).await.unwrap(), job("a").texts);
        assert_eq!(store.read_texts("a", 1, 1).await.unwrap(), [job("a").texts[1].as_str()]);
        assert_eq!(store.read_job("b").await, Ok(None));
        assert_eq!(store.read_texts("b", 0, 9).await, Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_when_the_store_is_opened_again() {
    for place in Place::both() {
        println!("{}:", place.name());
        let store = place.open().await;
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        store.append_results(held, 0, results(&["1"]), HOUR).await.unwrap();
        drop(store);
        let store = place.open().await;
        assert_eq!(store.read_job("a").await.unwrap().map(|kept| kept.done), Some(1));
        assert_eq!(store.read_results("a", 0, 9).await.unwrap(), ["1"]);
    }
}

#[tokio::test]
async fn the_same_key_of_the_same_owner_is_the_same_job() {
    each(async |store| {
        let keyed = |id: &str, owner: &str, digest: &str| NewJob {
            owner: owner.to_owned(),
            key: Some("k".to_owned()),
            digest: digest.to_owned(),
            ..job(id)
        };
        let put = async |job| store.put_job(job, 1, HOUR).await.unwrap();
        let known = Put::Known { id: "a".to_owned(), digest: "d1".to_owned() };
        assert_eq!(put(keyed("a", "shop", "d1")).await, Put::Made);
        assert_eq!(put(keyed("b", "shop", "d1")).await, known, "though no other may be open");
        assert_eq!(put(keyed("c", "shop", "d2")).await, known, "whoever asks compares digests");
        assert_eq!(put(keyed("d", "other", "d2")).await, Put::Made);
        assert_eq!(store.read_job("b").await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn of_many_who_send_one_key_at_once_one_makes_the_job() {
    for place in Place::both() {
        println!("{}:", place.name());
        let stores = join_all((0..8).map(|_| place.open())).await;
        let put = |at: usize| {
            let job = NewJob { key: Some("k".to_owned()), ..job(&format!("j{at}")) };
            stores[at].put_job(job, 100, HOUR)
        };
        let all = join_all((0..8).map(put)).await;
        let made = all.iter().filter(|put| **put == Ok(Put::Made)).count();
        assert_eq!(made, 1, "{all:?}");
        assert!(all.iter().all(Result::is_ok), "{all:?}");
    }
}

#[tokio::test]
async fn an_owner_has_so_many_open_jobs_and_no_more_however_they_come() {
    for place in Place::both() {
        println!("{}:", place.name());
        let stores = join_all((0..8).map(|_| place.open())).await;
        let put = |at: usize| stores[at].put_job(job(&format!("j{at}")), 3, HOUR);
        let all = join_all((0..8).map(put)).await;
        let count = |what: &Put| all.iter().filter(|put| put.as_ref() == Ok(what)).count();
        assert_eq!((count(&Put::Made), count(&Put::Full)), (3, 5), "{all:?}");
        let store = &stores[0];
        assert_eq!(store.open_jobs("shop").await, Ok(3));
        assert_eq!(store.open_jobs("other").await, Ok(0));
        let held = claim(&**store, HOUR).await.hold;
        store.end_job(held, ending(Status::Completed)).await.unwrap();
        assert_eq!(store.put_job(job("more"), 3, HOUR).await, Ok(Put::Made));
    }
}

#[tokio::test]
async fn results_are_read_by_pages_and_texts_that_have_one_are_gone() {
    each(async |store| {
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        let first = results(&["{\"a\":\"\\u0000\"}", "2"]);
        store.append_results(held.clone(), 0, first.clone(), HOUR).await.unwrap();
        assert_eq!(store.read_texts("a", 0, 9).await.unwrap(), ["three"]);
        assert_eq!(store.read_results("a", 0, 9).await.unwrap(), first);
        store.append_results(held, 2, results(&["3"]), HOUR).await.unwrap();
        assert_eq!(store.read_results("a", 1, 1).await.unwrap(), ["2"]);
        assert_eq!(store.read_results("a", 1, 9).await.unwrap(), ["2", "3"]);
        assert_eq!(store.read_results("a", 3, 9).await, Ok(vec![]));
        assert_eq!(store.read_texts("a", 0, 9).await, Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn a_job_ends_with_its_error_and_keeps_no_text() {
    each(async |store| {
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        let error = Some(Fault::new(Code::JobFailed, "it broke"));
        let failed = Ending { error: error.clone(), ..ending(Status::Failed) };
        assert_eq!(store.end_job(held, failed).await, Ok(Held::Still));
        let kept = store.read_job("a").await.unwrap().unwrap();
        assert_eq!((kept.status, kept.error), (Status::Failed, error));
        assert_eq!(store.read_texts("a", 0, 9).await, Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn a_job_is_called_off_whoever_holds_it_and_only_once() {
    each(async |store| {
        store.put_job(job("a"), 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        assert_eq!(store.cancel_job("a", ending(Status::Cancelled)).await, Ok(Held::Still));
        assert_eq!(store.append_results(held, 0, results(&["1"]), HOUR).await, Ok(Held::Lost));
        assert_eq!(store.cancel_job("a", ending(Status::Cancelled)).await, Ok(Held::Lost));
        assert_eq!(store.cancel_job("b", ending(Status::Cancelled)).await, Ok(Held::Lost));
        let kept = store.read_job("a").await.unwrap().unwrap();
        assert_eq!((kept.status, kept.done), (Status::Cancelled, 0));
    })
    .await;
}

#[tokio::test]
async fn all_is_counted() {
    each(async |store| {
        assert_eq!(store.tally().await, Ok(Tally::default()));
        for (id, status) in [("a", Status::Completed), ("b", Status::Failed)] {
            let told = NewJob { webhook: Some("https://h".to_owned()), ..job(id) };
            store.put_job(told, 10, HOUR).await.unwrap();
            let held = claim(&*store, HOUR).await.hold;
            let notice = (format!("n{id}"), String::new());
            store.end_job(held, Ending { notice, ..ending(status) }).await.unwrap();
        }
        store.put_job(job("c"), 10, HOUR).await.unwrap();
        let tally = store.tally().await.unwrap();
        assert_eq!(tally.jobs, [1, 1, 1, 0]);
        assert_eq!((tally.notices, tally.dead), (2, 0));
        assert!(tally.oldest < HOUR, "{tally:?}");
    })
    .await;
}
