//! The routes of Text Embeddings Inference, in its shapes.

mod embed;
mod info;
mod meter;
mod predict;
mod rank;
mod tokens;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::IgnoredAny;
use trireme_domain::wire::Kind;
use trireme_domain::{Code, Fault};
use trireme_service::{Side, parse};

pub(crate) use self::embed::{EmbedAllRequest, EmbedRequest, FloatOnly, embed, embed_all};
pub(crate) use self::info::{Info, info};
pub use self::meter::Measure;
#[cfg(test)]
pub(crate) use self::predict::Judged;
pub(crate) use self::predict::{Labelled, PredictAnswer, PredictRequest, labelled, predicted};
pub(crate) use self::rank::{Rank, RerankRequest, SimilarityRequest, rerank, similarity};
pub(crate) use self::tokens::{DecodeRequest, SimpleToken, TokenizeRequest, decode, tokenize};

use crate::answer::Refused;
use crate::body::{Bytes, Parsed, is_object};
use crate::call::Call;
use crate::route::Host;
use trireme_service::asking::Cutting;

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

fn yes() -> bool {
    true
}

fn cutting(truncate: Option<bool>, direction: Option<Direction>) -> Cutting {
    Cutting::new(truncate, direction.map(Side::from))
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
