//! Work that outlives its request: who brings it, who asks for it, who does it.
//!
//! A host with a store lends it to its [`Service`] as [`Jobs`], and lets workers call
//! [`Service::take_job`] and [`Service::work_on`] for as long as it runs, and now and then
//! [`Service::sweep`].

mod heart;
mod notices;
mod order;
mod read;
mod submit;
mod sweep;
#[cfg(test)]
mod tests;
mod work;

use std::sync::Arc;

use trireme_domain::jobs::Rules;
use trireme_domain::jobs::notice::Retries;
use trireme_domain::{Code, Fault};

use crate::Service;
use crate::ports::Timer;
use crate::store::Store;

pub use read::Page;
pub use submit::Asker;
pub use sweep::Swept;
pub use work::Worked;

/// What a host with a store brings.
#[derive(Clone)]
pub struct Jobs {
    /// Where jobs are kept.
    pub store: Arc<dyn Store>,
    /// The host's patience.
    pub timer: Arc<dyn Timer>,
    /// How much is taken, and how it is gone about.
    pub rules: Rules,
    /// The hosts that notices may go to.
    pub webhooks: Arc<[String]>,
    /// How often a notice is tried.
    pub retries: Retries,
}

impl Jobs {
    /// Jobs in this store, by the usual rules, and no notices.
    pub fn new(store: Arc<dyn Store>, timer: impl Timer + 'static) -> Self {
        let (rules, retries) = (Rules::default(), Retries::default());
        Self { store, timer: Arc::new(timer), rules, webhooks: Arc::default(), retries }
    }
}

impl Service {
    fn jobs(&self) -> Result<&Jobs, Fault> {
        let message = "this host keeps nothing; start one with a store";
        self.jobs.as_ref().ok_or_else(|| Fault::new(Code::UnsupportedHere, message))
    }
}

/// The fault of whoever asks for a job that is not there, or is another's.
fn no_such_job() -> Fault {
    Fault::new(Code::JobNotFound, "there is no such job here, or it was forgotten")
}
