//! Classes of texts, and of pairs of texts.

use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use trireme_service::{Service, Terms, Text, parse};

use super::meter::{Measured, Meter};
use super::{Direction, cutting};
use crate::answer::Refused;
use trireme_service::asking::{order, scores};

/// A text, a pair, or several of them, each in a list of its own.
pub(crate) enum Judged {
    One(Text),
    Many(Vec<Text>),
}

struct PairOrText(Text);

impl<'de> Deserialize<'de> for PairOrText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut texts = Vec::<String>::deserialize(from)?.into_iter();
        match (texts.next(), texts.next(), texts.next()) {
            (Some(first), second, None) => Ok(Self(Text { first, second })),
            _ => Err(D::Error::custom("a member of `inputs` is a list of one text or two")),
        }
    }
}

impl<'de> Deserialize<'de> for Judged {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Judged;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a pair of texts, or a list of lists of one text or two")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Judged, E> {
                Ok(Judged::One(Text::from(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Judged, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = seq.next_element::<Member>()? {
                    members.push(member);
                }
                judged(members)
            }
        }
        from.deserialize_any(Either)
    }
}

/// A member of a list: a text of a pair, or a list of its own.
#[derive(Deserialize)]
#[serde(untagged)]
enum Member {
    Text(String),
    List(PairOrText),
}

/// `["a", "b"]` is one pair, and no list of two texts; so it is in this convention.
fn judged<E: Error>(members: Vec<Member>) -> Result<Judged, E> {
    let mut texts = Vec::new();
    let mut lists = Vec::new();
    for member in members {
        match member {
            Member::Text(text) => texts.push(text),
            Member::List(PairOrText(text)) => lists.push(text),
        }
    }
    match (<[String; 2]>::try_from(texts), lists.is_empty()) {
        (Ok([first, second]), true) => Ok(Judged::One(Text { first, second: Some(second) })),
        (Err(texts), false) if texts.is_empty() => Ok(Judged::Many(lists)),
        _ => Err(E::custom("`inputs` is one pair of texts, or a list of lists of one text or two")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiPredictRequest"))]
pub(crate) struct PredictRequest {
    inputs: Judged,
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    #[serde(default)]
    raw_scores: bool,
    model: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiLabelled"))]
pub(crate) struct Labelled {
    score: f32,
    label: String,
}

#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiPredictAnswer"))]
pub(crate) enum PredictAnswer {
    One(Vec<Labelled>),
    Many(Vec<Vec<Labelled>>),
}

/// Every class with its score, the highest first.
pub(crate) fn labelled(labels: &[String], scores: &[f32]) -> Vec<Labelled> {
    let row =
        |at: usize| Some(Labelled { score: *scores.get(at)?, label: labels.get(at)?.clone() });
    order(scores).into_iter().filter_map(row).collect()
}

pub(crate) async fn predicted(
    service: &Service,
    terms: Terms,
    body: &[u8],
) -> Result<Measured<PredictAnswer>, Refused> {
    let request: PredictRequest = parse(body)?;
    let served = service.models.get(request.model.as_deref())?;
    let (texts, one) = match request.inputs {
        Judged::One(text) => (vec![text], true),
        Judged::Many(texts) => (texts, false),
    };
    let cutting = cutting(request.truncate, request.truncation_direction);
    let parts = texts.iter().flat_map(|text| [Some(&text.first), text.second.as_ref()]);
    let meter = Meter::begin(service, parts.flatten().map(String::as_str));
    let answers = scores(service, &served, texts, request.raw_scores, cutting, terms).await?;
    let labels = &served.identity.labels;
    let mut rows = answers.iter().map(|answer| labelled(labels, &answer.values));
    let rows = match (one, rows.next()) {
        (true, Some(row)) => PredictAnswer::One(row),
        (_, first) => PredictAnswer::Many(first.into_iter().chain(rows).collect()),
    };
    Ok(meter.end(answers.iter().map(|answer| answer.tokens).sum(), rows))
}
