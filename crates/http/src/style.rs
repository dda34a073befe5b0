//! How each convention says a fault. The code, its status and its headers are those of the one
//! table; only the body's shape is the convention's.

use axum::body::Body;
use axum::http::{Response, header};
use serde::Serialize;
use trireme_domain::{Class, Code, Fault};

use crate::answer::{Coded, json};

/// Whose shapes a route speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Convention {
    /// Ours.
    Own,
    /// Text Embeddings Inference.
    Tei,
    /// `OpenAI`.
    OpenAi,
    /// Cohere and Jina.
    Cohere,
    /// Hugging Face's pipelines.
    Plain,
}

/// A fault that has its convention's shape; another convention around it leaves it so.
#[derive(Clone)]
struct Said;

/// The same answer, a fault in it said the convention's way.
pub(crate) fn said(response: Response<Body>, convention: Convention) -> Response<Body> {
    let Some(Coded(fault)) = response.extensions().get::<Coded>().cloned() else {
        return response;
    };
    match convention {
        Convention::Own => response,
        Convention::Tei => shaped(response, &TeiFault::of(&fault)),
        Convention::OpenAi => shaped(response, &OpenAiFault::of(&fault)),
        Convention::Cohere => shaped(response, &CohereFault::of(&fault)),
        Convention::Plain => shaped(response, &PlainFault::of(&fault)),
    }
}

/// A fault's answer with another body, which no convention around it changes again.
pub(crate) fn shaped(response: Response<Body>, body: &impl Serialize) -> Response<Body> {
    if response.extensions().get::<Said>().is_some() {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let (said, body) = json(parts.status, body).into_parts();
    parts.status = said.status;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.extensions.insert(Said);
    Response::from_parts(parts, body)
}

/// A fault as Text Embeddings Inference says it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct TeiFault {
    error: String,
    #[cfg_attr(test, schemars(extend("enum" = ["Empty", "Unhealthy", "Overloaded", "Validation", "Backend"])))]
    error_type: &'static str,
    #[cfg_attr(test, schemars(with = "Code"))]
    code: &'static str,
}

impl TeiFault {
    fn of(fault: &Fault) -> Self {
        let error_type = match (fault.code, fault.code.class()) {
            (Code::EmptyText, _) => "Empty",
            (Code::NotReady | Code::ShuttingDown, _) => "Unhealthy",
            (_, Class::Busy) => "Overloaded",
            (_, Class::Input | Class::Access) | (Code::ModelNotFound, _) => "Validation",
            (_, Class::Model | Class::Source | Class::Unsupported | Class::Internal) => "Backend",
        };
        Self { error: fault.message.clone(), error_type, code: fault.code.name() }
    }
}

/// A fault as `OpenAI` says it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OpenAiFault {
    error: OpenAiError,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct OpenAiError {
    message: String,
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(extend("enum" = ["authentication_error", "permission_error", "rate_limit_error", "invalid_request_error", "server_error"])))]
    kind: &'static str,
    param: (),
    #[cfg_attr(test, schemars(with = "Code"))]
    code: &'static str,
}

impl OpenAiFault {
    fn of(fault: &Fault) -> Self {
        let kind = match (fault.code, fault.code.class()) {
            (Code::Unauthorized, _) => "authentication_error",
            (Code::Forbidden, _) => "permission_error",
            (Code::RateLimited | Code::Overloaded, _) => "rate_limit_error",
            (_, Class::Input | Class::Access) | (Code::ModelNotFound, _) => "invalid_request_error",
            _ => "server_error",
        };
        let (message, code) = (fault.message.clone(), fault.code.name());
        Self { error: OpenAiError { message, kind, param: (), code } }
    }
}

/// A fault as Hugging Face's pipelines and the Open Inference Protocol say it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PlainFault {
    error: String,
    #[cfg_attr(test, schemars(with = "Code"))]
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "bool"))]
    live: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "bool"))]
    ready: Option<bool>,
}

impl PlainFault {
    fn of(fault: &Fault) -> Self {
        Self { error: fault.message.clone(), code: fault.code.name(), live: None, ready: None }
    }

    /// Of a host that is asked whether it is alive.
    pub fn lifeless(fault: &Fault) -> Self {
        Self { live: Some(false), ..Self::of(fault) }
    }

    /// Of a host or a model that is asked whether it is ready.
    pub fn unready(fault: &Fault) -> Self {
        Self { ready: Some(false), ..Self::of(fault) }
    }
}

/// A fault as Cohere says it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CohereFault {
    message: String,
    #[cfg_attr(test, schemars(with = "Code"))]
    code: &'static str,
}

impl CohereFault {
    fn of(fault: &Fault) -> Self {
        Self { message: fault.message.clone(), code: fault.code.name() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::refused;

    #[test]
    fn a_fault_has_each_of_its_headers_once_in_every_convention() {
        use Convention::{Cohere, OpenAi, Own, Plain, Tei};
        for convention in [Own, Tei, OpenAi, Cohere, Plain] {
            let fault = Fault::new(Code::Overloaded, "too many texts are waiting");
            let response = said(refused(fault), convention);
            let headers = response.headers();
            let names =
                headers.keys().map(|name| (name.as_str(), headers.get_all(name).iter().count()));
            let mut names: Vec<_> = names.collect();
            names.sort_unstable();
            let expected = ["content-type", "retry-after", "retry-after-ms", "x-should-retry"];
            assert_eq!(names, expected.map(|name| (name, 1)), "{convention:?}");
        }
    }
}
