//! Tokens of texts, and texts of tokens.

use axum::extract::State;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use trireme_domain::wire::schema::List as Listed;
use trireme_service::{Token, reading};

use super::yes;
use crate::answer::{Json, Outcome};
use crate::body::Parsed;
use crate::call::Call;
use crate::inputs::Inputs;
use crate::route::Host;

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
    Call(terms): Call,
    Parsed(request): Parsed<TokenizeRequest>,
) -> Outcome<Vec<Vec<SimpleToken>>> {
    let served = service.models.get(request.model.as_deref())?;
    let (texts, terms) = request.inputs.texts(&service, &served, terms).await?;
    service.limits.check(texts.iter().map(String::as_str))?;
    let (prompt, special) = (request.prompt_name, request.add_special_tokens);
    let all = reading::tokens(&served, texts, prompt, special, terms).await?;
    let simple = |token: Token| SimpleToken {
        id: token.id,
        special: token.place.is_none(),
        start: token.place.map(|(start, _)| start),
        stop: token.place.map(|(_, stop)| stop),
        text: token.text,
    };
    Ok(Json(all.into_iter().map(|tokens| tokens.into_iter().map(simple).collect()).collect()))
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
    Call(terms): Call,
    Parsed(request): Parsed<DecodeRequest>,
) -> Outcome<Vec<String>> {
    let served = service.models.get(request.model.as_deref())?;
    let many = match request.ids {
        Ids::One(ids) => vec![ids],
        Ids::Many(many) => many,
    };
    service.limits.check_count(many.len())?;
    Ok(Json(reading::texts(&served, many, request.skip_special_tokens, terms).await?))
}
