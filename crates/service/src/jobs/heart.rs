//! Signs of life beside work that takes a while.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};
use trireme_domain::Fault;

use super::Jobs;
use crate::ports::Clock;
use crate::store::{Held, Hold};

/// What comes of work on a job, while signs of life are given; nothing, once the job is lost.
pub async fn beside<T>(
    jobs: &Jobs,
    clock: &dyn Clock,
    hold: &Hold,
    work: impl Future<Output = Result<T, Fault>> + Send,
) -> Result<Option<T>, Fault> {
    let mut work = pin!(work);
    let mut due = clock.now() + jobs.rules.beat();
    loop {
        let left = due.saturating_sub(clock.now());
        if let Either::Left((done, _)) = select(work.as_mut(), jobs.timer.sleep(left)).await {
            return done.map(Some);
        }
        if jobs.store.extend_lease(hold.clone(), jobs.rules.lease).await? == Held::Lost {
            return Ok(None);
        }
        due = clock.now() + jobs.rules.beat();
    }
}
