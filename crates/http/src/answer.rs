//! Answers as JSON, faults with their declared status and headers.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use trireme_domain::wire::FaultAnswer;
use trireme_domain::{Class, Code, Fault, Retry};

/// Whether a client should send the same request again; `OpenAI`'s libraries obey it.
pub(crate) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// Milliseconds to wait first, for those who count finer than seconds.
pub(crate) const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// Headers of an answer: a fault's own, an id, and leave for web pages.
const HEADERS: usize = 12;

/// What a handler gives back.
pub(crate) type Outcome<T> = Result<Json<T>, Refused>;

/// A body of JSON.
pub(crate) struct Json<T>(pub T);

/// A fault on its way out.
pub(crate) struct Refused(pub Fault);

/// The fault that an answer tells of; among the answer's extensions, for conventions that say it
/// their own way and for those who count.
#[derive(Debug, Clone)]
pub struct Coded(pub Arc<Fault>);

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

/// What a request gets where there is no service to ask, because no model could be loaded.
#[must_use]
pub fn refused(fault: Fault) -> Response<Body> {
    Refused(fault).into_response()
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response<Body> {
        json(StatusCode::OK, &self.0)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        let answer = FaultAnswer { error: self.0 };
        let mut response = json(status(answer.error.code), &answer);
        declare(&answer.error, response.headers_mut());
        response.extensions_mut().insert(Coded(Arc::new(answer.error)));
        response
    }
}

/// The headers that a fault's code declares.
fn declare(fault: &Fault, headers: &mut HeaderMap) {
    let again = fault.code.retry() == Retry::Later;
    headers.insert(SHOULD_RETRY, HeaderValue::from_static(if again { "true" } else { "false" }));
    if fault.code.class() == Class::Busy {
        let wait = fault.after.map_or(1000, |after| after.as_millis().max(1));
        headers.insert(header::RETRY_AFTER, number(wait.div_ceil(1000)));
        headers.insert(RETRY_AFTER_MS, number(wait));
    }
    if fault.code == Code::Unauthorized {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}

/// The status that a code declares.
pub(crate) fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn number(value: u128) -> HeaderValue {
    HeaderValue::from_str(&value.to_string()).unwrap_or(HeaderValue::from_static("1"))
}

/// Any answer as JSON.
pub(crate) fn json(status: StatusCode, answer: &impl Serialize) -> Response<Body> {
    let (status, body) = match serde_json::to_vec(answer) {
        Ok(body) => (status, body),
        // Our own answers always serialise; if one ever does not, the caller still gets a code.
        Err(_) => {
            let code = Code::Internal.name();
            let body = format!(r#"{{"error":{{"code":"{code}","message":"no JSON"}}}}"#);
            (StatusCode::INTERNAL_SERVER_ERROR, body.into_bytes())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    // Room at once for what every answer gets on its way out.
    response.headers_mut().reserve(HEADERS);
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
