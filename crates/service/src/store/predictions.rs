//! Records of predictions, and what belongs to them.

use std::time::Duration;

use super::Stored;

/// Where records of predictions are kept.
pub trait PredictionStore: Send + Sync {
    /// Keeps records for this long. One whose id is known stays as it is.
    fn put_predictions(&self, all: Vec<NewPrediction>, keep: Duration) -> Stored<'_, ()>;

    /// The record of a prediction.
    fn read_prediction(&self, id: &str) -> Stored<'_, Option<KeptPrediction>>;

    /// Deletes the record of a prediction of this owner; says whether there was one.
    fn delete_prediction(&self, id: &str, owner: &str) -> Stored<'_, bool>;

    /// The secret of this name: the one that is kept, or this one from now on.
    fn secret(&self, name: &str, fresh: String) -> Stored<'_, String>;
}

/// A record of a prediction to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrediction {
    /// Names it; no other has it.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// What is kept, as JSON.
    pub record: String,
}

/// A record of a prediction, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPrediction {
    /// Whose it is.
    pub owner: String,
    /// What is kept, as JSON.
    pub record: String,
}
