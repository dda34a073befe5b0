//! Texts become classes: one, several, and by other names.

use serde::{Deserialize, Serialize};

#[cfg(feature = "schema")]
use super::schema;
use super::{Origin, Scores};
use crate::Fault;

/// What makes scores of a head's numbers, as Hugging Face calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PipelineFunction"))]
#[serde(rename_all = "lowercase")]
pub enum Function {
    /// Nothing.
    None,
    /// Each class by itself.
    Sigmoid,
    /// One class of all.
    Softmax,
}

/// `POST /predict`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PredictRequest {
    /// The text.
    #[cfg_attr(feature = "schema", schemars(with = "schema::Text"))]
    pub text: String,
    /// A second text, for models that judge pairs.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Text>"))]
    pub pair: Option<String>,
    /// The most tokens to look at, special ones among them.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Positive>"))]
    #[serde(default, deserialize_with = "super::count")]
    pub max_length: Option<usize>,
    /// Whether the answer lists every class.
    #[serde(default = "yes")]
    pub return_probabilities: bool,
    /// Which model answers.
    pub model: Option<String>,
}

fn yes() -> bool {
    true
}

/// The answer to `POST /predict`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictAnswer {
    /// Id of the class.
    pub prediction: usize,
    /// Its name.
    pub label: String,
    /// Its score.
    pub confidence: f32,
    /// Every class with its score, in the order of their ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Scores"))]
    pub probabilities: Option<Scores>,
    /// Seconds.
    pub processing_time: f64,
    /// Names this prediction, for feedback. Where records are kept, an answer whose record could
    /// not be kept has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub prediction_id: Option<String>,
    /// Who answered.
    #[serde(flatten)]
    pub origin: Origin,
}

/// `POST /sentiment`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SentimentRequest {
    /// The text.
    #[cfg_attr(feature = "schema", schemars(with = "schema::Text"))]
    pub text: String,
    /// The most tokens to look at, special ones among them.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Positive>"))]
    #[serde(default, deserialize_with = "super::count")]
    pub max_length: Option<usize>,
    /// Which model answers.
    pub model: Option<String>,
}

/// The answer to `POST /sentiment`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SentimentAnswer {
    /// The text that was asked about.
    pub text: String,
    /// The name of its class.
    pub label: String,
    /// Its score.
    pub score: f32,
    /// Seconds.
    pub processing_time: f64,
    /// Names this prediction, for feedback. Where records are kept, an answer whose record could
    /// not be kept has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub prediction_id: Option<String>,
    /// Who answered.
    #[serde(flatten)]
    pub origin: Origin,
}

/// `POST /predict_batch` and `POST /batch-sentiment`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// The texts.
    #[cfg_attr(feature = "schema", schemars(with = "schema::List<String>"))]
    pub texts: Vec<String>,
    /// The most tokens to look at in each, special ones among them.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Positive>"))]
    #[serde(default, deserialize_with = "super::count")]
    pub max_length: Option<usize>,
    /// Whether each answer lists every class.
    #[serde(default = "yes")]
    pub return_probabilities: bool,
    /// Which model answers.
    pub model: Option<String>,
}

/// `POST /batch_predict`: a bare list, or an object.
#[derive(Debug, Clone, PartialEq)]
pub struct ListRequest(pub BatchRequest);

impl<'de> Deserialize<'de> for ListRequest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        /// Told apart by what stands first, so that a fault names the field and not "any variant".
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = BatchRequest;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of texts, or an object with `texts`")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                seq: A,
            ) -> Result<BatchRequest, A::Error> {
                let texts = Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(seq))?;
                Ok(BatchRequest {
                    texts,
                    max_length: None,
                    return_probabilities: true,
                    model: None,
                })
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<BatchRequest, A::Error> {
                BatchRequest::deserialize(serde::de::value::MapAccessDeserializer::new(map))
            }
        }
        from.deserialize_any(Either).map(Self)
    }
}

/// What became of one text of several.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Predicted {
    /// Its class.
    Class {
        /// Id of the class.
        prediction: usize,
        /// Its name.
        label: String,
        /// Its score.
        confidence: f32,
        /// Every class with its score, in the order of their ids.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Scores"))]
        probabilities: Option<Scores>,
        /// Names this prediction, as above.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        prediction_id: Option<String>,
    },
    /// Why it has none.
    Fault {
        /// What, and with what.
        error: Fault,
    },
}

/// The answer to `POST /predict_batch`: for each text, in order, a result.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchAnswer {
    /// For each text its class, or why it has none.
    pub results: Vec<Predicted>,
    /// The ids of the classes.
    pub predictions: Vec<Option<usize>>,
    /// Their scores.
    pub confidences: Vec<Option<f32>>,
    /// Seconds.
    pub processing_time: f64,
    /// Who answered.
    #[serde(flatten)]
    pub origin: Origin,
}

/// A result with the place of its text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Indexed {
    /// The place of the text.
    pub text_index: usize,
    /// What became of it.
    #[serde(flatten)]
    pub predicted: Predicted,
}

/// The answer to `POST /batch_predict`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IndexedAnswer {
    /// A result for each text, in order.
    pub results: Vec<Indexed>,
    /// Seconds.
    pub processing_time: f64,
    /// Who answered.
    #[serde(flatten)]
    pub origin: Origin,
}

/// One result of `POST /batch-sentiment`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum SentimentResult {
    /// Its class.
    Class {
        /// The text that was asked about.
        text: String,
        /// The name of its class.
        label: String,
        /// Its score.
        score: f32,
    },
    /// Why it has none.
    Fault {
        /// The text that was asked about.
        text: String,
        /// What, and with what.
        error: Fault,
    },
}

/// The answer to `POST /batch-sentiment`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SentimentBatchAnswer {
    /// A result for each text, in order.
    pub results: Vec<SentimentResult>,
    /// Seconds.
    pub processing_time: f64,
    /// Who answered.
    #[serde(flatten)]
    pub origin: Origin,
}
