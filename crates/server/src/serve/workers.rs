//! Those who work while nobody asks: on jobs, on notices, and on what was kept long enough.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::task::JoinSet;
use trireme_domain::Fault;
use trireme_domain::calendar::Calendar;
use trireme_service::Service;
use trireme_service::jobs::{Swept, Worked};
use trireme_service::store::Sent;

use super::notices::Messenger;

/// How long a worker that found nothing to do rests; a job begins that much later at most.
const IDLE: Duration = Duration::from_millis(200);

/// How long one rests that found no store.
const TROUBLE: Duration = Duration::from_secs(2);

/// How often a look is taken at what was kept long enough.
const SWEEP: Duration = Duration::from_secs(60);

/// Those who work while nobody asks, until they are told to stop.
pub struct Workers {
    stop: watch::Sender<bool>,
    all: JoinSet<()>,
}

impl Workers {
    /// So many workers on jobs, and one on each of the other things. None, where nothing is kept.
    pub fn begin(service: &Service, workers: usize, messenger: Messenger) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut all = JoinSet::new();
        if service.jobs.is_some() {
            for _ in 0..workers {
                all.spawn(work(service.clone(), stopped.clone()));
            }
            all.spawn(tell(service.clone(), messenger, stopped.clone()));
            all.spawn(sweep(service.clone(), stopped));
        }
        Self { stop, all }
    }

    /// Waits until every job that was taken up is handed back.
    pub async fn end(mut self) {
        self.stop.send_replace(true);
        while self.all.join_next().await.is_some() {}
    }
}

async fn work(service: Service, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let claimed = match service.take_job().await {
            Ok(Some(claimed)) => claimed,
            Ok(None) => {
                rest(&mut stop, IDLE).await;
                continue;
            }
            Err(fault) => {
                tracing::warn!(%fault, "no job could be taken up");
                rest(&mut stop, TROUBLE).await;
                continue;
            }
        };
        let hold = claimed.hold.clone();
        let job = hold.id.clone();
        let done = tokio::select! {
            biased;
            () = stopped(&mut stop) => None,
            done = service.work_on(claimed) => Some(done),
        };
        match done {
            Some(Ok(Worked::Ended(status))) => {
                tracing::info!(job, status = status.name(), "a job ended");
            }
            Some(Ok(Worked::HandedBack | Worked::Lost)) => {}
            Some(Err(fault)) => {
                tracing::warn!(job, %fault, "a job is left for later");
                // If this can't be said either, its time runs out by itself.
                drop(service.hand_back(hold).await);
                rest(&mut stop, TROUBLE).await;
            }
            None => drop(service.hand_back(hold).await),
        }
    }
}

async fn tell(service: Service, messenger: Messenger, mut stop: watch::Receiver<bool>) {
    loop {
        // A notice that is on its way as all stop is sent again, under its own id.
        let told = tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            told = told(&service, &messenger) => told,
        };
        match told {
            Ok(true) => {}
            Ok(false) => rest(&mut stop, 5 * IDLE).await,
            Err(fault) => {
                tracing::warn!(%fault, "no notice could be sent");
                rest(&mut stop, TROUBLE).await;
            }
        }
    }
}

/// Sends the notice that is due; whether there was one.
async fn told(service: &Service, messenger: &Messenger) -> Result<bool, Fault> {
    let Some(notice) = service.take_notice().await? else { return Ok(false) };
    let taken = messenger.send(&notice).await;
    let sent = service.settle_notice(&notice, taken.is_ok()).await?;
    match (taken, sent) {
        (Err(reason), Sent::Dead) => {
            tracing::error!(notice = notice.id, reason, "a notice is given up");
        }
        (Err(reason), _) => tracing::warn!(notice = notice.id, reason, "a notice was not taken"),
        (Ok(()), _) => {}
    }
    Ok(true)
}

async fn sweep(service: Service, mut stop: watch::Receiver<bool>) {
    let mut calendar = Calendar::default();
    while !*stop.borrow() {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if calendar.believes(service.clock.now(), wall) {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                swept = service.sweep() => swept.into_iter().for_each(said),
            }
        } else {
            tracing::warn!("the clock was set forward; nothing is forgotten for an hour");
        }
        rest(&mut stop, SWEEP).await;
    }
}

/// Says what came of a look at what was kept long enough. One that fails is tried again with the
/// next look.
fn said((what, swept): Swept) {
    match swept {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, what, "some were kept long enough"),
        Err(fault) => tracing::warn!(%fault, what, "these could not be looked through"),
    }
}

async fn rest(stop: &mut watch::Receiver<bool>, time: Duration) {
    drop(tokio::time::timeout(time, stopped(stop)).await);
}

/// Resolves once all are told to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
