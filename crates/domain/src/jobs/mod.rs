//! Work that outlives the request that brought it.
//!
//! A job is texts, and what is wanted of each. Workers take jobs up, answer their texts in pieces
//! and write each piece down; what is written is never done again. [`Life`] is what may happen to a
//! job, [`Rules`] how much of it a host takes, [`notice`] how somebody is told that it ended.
//!
//! Moments are counted from one that the store chose: only its clock decides.

mod life;
pub mod notice;
mod rules;

use serde::{Deserialize, Serialize};

use crate::{Code, Fault};

pub use life::{Life, Lost};
pub use rules::{Next, Rules};

/// How a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It waits, or is being answered.
    Processing,
    /// Every text has its result.
    Completed,
    /// It ended before that, and its error says why.
    Failed,
    /// Somebody called it off.
    Cancelled,
}

impl Status {
    /// Every status there is.
    pub const ALL: [Self; 4] = [Self::Processing, Self::Completed, Self::Failed, Self::Cancelled];

    /// The status on the wire, and in a store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this name, where it is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What becomes of a request whose idempotency key is known: the same request is the same job.
///
/// ```
/// use trireme_domain::Code;
/// use trireme_domain::jobs::same_request;
///
/// assert_eq!(same_request("9f86", "9f86"), Ok(()));
/// assert_eq!(same_request("9f86", "60303").unwrap_err().code, Code::IdempotencyConflict);
/// ```
///
/// # Errors
/// [`Code::IdempotencyConflict`] where the digests of the two requests differ.
pub fn same_request(known: &str, asked: &str) -> Result<(), Fault> {
    let message = "this idempotency key came with another request before; take a new key";
    let same = known == asked;
    same.then_some(()).ok_or_else(|| Fault::new(Code::IdempotencyConflict, message))
}

/// How much of a job is done, from 0 to 1.
///
/// ```
/// assert_eq!(trireme_domain::jobs::progress(1, 4), 0.25);
/// ```
#[must_use]
pub fn progress(done: usize, texts: usize) -> f64 {
    done.min(texts) as f64 / texts.max(1) as f64
}

#[test]
fn every_status_has_a_name_that_finds_it() {
    for status in Status::ALL {
        assert_eq!(Status::named(status.name()), Some(status));
        assert_eq!(serde_json::json!(status), status.name(), "the wire says it so");
    }
    assert_eq!(Status::named("queued"), None);
}
