//! Requests and answers, the same on every host.

mod about;
mod count;
mod encode;
mod jobs;
mod predict;
#[cfg(feature = "schema")]
pub mod schema;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::Fault;

pub use about::{HealthAnswer, InfoAnswer, Kind, RootAnswer};
pub use count::count;
pub use encode::{EncodeAnswer, EncodeRequest, Encoding, Pooling, Vector, Vectors};
pub use jobs::{AsyncSentimentRequest, JobAnswer, JobKind, JobRequest, JobResult, JobStanding};
pub use predict::{
    BatchAnswer, BatchRequest, Function, Indexed, IndexedAnswer, ListRequest, PredictAnswer,
    PredictRequest, Predicted, SentimentAnswer, SentimentBatchAnswer, SentimentRequest,
    SentimentResult,
};

/// Who answered: on every answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Origin {
    /// The model's name.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Its digest.
    pub digest: String,
    /// The precision that it was computed in.
    pub precision: String,
    /// Where: `client`, `edge` or `origin`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["client", "edge", "origin"])))]
    pub place: String,
}

/// Labels with their scores; a JSON object that keeps its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores(pub Vec<(String, f32)>);

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (label, score) in &self.0 {
            map.serialize_entry(label, score)?;
        }
        map.end()
    }
}

/// The answer to everything that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FaultAnswer {
    /// What, and with what.
    pub error: Fault,
}
