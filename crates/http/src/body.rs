//! A request's body, within the limit and read as JSON.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use trireme_domain::{Code, Fault};
use trireme_service::{Service, parse};

use crate::answer::Refused;

/// A parsed body. The content type is not asked for: `curl -d` sends another one.
pub(crate) struct Parsed<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Service> for Parsed<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, service: &Service) -> Result<Self, Refused> {
        let bytes = read(request.into_body(), service.limits.body_bytes).await?;
        Ok(Self(parse(&bytes)?))
    }
}

async fn read(body: Body, most: usize) -> Result<Vec<u8>, Fault> {
    match Limited::new(body, most).collect().await {
        Ok(whole) => Ok(whole.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("the body has more than {most} bytes; send less at once");
            Err(Fault::new(Code::BodyTooLarge, message))
        }
        Err(error) => Err(Fault::new(Code::InvalidRequest, format!("the body broke off: {error}"))),
    }
}
