//! Why a model can't be trained.

use trireme_backend::BackendError;
use trireme_model::ModelError;

/// Why a model can't be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// An option makes no sense.
    #[error("{name} is {value}; {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The data hold nothing to learn, or to measure.
    #[error("{what}: {reason}")]
    Data {
        /// Which data.
        what: &'static str,
        /// What is wrong with them.
        reason: String,
    },
    /// The loss is not a number any more.
    #[error(
        "the loss of step {step} is {loss}; take a lower learning rate, or look for texts that \
         can't be learnt"
    )]
    Diverged {
        /// The step.
        step: usize,
        /// Its loss.
        loss: f64,
    },
    /// A saved state is not one of this training.
    #[error("the saved state does not fit: {reason}; begin anew, or with what it was saved with")]
    State {
        /// What does not fit.
        reason: String,
    },
    /// The model refused.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl From<trireme_candle::core::Error> for TrainError {
    fn from(error: trireme_candle::core::Error) -> Self {
        Self::Backend(BackendError::Device { reason: error.to_string() })
    }
}
