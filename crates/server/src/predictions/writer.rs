//! The one who writes records down, all that wait at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use trireme_domain::{Code, Fault};
use trireme_service::records::Entry;
use trireme_service::store::{NewPrediction, PredictionStore};

use super::{Files, Line, blocking};

/// Batches that are written together at most.
const TOGETHER: usize = 256;

/// Records of a request, and who waits for them.
pub struct Batch {
    pub entries: Vec<Entry>,
    pub done: oneshot::Sender<Result<(), Fault>>,
}

/// Writes to the store, and to the log where there is one.
pub struct Writer {
    pub store: Arc<dyn PredictionStore>,
    pub files: Option<Arc<Files>>,
    pub keep: Duration,
}

impl Writer {
    /// Writes what comes, until nobody can send any more.
    pub async fn write(self, mut inbox: mpsc::Receiver<Batch>) {
        let (mut batches, mut well) = (Vec::with_capacity(TOGETHER), true);
        while inbox.recv_many(&mut batches, TOGETHER).await > 0 {
            // Nobody was told the ids of those that were given up.
            batches.retain(|batch| !batch.done.is_closed());
            if batches.is_empty() {
                continue;
            }
            let entries = batches.iter_mut().flat_map(|batch| std::mem::take(&mut batch.entries));
            let written = self.all(entries.collect()).await;
            // Said when it begins and when it is over, not each time.
            match (&written, well) {
                (Err(fault), true) => tracing::error!(%fault, "predictions are not recorded"),
                (Ok(()), false) => tracing::info!("predictions are recorded again"),
                _ => {}
            }
            well = written.is_ok();
            for batch in batches.drain(..) {
                // Whoever asked may have left.
                drop(batch.done.send(written.clone()));
            }
        }
    }

    async fn all(&self, entries: Vec<Entry>) -> Result<(), Fault> {
        let new: Vec<_> = entries.iter().map(new).collect::<Result<_, _>>()?;
        self.store.put_predictions(new, self.keep).await?;
        if let Some(files) = self.files.clone() {
            let lines = entries.into_iter().map(line).collect::<Result<String, _>>()?;
            blocking(move || files.append(&lines)).await?;
        }
        Ok(())
    }
}

fn new(Entry { owner, record }: &Entry) -> Result<NewPrediction, Fault> {
    let written = serde_json::to_string(record).map_err(|e| unwritten(&e))?;
    let id = record.prediction_id.clone();
    Ok(NewPrediction { id, owner: owner.to_string(), record: written })
}

fn line(Entry { owner, record }: Entry) -> Result<String, Fault> {
    let line = serde_json::to_string(&Line { owner: owner.to_string(), record })
        .map_err(|e| unwritten(&e))?;
    Ok(line + "\n")
}

fn unwritten(error: &serde_json::Error) -> Fault {
    Fault::new(Code::Internal, format!("a record can't be written: {error}"))
}
