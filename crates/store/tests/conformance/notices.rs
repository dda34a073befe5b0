//! Notices of a job's end: made with it, sent until they are taken, laid aside at last.

use std::time::Duration;

use trireme_domain::jobs::Status;
use trireme_service::store::{Ending, Held, NewJob, Notice, Sent, Store};

use crate::places::{HOUR, claim, each, ending, job};

/// Ends a job of which somebody wants to hear.
async fn over(store: &dyn Store, id: &str) {
    let told = NewJob { webhook: Some("https://hooks.example/x".to_owned()), ..job(id) };
    store.put_job(told, 10, HOUR).await.unwrap();
    let held = claim(store, HOUR).await.hold;
    let notice = (format!("n-{id}"), format!("{{\"id\":\"{id}\"}}"));
    store.end_job(held, Ending { notice, ..ending(Status::Completed) }).await.unwrap();
}

async fn due(store: &dyn Store, lease: Duration) -> Notice {
    store.claim_notice(lease).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_notice_is_made_with_the_end_and_only_where_somebody_wants_it() {
    each(async |store| {
        store.put_job(job("silent"), 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        store.end_job(held, ending(Status::Completed)).await.unwrap();
        assert_eq!(store.claim_notice(HOUR).await, Ok(None));
        over(&*store, "a").await;
        let notice = due(&*store, HOUR).await;
        assert_eq!((notice.id.as_str(), notice.tries), ("n-a", 1));
        assert_eq!(notice.url, "https://hooks.example/x");
        assert_eq!(notice.body, "{\"id\":\"a\"}");
        assert_eq!(store.claim_notice(HOUR).await, Ok(None), "somebody is sending it");
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
        assert_eq!(store.claim_notice(HOUR).await, Ok(None), "in an hour");
        over(&*store, "b").await;
        let other = due(&*store, HOUR).await;
        assert_eq!(settle(&other, Sent::Delivered).await, Held::Still);
        assert_eq!(settle(&other, Sent::Dead).await, Held::Lost, "it was taken");
        assert_eq!(store.claim_notice(HOUR).await, Ok(None));
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
        assert_eq!(store.claim_notice(HOUR).await, Ok(None));
        assert_eq!(store.tally().await.unwrap().dead, 1);
    })
    .await;
}
