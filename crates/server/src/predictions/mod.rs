//! Where a native host keeps records of predictions: in its store, and in a log of JSON lines where
//! one is wanted.
//!
//! Requests that are answered at the same time are written down together: one of them pays for the
//! disk, and all of them wait for it.

mod files;
mod patience;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use trireme_domain::records::{Keeping, Record};
use trireme_domain::{Code, Fault};
use trireme_service::ports::BoxFuture;
use trireme_service::records::{Entry, Found, Ledger, Records};
use trireme_service::store::PredictionStore;

use crate::manifest;
pub use files::Files;
use patience::Patience;
use writer::{Batch, Writer};

/// Batches that may wait to be written; beyond them records are not kept.
const WAITING: usize = 4096;

/// How long an answer waits for its record; a place that takes longer is as good as away.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where records go, and for how long.
pub struct Places {
    /// The store.
    pub store: Arc<dyn PredictionStore>,
    /// The log.
    pub files: Option<Files>,
    /// How long the store keeps a record.
    pub keep: Duration,
    /// The folder of copies of the store, whose manifests hear of what is deleted.
    pub backups: Option<PathBuf>,
}

/// Records of predictions, in their places.
pub struct Predictions {
    inbox: mpsc::Sender<Batch>,
    store: Arc<dyn PredictionStore>,
    files: Option<Arc<Files>>,
    backups: Option<PathBuf>,
    patience: Patience,
}

/// A line of the log.
#[derive(Serialize, Deserialize)]
struct Line {
    owner: String,
    #[serde(flatten)]
    record: Record,
}

/// Begins to keep records, on the runtime that calls this.
///
/// # Errors
/// Faults of the places, which must be there to begin with.
pub async fn keep_predictions(places: Places, keeping: Keeping) -> Result<Records, Fault> {
    let Places { store, files, keep, backups } = places;
    let key = key(store.as_ref()).await?;
    let files = files.map(Arc::new);
    let (inbox, batches) = mpsc::channel(WAITING);
    let writer = Writer { store: Arc::clone(&store), files: files.clone(), keep };
    tokio::spawn(writer.write(batches));
    let ledger =
        Arc::new(Predictions { inbox, store, files, backups, patience: Patience::default() });
    Ok(Records { ledger, keeping, key })
}

/// The key that digests are made with. It stays where the records are, so that servers which share
/// a store give equal texts equal digests.
async fn key(store: &dyn PredictionStore) -> Result<Arc<[u8]>, Fault> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh)
        .map_err(|e| Fault::new(Code::Internal, format!("no random key: {e}")))?;
    let key = store.secret("prediction-digests", hex::encode(fresh)).await?;
    Ok(key.into_bytes().into())
}

impl Predictions {
    async fn written(&self, entries: Vec<Entry>) -> Result<(), Fault> {
        let (done, kept) = oneshot::channel();
        let sent = self.inbox.try_send(Batch { entries, done });
        sent.map_err(|_| unavailable("too many records wait to be written"))?;
        kept.await.map_err(|_| unavailable("nobody writes records any more"))?
    }
}

fn unavailable(why: &str) -> Fault {
    Fault::new(Code::StoreUnavailable, why)
}

impl Ledger for Predictions {
    fn now(&self) -> f64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_millis() as f64 / 1e3
    }

    fn keep(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async move {
            let Some(waiting) = self.patience.begin() else {
                return Err(unavailable("records take too long to write"));
            };
            let kept = tokio::time::timeout(PATIENCE, self.written(entries)).await;
            waiting.end(kept.is_ok());
            kept.unwrap_or_else(|_| Err(unavailable("a record took too long to write")))
        })
    }

    fn read<'a>(&'a self, owner: &'a str, id: &'a str) -> BoxFuture<'a, Found> {
        Box::pin(async move {
            let kept = self.store.read_prediction(id).await?;
            let own = kept.filter(|kept| kept.owner == owner);
            let read = |e: serde_json::Error| {
                let message = format!("a record that is kept can't be read: {e}");
                Fault::new(Code::InvalidState, message)
            };
            own.map(|kept| serde_json::from_str(&kept.record).map_err(read)).transpose()
        })
    }

    /// The store last: until it is done, whoever asks again is not told that there is nothing.
    fn forget<'a>(&'a self, owner: &'a str, id: &'a str) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move {
            let kept = self.store.read_prediction(id).await?;
            if kept.is_none_or(|kept| kept.owner != owner) {
                return Ok(false);
            }
            let (files, backups, wanted) =
                (self.files.clone(), self.backups.clone(), id.to_owned());
            let elsewhere = move || {
                if let Some(files) = files {
                    files.forget(&wanted, |line: &Line| line.record.prediction_id == wanted)?;
                }
                backups.map_or(Ok(()), |folder| manifest::forget(&folder, &wanted))
            };
            blocking(elsewhere).await?;
            Ok(self.store.delete_prediction(id, owner).await?)
        })
    }

    fn sweep(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(async move {
            let Some(files) = self.files.clone() else { return Ok(()) };
            let gone = blocking(move || files.sweep()).await?;
            if gone > 0 {
                tracing::info!(files = gone, "files of the prediction log were kept long enough");
            }
            Ok(())
        })
    }
}

/// Has a thread that may wait for the disk do something.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Fault::new(Code::Internal, e.to_string()))?
}
