//! How each convention says a fault. The code, its status and its headers are those of the one
//! table; only the body's shape is the convention's.

use axum::body::Body;
use axum::http::{Response, header};
use serde_json::{Value, json};
use trireme_domain::{Class, Code, Fault};

use crate::answer::{self, Coded, Refused};

/// A convention's body for a fault.
pub(crate) type Style = fn(&Fault) -> Value;

/// The same answer, a fault in it said the convention's way.
pub(crate) fn said(response: Response<Body>, style: Style) -> Response<Body> {
    let Some(Refused(fault)) = response.extensions().get::<Refused>() else { return response };
    let (mut parts, body) = answer::json(response.status(), &style(fault)).into_parts();
    parts.extensions.insert(Coded(fault.clone()));
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH {
            parts.headers.insert(name, value.clone());
        }
    }
    Response::from_parts(parts, body)
}

/// Text Embeddings Inference.
pub(crate) fn tei(fault: &Fault) -> Value {
    let kind = match (fault.code, fault.code.class()) {
        (Code::EmptyText, _) => "Empty",
        (Code::NotReady | Code::ShuttingDown, _) => "Unhealthy",
        (_, Class::Busy) => "Overloaded",
        (_, Class::Input | Class::Access) | (Code::ModelNotFound, _) => "Validation",
        (_, Class::Model | Class::Source | Class::Unsupported | Class::Internal) => "Backend",
    };
    json!({"error": fault.message, "error_type": kind, "code": fault.code.name()})
}

/// `OpenAI`.
pub(crate) fn openai(fault: &Fault) -> Value {
    let kind = match (fault.code, fault.code.class()) {
        (Code::Unauthorized, _) => "authentication_error",
        (Code::Forbidden, _) => "permission_error",
        (Code::RateLimited | Code::Overloaded, _) => "rate_limit_error",
        (_, Class::Input | Class::Access) | (Code::ModelNotFound, _) => "invalid_request_error",
        _ => "server_error",
    };
    let code = fault.code.name();
    json!({"error": {"message": fault.message, "type": kind, "param": null, "code": code}})
}

/// Hugging Face's pipelines and the Open Inference Protocol.
pub(crate) fn plain(fault: &Fault) -> Value {
    json!({"error": fault.message, "code": fault.code.name()})
}

/// Cohere.
pub(crate) fn cohere(fault: &Fault) -> Value {
    json!({"message": fault.message, "code": fault.code.name()})
}
