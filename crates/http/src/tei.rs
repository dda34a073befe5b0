//! The routes of Text Embeddings Inference, in its shapes.

use std::fmt;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
#[cfg(test)]
use trireme_domain::wire::schema::{List as Listed, Positive, Text as OneText};
use trireme_domain::wire::{Kind, Pooling};
use trireme_domain::{Code, Fault};
use trireme_service::{EmbedOptions, Service, Side, Terms, Text, parse};

use crate::answer::{Json, Outcome, Refused};
use crate::asking::{Cutting, nearness, order, ranked, scores, vectors};
use crate::body::{Bytes, Parsed, is_object};
use crate::call::Call;
use crate::inputs::Inputs;
use crate::rerank;
use crate::style::{Convention, said};

type Host = State<Service>;

/// Whether a body speaks this convention: it has `inputs`.
pub(crate) fn asks(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        inputs: Option<IgnoredAny>,
    }
    is_object(body) && parse::<Probe>(body).is_ok_and(|probe| probe.inputs.is_some())
}

#[derive(Deserialize, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiDirection", extend("enum" = ["Left", "left", "Right", "right"])))]
pub(crate) enum Direction {
    #[serde(alias = "left")]
    Left,
    #[serde(alias = "right")]
    Right,
}

impl From<Direction> for Side {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Left => Self::Left,
            Direction::Right => Self::Right,
        }
    }
}

