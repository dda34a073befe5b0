//! Vectors of texts, and of their tokens.

use axum::extract::State;
use serde::Deserialize;
use trireme_domain::wire::count;
#[cfg(test)]
use trireme_domain::wire::schema::Positive;
use trireme_service::EmbedOptions;

use super::meter::{Measured, Meter};
use super::{Direction, cutting, yes};
use crate::answer::Refused;
use crate::body::Parsed;
use crate::call::Call;
use crate::inputs::Inputs;
use crate::route::Host;
use trireme_service::asking::{token_vectors, vectors};

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
    #[serde(default, deserialize_with = "count")]
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

/// The vectors of texts.
pub(crate) async fn embed(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<EmbedRequest>,
) -> Result<Measured<Vec<Vec<f32>>>, Refused> {
    let FloatOnly::Float = request.encoding_format.unwrap_or(FloatOnly::Float);
    let served = service.models.get(request.model.as_deref())?;
    let normalize = Some(request.normalize);
    let options = EmbedOptions { pooling: None, normalize, dimensions: request.dimensions };
    let cutting = cutting(request.truncate, request.truncation_direction);
    let (texts, terms) = request.inputs.texts(&service, &served, terms).await?;
    let meter = Meter::begin(&service, texts.iter().map(String::as_str));
    let prompt = request.prompt_name;
    let answers = vectors(&service, &served, texts, options, prompt, cutting, terms).await?;
    let tokens = answers.iter().map(|answer| answer.tokens).sum();
    Ok(meter.end(tokens, answers.into_iter().map(|answer| answer.values).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "TeiEmbedAllRequest"))]
pub(crate) struct EmbedAllRequest {
    inputs: Inputs,
    truncate: Option<bool>,
    truncation_direction: Option<Direction>,
    prompt_name: Option<String>,
    model: Option<String>,
}

/// The vector of every token of texts, as the encoder leaves them.
pub(crate) async fn embed_all(
    State(service): Host,
    Call(terms): Call,
    Parsed(request): Parsed<EmbedAllRequest>,
) -> Result<Measured<Vec<Vec<Vec<f32>>>>, Refused> {
    let served = service.models.get(request.model.as_deref())?;
    let cutting = cutting(request.truncate, request.truncation_direction);
    let (texts, terms) = request.inputs.texts(&service, &served, terms).await?;
    let meter = Meter::begin(&service, texts.iter().map(String::as_str));
    let prompt = request.prompt_name;
    let answers = token_vectors(&service, &served, texts, prompt, cutting, terms).await?;
    let tokens = answers.iter().map(Vec::len).sum();
    Ok(meter.end(tokens, answers))
}
