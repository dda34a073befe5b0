//! `POST /encode`: texts become vectors.

use serde::{Deserialize, Serialize};

use super::Origin;
#[cfg(feature = "schema")]
use super::schema;

/// `POST /encode`: one of `sentence`, `text` and `texts`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(transform = schema::one_of_the_texts))]
pub struct EncodeRequest {
    /// One text.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Text>"))]
    pub sentence: Option<String>,
    /// The same, by another name.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Text>"))]
    pub text: Option<String>,
    /// Several.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::List<schema::Text>>"))]
    pub texts: Option<Vec<String>>,
    /// The most tokens to look at, special ones among them.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Positive>"))]
    #[serde(default, deserialize_with = "super::count")]
    pub max_length: Option<usize>,
    /// Whether vectors have length one.
    pub normalize: Option<bool>,
    /// How rows become one.
    pub pooling: Option<Pooling>,
    /// Keeps only the first dimensions.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Positive>"))]
    #[serde(default, deserialize_with = "super::count")]
    pub dimensions: Option<usize>,
    /// How numbers are written.
    #[serde(default)]
    pub encoding: Encoding,
    /// The model's prompt to put first, by name.
    pub prompt: Option<String>,
    /// Which model answers.
    pub model: Option<String>,
}

/// How the rows of a text become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Vector {
    /// As they are.
    Float(Vec<f32>),
    /// In signed bytes.
    Signed(Vec<i8>),
    /// In unsigned bytes.
    Unsigned(Vec<u8>),
}

/// The answer to `POST /encode`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Vectors {
    /// For `sentence` or `text`.
    #[serde(rename = "embedding")]
    One(Vector),
    /// For `texts`.
    #[serde(rename = "embeddings")]
    Many(Vec<Vector>),
}
