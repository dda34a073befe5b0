//! What a classification head's numbers mean.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::ModelError;

/// The classes of a head, and how its numbers become scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// A name for each class, by its id.
    pub names: Vec<String>,
    /// From logits to scores.
    pub scoring: Scoring,
}

/// How logits become scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scoring {
    /// One of the classes: softmax.
    Softmax,
    /// Any of the classes, or a single score: a sigmoid for each.
    Sigmoid,
    /// A regression, or a cross-encoder trained on raw scores: as they are.
    Raw,
}

#[derive(Deserialize)]
pub(super) struct Raw {
    id2label: Option<BTreeMap<String, Value>>,
    num_labels: Option<usize>,
    problem_type: Option<String>,
    sentence_transformers: Option<CrossEncoder>,
    sbert_ce_default_activation_function: Option<String>,
}

#[derive(Deserialize)]
struct CrossEncoder {
    activation_fn: Option<String>,
}

/// What `CrossEncoder` saves beside the model, since sentence-transformers 6.
#[derive(Deserialize, Default)]
pub(super) struct Saved {
    activation_fn: Option<String>,
}

impl Labels {
    pub(super) fn read(file: &str, raw: &Raw, saved: &Saved) -> Result<Self, ModelError> {
        let names = match &raw.id2label {
            Some(map) => by_id(file, map)?,
            // The reference's default: two classes without names.
            None => unnamed(file, raw.num_labels.unwrap_or(2))?,
        };
        let scoring = scoring(file, names.len(), raw, saved)?;
        Ok(Self { names, scoring })
    }
}

fn unnamed(file: &str, classes: usize) -> Result<Vec<String>, ModelError> {
    const MOST: usize = 1 << 16;
    if classes == 0 || classes > MOST {
        return Err(ModelError::malformed(file, format!("num_labels = {classes} makes no head")));
    }
    Ok((0..classes).map(|id| format!("LABEL_{id}")).collect())
}

fn by_id(file: &str, map: &BTreeMap<String, Value>) -> Result<Vec<String>, ModelError> {
    let mut names = vec![None; map.len()];
    for (id, name) in map {
        let slot = id.parse().ok().and_then(|id: usize| names.get_mut(id));
        let slot = slot.ok_or_else(|| {
            let reason = format!("id2label has the id {id:?} among {} labels", map.len());
            ModelError::malformed(file, reason)
        })?;
        *slot = Some(name.as_str().map_or_else(|| name.to_string(), str::to_owned));
    }
    let all: Option<Vec<String>> = names.into_iter().collect();
    let distinct = all.iter().flatten().collect::<BTreeSet<_>>().len();
    if distinct < map.len() {
        return Err(ModelError::malformed(file, "id2label gives two classes one name"));
    }
    all.filter(|names| !names.is_empty())
        .ok_or_else(|| ModelError::malformed(file, "id2label names no class, or one twice"))
}

fn scoring(file: &str, classes: usize, raw: &Raw, saved: &Saved) -> Result<Scoring, ModelError> {
    let cross = raw.sentence_transformers.as_ref().and_then(|cross| cross.activation_fn.as_ref());
    let cross = saved.activation_fn.as_ref().or(cross);
    let cross = cross.or(raw.sbert_ce_default_activation_function.as_ref());
    match raw.problem_type.as_deref() {
        Some("regression") => Ok(Scoring::Raw),
        Some("multi_label_classification") => Ok(Scoring::Sigmoid),
        None | Some("single_label_classification") if classes == 1 => {
            // A cross-encoder says so where its score is not a probability.
            match cross.and_then(|name| name.rsplit('.').next()) {
                None | Some("Sigmoid") => Ok(Scoring::Sigmoid),
                Some("Identity") => Ok(Scoring::Raw),
                Some(other) => Err(ModelError::unsupported(file, "activation_fn", other)),
            }
        }
        None | Some("single_label_classification") => Ok(Scoring::Softmax),
        Some(other) => Err(ModelError::unsupported(file, "problem_type", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(config: &str) -> Result<Labels, ModelError> {
        let raw = serde_json::from_str(config).unwrap();
        Labels::read("config.json", &raw, &Saved::default())
    }

    #[test]
    fn the_problem_type_decides_how_scores_are_made() {
        for (config, expected) in [
            (r#"{"id2label": {"0": "no", "1": "yes"}}"#, Scoring::Softmax),
            (r#"{"problem_type": "multi_label_classification"}"#, Scoring::Sigmoid),
            (r#"{"id2label": {"0": "score"}}"#, Scoring::Sigmoid),
            (r#"{"id2label": {"0": "score"}, "problem_type": "regression"}"#, Scoring::Raw),
            (
                r#"{"num_labels": 1, "sbert_ce_default_activation_function":
                    "torch.nn.modules.linear.Identity"}"#,
                Scoring::Raw,
            ),
        ] {
            assert_eq!(labels(config).unwrap().scoring, expected, "{config}");
        }
    }

    #[test]
    fn labels_stand_by_their_ids() {
        let got = labels(
            r#"{"id2label": {"10": "k", "2": "c", "0": "a", "1": "b", "3": "d",
            "4": "e", "5": "f", "6": "g", "7": "h", "8": "i", "9": "j"}}"#,
        );
        assert_eq!(got.unwrap().names.concat(), "abcdefghijk");
    }

    #[test]
    fn a_gap_in_the_labels_is_refused() {
        let got = labels(r#"{"id2label": {"0": "no", "2": "yes"}}"#).unwrap_err().to_string();
        assert_eq!(got, "config.json: id2label has the id \"2\" among 2 labels");
    }
}
