//! The Open Inference Protocol, version 2: what `KServe`, Triton and `MLServer` speak.
//!
//! Texts are the BYTES tensor `text`, and `pair` where two are judged together. Tensors come and go
//! in JSON, or as raw bytes behind it, which Triton's clients do unless told otherwise.

mod answer;
mod json;
mod place;
pub mod read;
mod tensors;

#[cfg(test)]
mod read_tests;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use trireme_domain::{Code, Fault};
use trireme_service::{EmbedOptions, Served, Service, Terms, Text, parse};

pub use self::tensors::packed;

pub(crate) use self::answer::{Inferred, Metadata};
pub(crate) use self::json::Body as InferRequest;

use self::answer::{Rows, inferred, offered, usual};
use self::place::{What, place};
use self::read::{Output, Request, Wanted, read};
use crate::answer::{Json, Outcome, Refused};
use crate::body::Bytes;
use crate::call::Call;
use crate::route::Host;
use crate::style::{PlainFault, shaped};
use trireme_service::asking::{Cutting, scores, vectors};

/// How many bytes of a body are JSON; tensors stand behind them.
const JSON_BYTES: &str = "inference-header-content-length";

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipHost"))]
pub(crate) struct About {
    #[cfg_attr(test, schemars(extend("const" = "trireme")))]
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 1],
}

pub(crate) async fn about() -> Json<About> {
    let version = env!("CARGO_PKG_VERSION");
    Json(About { name: "trireme", version, extensions: ["binary_tensor_data"] })
}

/// A host that is alive.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipLive"))]
pub(crate) struct Live {
    #[cfg_attr(test, schemars(extend("const" = true)))]
    live: bool,
}

/// A host whose models are ready.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipReady"))]
pub(crate) struct Ready {
    #[cfg_attr(test, schemars(extend("const" = true)))]
    ready: bool,
}

/// A model that is ready.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipModelReady"))]
pub(crate) struct ModelReady<'a> {
    name: &'a str,
    #[cfg_attr(test, schemars(extend("const" = true)))]
    ready: bool,
}

pub(crate) async fn live(State(service): Host) -> Response {
    health(service.live().map(|_| Live { live: true }), PlainFault::lifeless)
}

pub(crate) async fn ready(State(service): Host) -> Response {
    health(service.ready().map(|_| Ready { ready: true }), PlainFault::unready)
}

fn health(well: Result<impl Serialize, Fault>, ill: fn(&Fault) -> PlainFault) -> Response {
    match well {
        Ok(well) => Json(well).into_response(),
        Err(fault) => {
            let said = ill(&fault);
            shaped(Refused(fault).into_response(), &said)
        }
    }
}

/// What stands behind `/v2/models/`.
pub(crate) struct Rest(String);

impl<S: Send + Sync> FromRequestParts<S> for Rest {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(rest)) => Ok(Self(rest)),
            Err(_) => Err(Fault::new(Code::InvalidUtf8, "the path is not UTF-8").into()),
        }
    }
}

/// `GET /v2/models/{model}[/versions/{version}][/ready]`.
pub(crate) async fn model(State(service): Host, Rest(rest): Rest) -> Result<Response, Refused> {
    let place = place(&rest);
    if place.what == What::Infer {
        return Ok(other_method("GET", "POST"));
    }
    let served = service.models.get(Some(&place.name()))?;
    Ok(match place.what {
        What::Metadata => Json(Metadata::from(&served.identity)).into_response(),
        _ => {
            let name = &served.identity.origin.model;
            let ready = served.ready().map(|()| ModelReady { name, ready: true });
            health(ready, PlainFault::unready)
        }
    })
}

