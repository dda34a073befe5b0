//! Requests and answers, the same on every host.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::Fault;

/// `POST /predict`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictRequest {
    /// The text.
    pub text: String,
    /// A second text, for models that judge pairs.
    pub pair: Option<String>,
    /// The most tokens to look at, special ones among them.
    pub max_length: Option<usize>,
    /// Whether the answer lists every class.
    #[serde(default = "yes")]
    pub return_probabilities: bool,
}

fn yes() -> bool {
    true
}

/// Who answered: on every answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    pub place: String,
}

/// The answer to `POST /predict`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictAnswer {
    /// Id of the class.
    pub prediction: usize,
    /// Its name.
    pub label: String,
    /// Its score.
    pub confidence: f32,
    /// Every class with its score, in the order of their ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Scores>,
    /// Seconds.
    pub processing_time: f64,
    /// Names this prediction, for feedback.
    pub prediction_id: String,
    /// Who answered.
    #[serde(flatten)]
    pub origin: Origin,
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

/// `POST /encode`: one of `sentence`, `text` and `texts`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodeRequest {
    /// One text.
    pub sentence: Option<String>,
    /// The same, by another name.
    pub text: Option<String>,
    /// Several.
    pub texts: Option<Vec<String>>,
    /// The most tokens to look at, special ones among them.
    pub max_length: Option<usize>,
    /// Whether vectors have length one.
    pub normalize: Option<bool>,
    /// How rows become one.
    pub pooling: Option<Pooling>,
    /// Keeps only the first dimensions.
    pub dimensions: Option<usize>,
    /// How numbers are written.
    #[serde(default)]
    pub encoding: Encoding,
    /// The model's prompt to put first, by name.
    pub prompt: Option<String>,
}

/// How the rows of a text become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Their average.
    Mean,
    /// The first.
    Cls,
    /// The largest of each column.
    Max,
    /// The last.
    LastToken,
}

/// How a vector's numbers are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As they are.
    #[default]
    Float,
    /// Eight signed bits a dimension.
    Int8,
    /// One bit a dimension, in signed bytes.
    Binary,
    /// One bit a dimension, in unsigned bytes.
    Ubinary,
}

/// A vector in its encoding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Vector {
    /// [`Encoding::Float`].
    Float(Vec<f32>),
    /// [`Encoding::Int8`] and [`Encoding::Binary`].
    Signed(Vec<i8>),
    /// [`Encoding::Ubinary`].
    Unsigned(Vec<u8>),
}

/// The answer to `POST /encode`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EncodeAnswer {
    /// One vector or several, as they were asked for.
    #[serde(flatten)]
    pub vectors: Vectors,
    /// Numbers in a vector, before any encoding.
    pub dimensions: usize,
    /// Tokens that were looked at.
    pub tokens: usize,
    /// Seconds.
    pub processing_time: f64,
    /// Who answered.
    #[serde(flatten)]
    pub origin: Origin,
}

/// One vector for one text, a list for a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Vectors {
    /// For `sentence` or `text`.
    #[serde(rename = "embedding")]
    One(Vector),
    /// For `texts`.
    #[serde(rename = "embeddings")]
    Many(Vec<Vector>),
}

/// The answer to everything that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultAnswer {
    /// What, and with what.
    pub error: Fault,
}

/// The answer to `GET /health`: whoever can read it knows that the host is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthAnswer {
    /// `ok`.
    pub status: &'static str,
    /// Who answers.
    #[serde(flatten)]
    pub origin: Origin,
}
