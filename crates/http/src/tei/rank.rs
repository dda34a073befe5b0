//! How near texts are to another, and which is the nearest.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use trireme_domain::Fault;
#[cfg(test)]
use trireme_domain::wire::schema::{List as Listed, Text as OneText};
use trireme_service::parse;

use super::meter::{Measured, Meter};
use super::{Direction, cutting};
use crate::answer::Refused;
use crate::body::{Bytes, Parsed};
use crate::call::Call;
use crate::rerank;
use crate::route::Host;
use crate::style::{Convention, said};
use trireme_service::asking::{nearness, order, ranked};

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
        let meter = Meter::begin(&service, all_of(query, texts));
        let (scores, tokens) =
            ranked(&service, &served, query, texts, raw, cutting, call.0).await?;
        let text = |index: usize| texts.get(index).filter(|_| request.return_text).cloned();
        let rank = |index| Rank { index, score: scores[index], text: text(index) };
        let ranks: Vec<Rank> = order(&scores).into_iter().map(rank).collect();
        Ok::<_, Fault>(meter.end(tokens, ranks))
    };
    answer.await.map_err(Refused).into_response()
}

fn all_of<'a>(one: &'a str, others: &'a [String]) -> impl Iterator<Item = &'a str> {
    std::iter::once(one).chain(others.iter().map(String::as_str))
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
) -> Result<Measured<Vec<f32>>, Refused> {
    let served = service.models.get(request.model.as_deref())?;
    let Parameters { truncate, truncation_direction, prompt_name } = request.parameters;
    let cutting = cutting(truncate, truncation_direction);
    let Sentences { source_sentence, sentences } = request.inputs;
    let (query, prompt) = (source_sentence, prompt_name);
    let meter = Meter::begin(&service, all_of(&query, &sentences));
    let (near, tokens) =
        nearness(&service, &served, query, sentences, prompt, cutting, terms).await?;
    Ok(meter.end(tokens, near))
}
