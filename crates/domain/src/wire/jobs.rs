//! `/jobs`, and `/async-sentiment`: work that outlives its request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(feature = "schema")]
use super::schema;
use super::{Origin, Pooling, Predicted, SentimentResult};
use crate::Fault;
use crate::jobs::Status;

/// What a job's texts become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Classes, as `/predict_batch` says them.
    Classify,
    /// Classes, as `/batch-sentiment` says them.
    Sentiment,
    /// Vectors.
    Embed,
}

/// `POST /jobs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// What the texts become.
    pub kind: JobKind,
    /// The texts.
    #[cfg_attr(feature = "schema", schemars(with = "schema::Many<String>"))]
    pub texts: Vec<String>,
    /// The most tokens to look at in each, special ones among them.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Positive>"))]
    pub max_length: Option<usize>,
    /// Whether each result lists every class, where it is a class.
    pub return_probabilities: Option<bool>,
    /// Whether vectors have length one.
    pub normalize: Option<bool>,
    /// How rows become a vector.
    pub pooling: Option<Pooling>,
    /// Keeps only the first dimensions of vectors.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Positive>"))]
    pub dimensions: Option<usize>,
    /// The model's prompt to put first, by name, where the results are vectors.
    pub prompt: Option<String>,
    /// Which model answers.
    pub model: Option<String>,
    /// Who is told that the job ended, where the host allows it.
    pub webhook: Option<String>,
}

/// `POST /async-sentiment`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AsyncSentimentRequest {
    /// The texts.
    #[cfg_attr(feature = "schema", schemars(with = "schema::Many<String>"))]
    pub texts: Vec<String>,
    /// The most tokens to look at in each, special ones among them.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Positive>"))]
    pub max_length: Option<usize>,
    /// Which model answers.
    pub model: Option<String>,
    /// Who is told that the job ended, where the host allows it.
    pub webhook: Option<String>,
}

impl From<AsyncSentimentRequest> for JobRequest {
    fn from(request: AsyncSentimentRequest) -> Self {
        let AsyncSentimentRequest { texts, max_length, model, webhook } = request;
        Self {
            kind: JobKind::Sentiment,
            texts,
            max_length,
            return_probabilities: None,
            normalize: None,
            pooling: None,
            dimensions: None,
            prompt: None,
            model,
            webhook,
        }
    }
}

/// The answer to `POST /jobs`, `POST /async-sentiment` and `DELETE /jobs/{id}`. Whoever reads it
/// knows that the job is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobStanding {
    /// Names the job, to ask for it.
    pub job_id: String,
    /// How it is.
    pub status: Status,
    /// Who will answer.
    #[serde(flatten)]
    pub origin: Origin,
}

/// What became of one text of a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum JobResult {
    /// Its class, or why it has none.
    Class(Predicted),
    /// Its class beside the text, or why it has none.
    Sentiment(SentimentResult),
    /// Its vector.
    Vector {
        /// The vector.
        embedding: Vec<f32>,
    },
    /// Why it has no vector.
    Fault {
        /// What, and with what.
        error: Fault,
    },
}

/// The answer to `GET /jobs/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobAnswer {
    /// Names the job.
    pub job_id: String,
    /// How it is.
    pub status: Status,
    /// What its texts become.
    pub kind: JobKind,
    /// The results that were asked for, of those there are: one for each text, in order.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<JobResult>"))]
    pub results: Vec<Value>,
    /// Where the next results begin; null where there are none yet, or no more.
    pub next: Option<usize>,
    /// How much is done, from 0 to 1.
    pub progress: f64,
    /// Texts that have a result.
    pub done: usize,
    /// Texts in all.
    pub texts: usize,
    /// Seconds since it was first taken up, until it ended.
    pub processing_time: f64,
    /// Why it failed.
    pub error: Option<Fault>,
    /// Who answers.
    #[serde(flatten)]
    pub origin: Origin,
}
