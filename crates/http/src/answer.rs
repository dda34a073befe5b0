//! Answers as JSON, faults with their declared status.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use trireme_domain::wire::FaultAnswer;
use trireme_domain::{Class, Code, Fault};

/// What a handler gives back.
pub(crate) type Outcome<T> = Result<Json<T>, Refused>;

/// A body of JSON.
pub(crate) struct Json<T>(pub T);

/// A fault on its way out.
pub(crate) struct Refused(Fault);

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
        let code = self.0.code;
        let status =
            StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &FaultAnswer { error: self.0 });
        if code.class() == Class::Busy {
            let seconds = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

fn json(status: StatusCode, answer: &impl Serialize) -> Response<Body> {
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
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