/// `POST /v2/models/{model}[/versions/{version}]/infer`.
pub(crate) async fn infer(
    State(service): Host,
    Rest(rest): Rest,
    Call(terms): Call,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, Refused> {
    let place = place(&rest);
    if place.what != What::Infer {
        return Ok(other_method("POST", "GET,HEAD"));
    }
    let served = service.models.get(Some(&place.name()))?;
    let request = read(&body, json_bytes(&headers)?)?;
    let terms = Terms { timeout: terms.timeout.or(request.timeout), ..terms };
    Ok(answered(&service, &served, request, terms).await?)
}

fn other_method(method: &str, allowed: &'static str) -> Response {
    let message = format!("this path of a model does not answer {method}");
    let refused = Refused(Fault::new(Code::MethodNotAllowed, message));
    ([(header::ALLOW, allowed)], refused).into_response()
}

/// Two of them could mean two splits of one body.
fn json_bytes(headers: &HeaderMap) -> Result<Option<&[u8]>, Fault> {
    let mut values = headers.get_all(JSON_BYTES).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
        _ => Err(Fault::new(Code::InvalidRequest, format!("{JSON_BYTES} is sent twice"))),
    }
}

/// Computes what is asked for, and no more: vectors and classes are different passes.
async fn answered(
    service: &Service,
    served: &Served,
    request: Request,
    terms: Terms,
) -> Result<Response, Fault> {
    let identity = &served.identity;
    let Request { id, model, texts, outputs, binary, timeout: _ } = request;
    if let Some(other) = model.filter(|model| *model != identity.origin.model) {
        let message = format!("model_name: {other:?} is not the path's {}", identity.origin.model);
        return Err(Fault::new(Code::InvalidRequest, message));
    }
    let wanted = match outputs.is_empty() {
        true => usual(identity.kind).map(|output| Wanted { output, binary }).collect(),
        false => outputs,
    };
    let given = offered(identity.kind);
    if let Some(at) = wanted.iter().position(|wanted| !given.contains(&wanted.output)) {
        let message = format!("outputs[{at}].name: {} has no such output", identity.origin.model);
        return Err(Fault::new(Code::NoClassifier, message));
    }
    let embeds = wanted.iter().any(|wanted| wanted.output == Output::Embedding);
    let classifies = wanted.iter().any(|wanted| wanted.output != Output::Embedding);
    if embeds && texts.iter().any(|text| text.second.is_some()) {
        let message = "inputs: `pair` is for classes; an `embedding` is of one text";
        return Err(Fault::new(Code::InvalidRequest, message));
    }
    let mut rows = Rows::default();
    let cutting = Cutting::new(None, None);
    if classifies {
        rows.scores = scores(service, served, texts.clone(), false, cutting, terms.clone()).await?;
    }
    if embeds {
        let texts = texts.into_iter().map(|Text { first, .. }| first).collect();
        let options = EmbedOptions::default();
        rows.vectors = vectors(service, served, texts, options, None, cutting, terms).await?;
    }
    inferred(identity, id.as_deref(), &wanted, &rows)
}

/// A model as the repository lists it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipListed"))]
pub(crate) struct Listed {
    name: String,
    version: String,
    #[cfg_attr(test, schemars(extend("enum" = ["READY", "UNAVAILABLE"])))]
    state: &'static str,
    reason: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "OipIndexRequest"))]
pub(crate) struct IndexRequest {
    /// Only models that answer.
    ready: Option<bool>,
}

/// `POST /v2/repository/index`; Triton's client sends no body.
pub(crate) async fn index(State(service): Host, Bytes(body): Bytes) -> Outcome<Vec<Listed>> {
    let request: IndexRequest = match body.is_empty() {
        true => IndexRequest::default(),
        false => parse(&body)?,
    };
    let all = service.models.all();
    let listed = all.iter().map(|served| {
        let origin = &served.identity.origin;
        let fault = served.ready().err();
        Listed {
            name: origin.model.clone(),
            version: origin.version.clone(),
            state: if fault.is_none() { "READY" } else { "UNAVAILABLE" },
            reason: fault.map(|fault| fault.message).unwrap_or_default(),
        }
    });
    let only_ready = request.ready == Some(true);
    Ok(Json(listed.filter(|model| !only_ready || model.state == "READY").collect()))
}
