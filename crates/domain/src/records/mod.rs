//! What is kept of predictions, by their ids.
//!
//! A [`Record`] says what was answered, and of the text no more than a [`Trace`]: how long it was,
//! and a digest by which equal texts are known and no text is found out. The text itself is kept
//! only where somebody chose so.

mod rotation;

use serde::{Deserialize, Serialize};

use crate::wire::Origin;

pub use rotation::Rotation;

/// What is kept of a prediction: the answer to `GET /predictions/{id}`, and a line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Record {
    /// Names the prediction.
    pub prediction_id: String,
    /// When it was made, in seconds since 1970.
    pub created_at: f64,
    /// Id of the class.
    pub prediction: usize,
    /// Its name.
    pub label: String,
    /// Its score.
    pub confidence: f32,
    /// What is kept of the text.
    pub text: Trace,
    /// What is kept of the second text, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Trace"))]
    pub pair: Option<Trace>,
    /// Who answered.
    #[serde(flatten)]
    pub origin: Origin,
}

/// What is kept of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trace {
    /// HMAC-SHA-256 of the text, under a key that stays with the records.
    pub digest: String,
    /// Its characters.
    pub characters: usize,
    /// The text, where the host keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub text: Option<String>,
}

/// The answer to `DELETE /predictions/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Forgotten {
    /// The prediction of which nothing is kept any more.
    pub prediction_id: String,
}

/// What of a text is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keeping {
    /// How long it was, and its digest.
    #[default]
    Trace,
    /// The text too.
    Text,
}

impl Keeping {
    /// What is kept of this text, whose digest is known.
    ///
    /// ```
    /// use trireme_domain::records::Keeping;
    ///
    /// let trace = Keeping::Trace.of("déjà vu", "5f16".to_owned());
    /// assert_eq!((trace.characters, trace.text), (7, None));
    /// ```
    #[must_use]
    pub fn of(self, text: &str, digest: String) -> Trace {
        let kept = (self == Self::Text).then(|| text.to_owned());
        Trace { digest, characters: text.chars().count(), text: kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_was_written_down_is_read_again() {
        let origin = Origin {
            model: "moods".to_owned(),
            version: "1".to_owned(),
            digest: "00ff".to_owned(),
            precision: "int8".to_owned(),
            place: "origin".to_owned(),
        };
        let text = Keeping::Text.of("two oars\0", "5f16".to_owned());
        let record = Record {
            prediction_id: "a1".to_owned(),
            created_at: 1_764_000_000.25,
            prediction: 1,
            label: "positive".to_owned(),
            confidence: 0.1 + 0.2,
            pair: Some(Keeping::Trace.of("a net", "77".to_owned())),
            text,
            origin,
        };
        let line = serde_json::to_string(&record).unwrap();
        assert!(!line.contains('\n') && !line.contains("a net"), "{line}");
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record, "{line}");
    }
}
