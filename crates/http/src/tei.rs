//! The routes of Text Embeddings Inference, in its shapes.

use std::fmt;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use trireme_domain::wire::{Kind, Pooling};
use trireme_domain::{Code, Fault};
use trireme_service::{EmbedOptions, Service, Side, Terms, Text, parse};

use crate::answer::{Json, Outcome, Refused};
use crate::asking::{Cutting, nearness, order, ranked, scores, vectors};
use crate::body::{Bytes, Parsed, is_object};
use crate::call::Call;
use crate::inputs::Inputs;
use crate::rerank;
use crate::style;

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
pub(crate) struct EmbedRequest {
    inputs: Inputs,
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    prompt_name: Option<String>,
    #[serde(default = "yes")]
    normalize: bool,
    dimensions: Option<usize>,
    /// Hugging Face's client sends it; numbers are all there is.
    encoding_format: Option<FloatOnly>,
    model: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FloatOnly {
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
enum Judged {
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
struct PredictRequest {
    inputs: Judged,
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    #[serde(default)]
    raw_scores: bool,
    model: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Labelled {
    score: f32,
    label: String,
}

#[derive(Serialize)]
#[serde(untagged)]
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
struct RerankRequest {
    query: String,
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
struct Rank {
    index: usize,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// `documents` is how Cohere asks, and `texts` how this convention does.
pub(crate) async fn rerank(State(service): Host, call: Call, Bytes(body): Bytes) -> Response {
    if rerank::asks(&body) {
        let answer = rerank::ranked(&service, call.0, &body).await;
        return style::said(answer.into_response(), style::cohere);
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
    style::said(answer.await.map(Json).map_err(Refused).into_response(), style::tei)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimilarityRequest {
    inputs: Sentences,
    #[serde(default)]
    parameters: Parameters,
    model: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentences {
    source_sentence: String,
    sentences: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
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
pub(crate) struct TokenizeRequest {
    inputs: Inputs,
    #[serde(default = "yes")]
    add_special_tokens: bool,
    prompt_name: Option<String>,
    model: Option<String>,
}

#[derive(Serialize)]
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
pub(crate) struct DecodeRequest {
    ids: Ids,
    #[serde(default = "yes")]
    skip_special_tokens: bool,
    model: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`ids` is a list of token ids, or a list of such lists")]
enum Ids {
    One(Vec<u32>),
    Many(Vec<Vec<u32>>),
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
pub(crate) struct Info {
    model_id: String,
    model_sha: String,
    model_dtype: String,
    served_model_name: String,
    model_type: serde_json::Value,
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

pub(crate) async fn info(State(service): Host) -> Outcome<Info> {
    let served = service.models.get(None)?;
    let (identity, origin) = (&served.identity, &served.identity.origin);
    let named = || {
        let ids = || identity.labels.iter().enumerate();
        let id2label: serde_json::Map<_, _> =
            ids().map(|(id, label)| (id.to_string(), label.as_str().into())).collect();
        let label2id: serde_json::Map<_, _> =
            ids().map(|(id, label)| (label.clone(), id.into())).collect();
        serde_json::json!({"id2label": id2label, "label2id": label2id})
    };
    let model_type = match identity.kind {
        Kind::Embedding => serde_json::json!({"embedding": {"pooling": word(identity.pooling)}}),
        Kind::Classifier => serde_json::json!({"classifier": named()}),
        Kind::Reranker => serde_json::json!({"reranker": named()}),
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

fn word(pooling: Pooling) -> &'static str {
    match pooling {
        Pooling::Mean => "mean",
        Pooling::Cls => "cls",
        Pooling::Max => "max",
        Pooling::LastToken => "last_token",
    }
}

/// `POST /`: what the model is for.
pub(crate) async fn task(State(service): Host, call: Call, Bytes(body): Bytes) -> Response {
    let answer = async {
        let classifies = service.models.get(None)?.identity.kind != Kind::Embedding;
        let pair = parse::<serde_json::Value>(&body)?;
        if pair.get("query").is_some() {
            return Ok(rerank(State(service), call, Bytes(body)).await);
        }
        if pair.pointer("/inputs/source_sentence").is_some() {
            let request = Parsed(parse(&body)?);
            return Ok(similarity(State(service), call, request).await.into_response());
        }
        if classifies {
            return Ok(predicted(&service, call.0, &body).await.into_response());
        }
        let request = Parsed(parse(&body)?);
        Ok(embed(State(service), call, request).await.into_response())
    };
    let answer = answer.await.unwrap_or_else(|fault: Fault| Refused(fault).into_response());
    style::said(answer, style::tei)
}

/// A route of the convention that this engine has no model for.
pub(crate) async fn no_sparse() -> Refused {
    let message = "sparse vectors need a SPLADE model, which this engine does not run";
    Fault::new(Code::UnsupportedHere, message).into()
}
