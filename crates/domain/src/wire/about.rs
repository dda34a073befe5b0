//! What a host says of itself.

use serde::Serialize;

use super::{Origin, Pooling};

/// The answer to `GET /health` and its kin: whoever can read it knows that the host is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealthAnswer {
    /// `ok`, or `starting` where no model is loaded yet.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["ok", "starting"])))]
    pub status: &'static str,
    /// Who answers where a request names no model.
    #[serde(flatten)]
    pub origin: Option<Origin>,
}

/// The answer to `GET /`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RootAnswer {
    /// `trireme`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = "trireme")))]
    pub name: &'static str,
    /// The host's version.
    pub trireme: &'static str,
    /// The models that `model` may name; the first answers where a request names none.
    pub models: Vec<String>,
    /// Who answers where a request names no model.
    #[serde(flatten)]
    pub origin: Origin,
}

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Vectors, and no classes.
    Embedding,
    /// Vectors, and one class of several, or several at once.
    Classifier,
    /// Vectors, and one score for a pair of texts.
    Reranker,
}

/// The answer to `GET /model_info`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InfoAnswer {
    /// What it can do.
    pub kind: Kind,
    /// The family of its architecture, as its configuration calls it.
    pub architecture: String,
    /// Its classes by id; empty where it names none.
    pub labels: Vec<String>,
    /// Numbers in a vector.
    pub dimensions: usize,
    /// How rows become a vector, unless a request says otherwise.
    pub pooling: Pooling,
    /// Whether vectors have length one, unless a request says otherwise.
    pub normalize: bool,
    /// The most tokens of a text that it sees, special ones among them.
    pub max_length: usize,
    /// The texts that one request may hold.
    pub max_texts: usize,
    /// Who answers.
    #[serde(flatten)]
    pub origin: Origin,
}
