//! Signs of life beside work that takes a while.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};
use trireme_domain::Fault;

use super::Jobs;
use crate::served::Served;
use crate::store::{Held, Hold};

/// What comes of work on a job, while signs of life are given; nothing, once the job is lost. None
/// is given for a model whose thread hangs: others, who can go on, then take the job up.
pub async fn beside<T>(
    jobs: &Jobs,
    hold: &Hold,
    served: &Served,
    work: impl Future<Output = Result<T, Fault>> + Send,
) -> Result<Option<T>, Fault> {
    // Both go on while either waits for the store: it serves one at a time.
    let beats = async {
        loop {
            jobs.timer.sleep(jobs.rules.beat()).await;
            if served.live().is_err() {
                continue;
            }
            let held = jobs.store.extend_lease(hold.clone(), jobs.rules.lease).await?;
            if held == Held::Lost {
                return Ok::<(), Fault>(());
            }
        }
    };
    match select(pin!(work), pin!(beats)).await {
        Either::Left((done, _)) => done.map(Some),
        Either::Right((lost, _)) => lost.map(|()| None),
    }
}
