//! What was kept long enough is forgotten, a piece at a time, and nothing else is.

use std::time::Duration;

use trireme_domain::jobs::Status;
use trireme_service::store::{Ending, Held, NewJob, Put, Sent, Store};

use crate::places::{HOUR, Place, claim, each, ending, job, results, try_notice};

/// Ends a job that was brought and needs to be kept no longer, with so many results.
async fn over(store: &dyn Store, new: NewJob, done: usize) {
    let id = new.id.clone();
    store.put_job(new, 10, HOUR).await.unwrap();
    let held = claim(store, HOUR).await.hold;
    assert_eq!(held.id, id);
    let rows = (0..done).map(|at| at.to_string()).collect();
    store.append_results(held.clone(), 0, rows, HOUR).await.unwrap();
    let notice = (format!("n-{id}"), "{}".to_owned());
    let over = Ending { notice, keep: Duration::ZERO, ..ending(Status::Completed) };
    assert_eq!(store.end_job(held, over).await, Ok(Held::Still));
}

/// Of which somebody wants to hear.
fn told(id: &str) -> NewJob {
    NewJob { webhook: Some("https://hooks.example/x".to_owned()), ..job(id) }
}

/// Nothing is left of a job.
async fn is_gone(store: &dyn Store, id: &str) {
    assert_eq!(store.read_job(id).await, Ok(None), "{id}");
    assert_eq!(store.read_texts(id, 0, 9).await, Ok(vec![]), "{id}");
    assert_eq!(store.read_results(id, 0, 9).await, Ok(vec![]), "{id}");
}

#[tokio::test]
async fn what_was_kept_long_enough_is_forgotten_with_all_that_belongs_to_it() {
    each(async |store| {
        over(&*store, job("a"), 3).await;
        over(&*store, told("b"), 0).await;
        let notice = try_notice(&*store, HOUR).await.unwrap();
        store.settle_notice(&notice.id, notice.fence, Sent::Delivered).await.unwrap();
        store.put_job(job("stays"), 10, HOUR).await.unwrap();
        assert_eq!(store.sweep_jobs().await, Ok(5), "rows");
        assert_eq!(store.sweep_jobs().await, Ok(0));
        is_gone(&*store, "a").await;
        is_gone(&*store, "b").await;
        assert!(store.read_job("stays").await.unwrap().is_some());
        let tally = store.tally().await.unwrap();
        assert_eq!((tally.jobs, tally.notices, tally.dead), ([1, 0, 0, 0], 0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_job_that_is_not_over_is_late_and_not_forgotten() {
    each(async |store| {
        store.put_job(job("late"), 10, Duration::ZERO).await.unwrap();
        store.put_job(job("young"), 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        store.append_results(held.clone(), 0, results(&["1"]), HOUR).await.unwrap();
        assert_eq!(held.id, "late");
        assert_eq!(store.sweep_jobs().await, Ok(0));
        assert_eq!(store.late_jobs(9).await.unwrap(), ["late"]);
        assert_eq!(store.late_jobs(0).await.unwrap(), [""; 0]);
        let failed = ending(Status::Failed);
        assert_eq!(store.cancel_job("late", failed).await, Ok(Held::Still), "whoever holds it");
        assert_eq!(store.late_jobs(9).await.unwrap(), [""; 0]);
        assert_eq!(store.sweep_jobs().await, Ok(0), "it is kept anew");
        let kept = store.read_job("late").await.unwrap().unwrap();
        assert_eq!((kept.status, kept.done), (Status::Failed, 1));
        assert_eq!(store.read_results("late", 0, 9).await.unwrap(), ["1"]);
        let late = store.append_results(held, 1, results(&["2"]), HOUR).await;
        assert_eq!(late, Ok(Held::Lost));
    })
    .await;
}

#[tokio::test]
async fn those_that_are_late_the_longest_come_first_and_only_so_many() {
    for place in Place::both() {
        println!("{}:", place.name());
        let store = place.open().await;
        for id in ["a", "b", "c", "d"] {
            store.put_job(job(id), 10, HOUR).await.unwrap();
        }
        place.sql(
            "UPDATE jobs SET expires_at = CASE id WHEN 'a' THEN 3 WHEN 'b' THEN 1 ELSE 2 END
             WHERE id <> 'd'",
        );
        assert_eq!(store.late_jobs(2).await.unwrap(), ["b", "c"]);
        assert_eq!(store.late_jobs(9).await.unwrap(), ["b", "c", "a"]);
    }
}

#[tokio::test]
async fn a_job_of_which_nobody_was_told_yet_is_kept_and_one_whose_notice_is_dead_is_not() {
    each(async |store| {
        for (id, sent) in [("a", Sent::Delivered), ("b", Sent::Dead)] {
            over(&*store, told(id), 3).await;
            assert_eq!(store.sweep_jobs().await, Ok(0), "nobody was told");
            let notice = try_notice(&*store, HOUR).await.unwrap();
            assert_eq!(store.sweep_jobs().await, Ok(0), "somebody is being told");
            let again = Sent::Again(Duration::ZERO);
            store.settle_notice(&notice.id, notice.fence, again).await.unwrap();
            assert_eq!(store.sweep_jobs().await, Ok(0), "who did not hear of it");
            let kept = store.read_job(id).await.unwrap().unwrap();
            assert_eq!((kept.status, kept.done), (Status::Completed, 3));
            let notice = try_notice(&*store, HOUR).await.unwrap();
            store.settle_notice(&notice.id, notice.fence, sent).await.unwrap();
            assert_eq!(store.sweep_jobs().await, Ok(4), "{sent:?}");
            is_gone(&*store, id).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_large_job_is_forgotten_in_pieces_and_is_nobodys_meanwhile() {
    for place in Place::both() {
        println!("{}:", place.name());
        let store = place.open().await;
        let keyed = |id: &str| NewJob { key: Some("k".to_owned()), ..job(id) };
        let texts = vec!["x".to_owned(); 20_100];
        over(&*store, NewJob { texts, ..keyed("large") }, 20_100).await;
        assert!(store.read_job("large").await.unwrap().is_some());
        assert_eq!(store.sweep_jobs().await, Ok(10_000));
        assert_eq!(store.read_job("large").await, Ok(None));
        let left = store.read_results("large", 10_099, 9).await.unwrap();
        assert_eq!(left, ["10099"], "the last go first");
        assert_eq!(place.check().await, Ok(trireme_store::LATEST), "it is sound meanwhile");
        over(&*store, job("small"), 1).await;
        assert_eq!(store.put_job(keyed("new"), 10, HOUR).await, Ok(Put::Made), "under its key");
        assert_eq!(store.sweep_jobs().await, Ok(10_000), "it is gone on with");
        assert_eq!(store.sweep_jobs().await, Ok(103), "with those behind it");
        assert_eq!(store.sweep_jobs().await, Ok(0));
        is_gone(&*store, "large").await;
        is_gone(&*store, "small").await;
        assert!(store.read_job("new").await.unwrap().is_some());
    }
}
