//! From a source to a checkpoint.

use futures_util::future::try_join_all;
use trireme_domain::{Code, Fault};
use trireme_model::Checkpoint;
use trireme_model::files::{Files, wanted};

use crate::faults::{from_model, from_source};
use crate::ports::ModelSource;

/// Fetches what a model needs, and nothing else.
///
/// # Errors
/// The source's fault or the model's.
pub async fn load(source: &dyn ModelSource) -> Result<Checkpoint, Fault> {
    let mut files = Files::default();
    loop {
        let next = wanted(&files).map_err(|e| from_model(&e))?;
        if next.is_empty() {
            break;
        }
        // At once: each file is a journey to a server, and what all of them weigh is known early.
        let fetched = try_join_all(next.iter().map(|name| source.fetch(name))).await;
        for (name, bytes) in next.iter().zip(fetched.map_err(|e| from_source(&e))?) {
            files.insert(name, bytes);
        }
    }
    if files.get("config.json").is_none() && files.get("modules.json").is_none() {
        let message = format!("{} holds no model: there is no config.json", source.describe());
        return Err(Fault::new(Code::ModelNotFound, message));
    }
    Checkpoint::from_files(&files).map_err(|e| from_model(&e))
}
