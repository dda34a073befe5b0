//! Notices of a job's end: made with it, sent until they are taken, laid aside at last.

use std::time::Duration;

use trireme_domain::jobs::Status;
use trireme_service::store::{DeadNotice, Ending, Held, NewJob, Notice, Sent, Store};

use crate::places::{HOUR, Place, claim, each, ending, job, try_notice};

/// Ends a job of which somebody wants to hear.
async fn over(store: &dyn Store, id: &str) {
    let told = NewJob { webhook: Some("https://hooks.example/x".to_owned()), ..job(id) };
    store.put_job(told, 10, HOUR).await.unwrap();
    let held = claim(store, HOUR).await.hold;
    let notice = (format!("n-{id}"), format!("{{\"id\":\"{id}\"}}"));
    store.end_job(held, Ending { notice, ..ending(Status::Completed) }).await.unwrap();
}

async fn due(store: &dyn Store, lease: Duration) -> Notice {
    try_notice(store, lease).await.unwrap()
}

#[tokio::test]
async fn a_notice_is_made_with_the_end_and_only_where_somebody_wants_it() {
    each(async |store| {
        store.put_job(job("silent"), 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        store.end_job(held, ending(Status::Completed)).await.unwrap();
        assert_eq!(try_notice(&*store, HOUR).await, None);
        over(&*store, "a").await;
        let notice = due(&*store, HOUR).await;
        assert_eq!((notice.id.as_str(), notice.tries), ("n-a", 1));
        assert_eq!(notice.url, "https://hooks.example/x");
        assert_eq!(notice.body, "{\"id\":\"a\"}");
        assert_eq!(try_notice(&*store, HOUR).await, None, "somebody is sending it");
    })
    .await;
}

#[tokio::test]
async fn one_that_was_not_taken_is_due_again_and_one_that_was_is_not() {
    each(async |store| {
        over(&*store, "a").await;
        let first = due(&*store, HOUR).await;
        let settle = async |notice: &Notice, sent| {
            store.settle_notice(&notice.id, notice.fence, sent).await.unwrap()
        };
        assert_eq!(settle(&first, Sent::Again(Duration::ZERO)).await, Held::Still);
        let second = due(&*store, HOUR).await;
        assert_eq!(second.tries, 2);
        assert_eq!(settle(&first, Sent::Delivered).await, Held::Lost, "an old token");
        assert_eq!(settle(&second, Sent::Again(HOUR)).await, Held::Still);
        assert_eq!(try_notice(&*store, HOUR).await, None, "in an hour");
        over(&*store, "b").await;
        let other = due(&*store, HOUR).await;
        assert_eq!(settle(&other, Sent::Delivered).await, Held::Still);
        assert_eq!(settle(&other, Sent::Dead).await, Held::Lost, "it was taken");
        assert_eq!(try_notice(&*store, HOUR).await, None);
    })
    .await;
}

#[tokio::test]
async fn one_whose_sender_vanished_is_sent_by_another_and_one_that_is_dead_by_nobody() {
    each(async |store| {
        over(&*store, "a").await;
        let vanished = due(&*store, Duration::ZERO).await;
        let notice = due(&*store, Duration::ZERO).await;
        assert!(notice.fence > vanished.fence);
        store.settle_notice(&notice.id, notice.fence, Sent::Dead).await.unwrap();
        assert_eq!(try_notice(&*store, HOUR).await, None);
        assert_eq!(store.tally().await.unwrap().dead, 1);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_puts_no_notice_off_for_longer_than_any() {
    for place in Place::both() {
        println!("{}:", place.name());
        let store = place.open().await;
        over(&*store, "a").await;
        let first = due(&*store, HOUR).await;
        // As if the clock had been a day ahead then.
        let ahead = "UPDATE notices SET due_at = due_at + 86400000";
        place.sql(ahead);
        let second = due(&*store, HOUR).await;
        assert!(second.fence > first.fence, "whoever sends it may have ended since");
        assert_eq!(try_notice(&*store, HOUR).await, None, "it is held by today's clock");
        let later = Sent::Again(HOUR);
        store.settle_notice(&second.id, second.fence, later).await.unwrap();
        place.sql(ahead);
        over(&*store, "b").await;
        assert_eq!(due(&*store, HOUR).await.id, "n-b", "it waits for nothing");
        assert_eq!(due(&*store, HOUR).await.id, "n-a");
        assert_eq!(try_notice(&*store, HOUR).await, None);
    }
}

#[tokio::test]
async fn those_that_are_dead_are_listed_by_pages_and_sent_again_where_that_is_wanted() {
    each(async |store| {
        for id in ["a", "b", "c", "d"] {
            over(&*store, id).await;
            let notice = due(&*store, HOUR).await;
            let sent = if id == "d" { Sent::Delivered } else { Sent::Dead };
            store.settle_notice(&notice.id, notice.fence, sent).await.unwrap();
        }
        let dead = |job: &str| DeadNotice {
            id: format!("n-{job}"),
            job: job.to_owned(),
            url: "https://hooks.example/x".to_owned(),
            tries: 1,
        };
        assert_eq!(store.dead_notices("", 2).await.unwrap(), [dead("a"), dead("b")]);
        assert_eq!(store.dead_notices("n-b", 2).await.unwrap(), [dead("c")]);
        let ids = ["n-b", "n-d", "unknown"].map(str::to_owned).into();
        assert_eq!(store.revive_notices(ids).await, Ok(1), "one that was taken stays so");
        assert_eq!(store.dead_notices("", 9).await.unwrap(), [dead("a"), dead("c")]);
        let notice = due(&*store, HOUR).await;
        assert_eq!((notice.id.as_str(), notice.tries), ("n-b", 1), "as if it were new");
        assert_eq!(try_notice(&*store, HOUR).await, None);
    })
    .await;
}
