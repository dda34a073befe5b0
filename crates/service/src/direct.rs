//! Compute for hosts that have one thread.

use std::sync::Arc;

use trireme_backend::Backend;
use trireme_domain::Fault;

use crate::engine::{Answers, Engine, Job, together};
use crate::ports::{BoxFuture, Compute, Pace};

/// A [`Compute`] that works in the caller's own future, at the host's pace; in a build that
/// rehearses accidents, with those.
pub fn direct<B: Backend>(
    engine: impl Into<Arc<Engine<B>>>,
    pace: Box<dyn Pace>,
) -> Arc<dyn Compute> {
    let direct = Direct { engine: engine.into(), pace };
    #[cfg(feature = "drill")]
    let direct = crate::drill::Drill(direct);
    Arc::new(direct)
}

struct Direct<B: Backend> {
    engine: Arc<Engine<B>>,
    pace: Box<dyn Pace>,
}

impl<B: Backend> Compute for Direct<B> {
    fn submit(&self, job: Job) -> BoxFuture<'_, Result<Answers, Fault>> {
        Box::pin(async move { together(self.engine.answer(&job, self.pace.as_ref()).await?) })
    }
}
