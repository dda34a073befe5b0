//! Blocking work off the async runtime, told to stop when nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use trireme_service::ports::SourceError;

use super::about::About;

/// Set once the future that asked for the work was dropped.
#[derive(Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn check(&self, about: About<'_>) -> Result<(), SourceError> {
        if self.0.load(Ordering::Relaxed) {
            return Err(about.io("stopped, because nobody waits for it any more"));
        }
        Ok(())
    }
}

/// A runtime that shuts down waits for its blocking threads, so a download that outlived its
/// caller would hold up the exit.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` on a blocking thread.
pub(super) async fn off_runtime<T, Work>(about: About<'_>, work: Work) -> Result<T, SourceError>
where
    T: Send + 'static,
    Work: FnOnce(&Stop) -> Result<T, SourceError> + Send + 'static,
{
    let guard = StopOnDrop(Stop::default());
    let stop = guard.0.clone();
    let done = tokio::task::spawn_blocking(move || work(&stop)).await;
    done.unwrap_or_else(|failure| Err(about.io(format_args!("the reading thread died: {failure}"))))
}
