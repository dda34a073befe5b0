//! A request's body, within the limit and read as JSON.

use std::error::Error;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use trireme_domain::{Code, Fault, Limits};
use trireme_service::parse;

use crate::answer::Refused;
use crate::route::Shared;

/// A parsed body. The content type is not asked for: `curl -d` sends another one.
pub(crate) struct Parsed<T>(pub T);

/// The same of a job, which may be larger.
pub(crate) struct ParsedJob<T>(pub T);

/// A body as it came, for those who look before they parse.
pub(crate) struct Bytes(pub Vec<u8>);

impl FromRequest<Shared> for Bytes {
    type Rejection = Refused;

    async fn from_request(request: Request, service: &Shared) -> Result<Self, Refused> {
        plain(request.headers())?;
        Ok(Self(read(request.into_body(), &service.limits).await?))
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for Parsed<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, service: &Shared) -> Result<Self, Refused> {
        let Bytes(bytes) = Bytes::from_request(request, service).await?;
        Ok(Self(parse(&bytes)?))
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for ParsedJob<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, service: &Shared) -> Result<Self, Refused> {
        plain(request.headers())?;
        let body_bytes = service.jobs.as_ref().map(|jobs| jobs.rules.body_bytes);
        let limits = Limits {
            body_bytes: body_bytes.unwrap_or(service.limits.body_bytes),
            ..service.limits
        };
        Ok(Self(parse(&read(request.into_body(), &limits).await?)?))
    }
}

/// What a host's body fails with where a piece of it does not come in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not come in time")]
pub struct Late;

/// Whether a failure was caused by such a one.
fn was<E: Error + 'static>(failure: &(dyn Error + 'static)) -> bool {
    failure.is::<E>() || failure.source().is_some_and(was::<E>)
}

/// Whether a body may be an object: a list would be taken for one whose fields are in order.
pub(crate) fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// A packed body could unpack to any size, so none is taken.
fn plain(headers: &HeaderMap) -> Result<(), Fault> {
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(()),
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            let message = format!("a body packed as {other} is not taken; send it as it is");
            Err(Fault::new(Code::UnsupportedEncoding, message))
        }
    }
}

fn broken(error: &axum::Error) -> Fault {
    match was::<Late>(error) {
        true => Fault::new(Code::RequestTimeout, "the body did not come in time; send it again"),
        false => Fault::new(Code::InvalidRequest, format!("the body broke off: {error}")),
    }
}

/// How much is read on past the limit.
const READ_ON: usize = 16 << 20;

/// The most room that is made for a body before it comes.
const EXPECTED: usize = 16 << 10;

/// Reads a body. One over the limit is read on for a while and dropped: a client who is still
/// writing would see a broken connection where the answer should be.
async fn read(mut body: Body, limits: &Limits) -> Result<Vec<u8>, Fault> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    // What a client says may be a lie: room for more is made once more has come.
    let mut bytes = Vec::with_capacity(expected.min(limits.body_bytes).min(EXPECTED));
    let mut seen = 0;
    while seen <= limits.body_bytes.saturating_add(READ_ON)
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|error| broken(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen <= limits.body_bytes {
            bytes.extend_from_slice(&data);
        }
    }
    limits.check_body(seen)?;
    Ok(bytes)
}