fn cutting(truncate: Option<bool>, direction: Option<Direction>) -> Cutting {
    Cutting::new(truncate, direction.map(Side::from))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiEmbedRequest"))]
pub(crate) struct EmbedRequest {
    inputs: Inputs,
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    prompt_name: Option<String>,
    #[serde(default = "yes")]
    normalize: bool,
    #[cfg_attr(test, schemars(with = "Option<Positive>"))]
    dimensions: Option<usize>,
    /// Hugging Face's client sends it; numbers are all there is.
    encoding_format: Option<FloatOnly>,
    model: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiFormat"))]
pub(crate) enum FloatOnly {
    Float,
}

fn yes() -> bool {
    true
}

pub(crate) async fn embed(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<EmbedRequest>,
) -> Outcome<Vec<Vec<f32>>> {
    let FloatOnly::Float = request.encoding_format.unwrap_or(FloatOnly::Float);
    let served = service.models.get(request.model.as_deref())?;
    let normalize = Some(request.normalize);
    let options = EmbedOptions { pooling: None, normalize, dimensions: request.dimensions };
    let cutting = cutting(request.truncate, request.truncation_direction);
    let (texts, prompt) = (request.inputs.into_texts(), request.prompt_name);
    let answers = vectors(&service, &served, texts, options, prompt, cutting, terms).await?;
    Ok(Json(answers.into_iter().map(|answer| answer.values).collect()))
}

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
) -> Result<Json<PredictAnswer>, Refused> {
    let request: PredictRequest = parse(body)?;
    let served = service.models.get(request.model.as_deref())?;
    let (texts, one) = match request.inputs {
        Judged::One(text) => (vec![text], true),
        Judged::Many(texts) => (texts, false),
    };
    let cutting = cutting(request.truncate, request.truncation_direction);
    let answers = scores(service, &served, texts, request.raw_scores, cutting, terms).await?;
    let labels = &served.identity.labels;
    let mut rows = answers.iter().map(|answer| labelled(labels, &answer.values));
    Ok(Json(match (one, rows.next()) {
        (true, Some(row)) => PredictAnswer::One(row),
        (_, first) => PredictAnswer::Many(first.into_iter().chain(rows).collect()),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiRerankRequest"))]
pub(crate) struct RerankRequest {
    #[cfg_attr(test, schemars(with = "OneText"))]
    query: String,
    #[cfg_attr(test, schemars(with = "Listed<OneText>"))]
    texts: Vec<String>,
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    #[serde(default)]
    raw_scores: bool,
    #[serde(default)]
    return_text: bool,
    model: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiRank"))]
pub(crate) struct Rank {
    index: usize,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    text: Option<String>,
}

/// `documents` is how Cohere asks, and `texts` how this convention does.
pub(crate) async fn rerank(State(service): Host, call: Call, Bytes(body): Bytes) -> Response {
    if rerank::asks(&body) {
        let answer = rerank::ranked(&service, call.0, &body).await;
        return said(answer.into_response(), Convention::Cohere);
    }
    let answer = async {
        let request: RerankRequest = parse(&body)?;
        let served = service.models.get(request.model.as_deref())?;
        let cutting = cutting(request.truncate, request.truncation_direction);
        let (query, texts, raw) = (&request.query, &request.texts, request.raw_scores);
        let (scores, _) = ranked(&service, &served, query, texts, raw, cutting, call.0).await?;
        let text = |index: usize| texts.get(index).filter(|_| request.return_text).cloned();
        let rank = |index| Rank { index, score: scores[index], text: text(index) };
        Ok::<_, Fault>(order(&scores).into_iter().map(rank).collect::<Vec<_>>())
    };
    answer.await.map(Json).map_err(Refused).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiSimilarityRequest"))]
pub(crate) struct SimilarityRequest {
    inputs: Sentences,
    #[serde(default)]
    parameters: Parameters,
    model: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiSentences"))]
struct Sentences {
    #[cfg_attr(test, schemars(with = "OneText"))]
    source_sentence: String,
    #[cfg_attr(test, schemars(with = "Listed<OneText>"))]
    sentences: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiParameters"))]
struct Parameters {
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    prompt_name: Option<String>,
}

pub(crate) async fn similarity(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<SimilarityRequest>,
) -> Outcome<Vec<f32>> {
    let served = service.models.get(request.model.as_deref())?;
    let Parameters { truncate, truncation_direction, prompt_name } = request.parameters;
    let cutting = cutting(truncate, truncation_direction);
    let Sentences { source_sentence, sentences } = request.inputs;
    let (query, prompt) = (source_sentence, prompt_name);
    let near = nearness(&service, &served, query, sentences, prompt, cutting, terms).await?;
    Ok(Json(near.0))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiTokenizeRequest"))]
pub(crate) struct TokenizeRequest {
    inputs: Inputs,
    #[serde(default = "yes")]
    add_special_tokens: bool,
    prompt_name: Option<String>,
    model: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiToken"))]
pub(crate) struct SimpleToken {
    id: u32,
    text: String,
    special: bool,
    start: Option<usize>,
    stop: Option<usize>,
}

pub(crate) async fn tokenize(
    State(service): Host,
    Parsed(request): Parsed<TokenizeRequest>,
) -> Outcome<Vec<Vec<SimpleToken>>> {
    let served = service.models.get(request.model.as_deref())?;
    let texts = request.inputs.into_texts();
    service.limits.check(texts.iter().map(String::as_str))?;
    let tokens = |text: &String| {
        let prompt = request.prompt_name.as_deref();
        let tokens = served.reader.tokens(text, prompt, request.add_special_tokens)?;
        let simple = |token: trireme_service::Token| SimpleToken {
            id: token.id,
            special: token.place.is_none(),
            start: token.place.map(|(start, _)| start),
            stop: token.place.map(|(_, stop)| stop),
            text: token.text,
        };
        Ok(tokens.into_iter().map(simple).collect())
    };
    Ok(Json(texts.iter().map(tokens).collect::<Result<_, Fault>>()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiDecodeRequest"))]
pub(crate) struct DecodeRequest {
    ids: Ids,
    #[serde(default = "yes")]
    skip_special_tokens: bool,
    model: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`ids` is a list of token ids, or a list of such lists")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiIds"))]
enum Ids {
    One(Vec<u32>),
    Many(#[cfg_attr(test, schemars(with = "Listed<Vec<u32>>"))] Vec<Vec<u32>>),
}

pub(crate) async fn decode(
    State(service): Host,
    Parsed(request): Parsed<DecodeRequest>,
) -> Outcome<Vec<String>> {
    let served = service.models.get(request.model.as_deref())?;
    let many = match request.ids {
        Ids::One(ids) => vec![ids],
        Ids::Many(many) => many,
    };
    service.limits.check_count(many.len())?;
    let text = |ids: &Vec<u32>| served.reader.text(ids, request.skip_special_tokens);
    Ok(Json(many.iter().map(text).collect::<Result<_, Fault>>()?))
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiInfo"))]
pub(crate) struct Info {
    model_id: String,
    model_sha: String,
    model_dtype: String,
    served_model_name: String,
    model_type: ModelType,
    max_concurrent_requests: usize,
    max_input_length: usize,
    max_batch_tokens: usize,
    max_batch_requests: Option<usize>,
    max_client_batch_size: usize,
    auto_truncate: bool,
    tokenization_workers: usize,
    version: &'static str,
    sha: Option<&'static str>,
    docker_label: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiModelType"))]
enum ModelType {
    Embedding { pooling: Pooling },
    Classifier(Named),
    Reranker(Named),
}

/// The classes by their ids, and the other way about.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiNamed"))]
struct Named {
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, String>"))]
    id2label: Map<String, Value>,
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, usize>"))]
    label2id: Map<String, Value>,
}

pub(crate) async fn info(State(service): Host) -> Outcome<Info> {
    let served = service.models.get(None)?;
    let (identity, origin) = (&served.identity, &served.identity.origin);
    let named = || {
        let ids = || identity.labels.iter().enumerate();
        Named {
            id2label: ids().map(|(id, label)| (id.to_string(), label.as_str().into())).collect(),
            label2id: ids().map(|(id, label)| (label.clone(), id.into())).collect(),
        }
    };
    let model_type = match identity.kind {
        Kind::Embedding => ModelType::Embedding { pooling: identity.pooling },
        Kind::Classifier => ModelType::Classifier(named()),
        Kind::Reranker => ModelType::Reranker(named()),
    };
    let capacity = served.compute.capacity();
    Ok(Json(Info {
        model_id: origin.model.clone(),
        model_sha: origin.digest.clone(),
        model_dtype: origin.precision.clone(),
        served_model_name: origin.model.clone(),
        model_type,
        max_concurrent_requests: capacity.waiting,
        max_input_length: served.reader.max_tokens(),
        max_batch_tokens: capacity.batch_tokens,
        max_batch_requests: Some(capacity.batch_texts),
        max_client_batch_size: service.limits.texts,
        auto_truncate: true,
        tokenization_workers: 1,
        version: env!("CARGO_PKG_VERSION"),
        sha: None,
        docker_label: None,
    }))
}

/// `POST /`: what the model is for.
pub(crate) async fn task(State(service): Host, call: Call, Bytes(body): Bytes) -> Response {
    let asked = parse::<serde_json::Value>(&body);
    // It speaks two conventions, and says its faults in the right one.
    if asked.as_ref().is_ok_and(|asked| asked.get("query").is_some()) {
        return rerank(State(service), call, Bytes(body)).await;
    }
    let answer = async {
        let classifies = service.models.get(None)?.identity.kind != Kind::Embedding;
        if asked?.pointer("/inputs/source_sentence").is_some() {
            let request = Parsed(parse(&body)?);
            return Ok(similarity(State(service), call, request).await.into_response());
        }
        if classifies {
            return Ok(predicted(&service, call.0, &body).await.into_response());
        }
        let request = Parsed(parse(&body)?);
        Ok(embed(State(service), call, request).await.into_response())
    };
    answer.await.unwrap_or_else(|fault: Fault| Refused(fault).into_response())
}

/// A route of the convention that this engine has no model for.
pub(crate) async fn no_sparse() -> Refused {
    let message = "sparse vectors need a SPLADE model, which this engine does not run";
    Fault::new(Code::UnsupportedHere, message).into()
}
