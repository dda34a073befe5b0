//! What every answer has, whichever route gave it: an id, and leave for web pages to read it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use tower_http::cors::{AllowOrigin, CorsLayer};
use trireme_service::ports::Entropy;

use crate::answer::{RETRY_AFTER_MS, SHOULD_RETRY};
use crate::origin::Origin;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a caller.
const LONGEST: usize = 128;

/// The id of a request: the caller's own, or a new one. On its answer and in every line of a log.
#[derive(Debug)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The caller's own, where it fits on a line; else a new one.
    pub fn of(request: &Request, entropy: &dyn Entropy) -> Self {
        let own = request.headers().get(REQUEST_ID).filter(|id| fits(id.as_bytes()));
        let id = own.cloned().map_or_else(|| HeaderValue::try_from(entropy.id()), Ok);
        // What a host makes ids of is letters and digits.
        Self(id.unwrap_or(HeaderValue::from_static("-")))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The answer with this id.
    #[must_use]
    pub fn on(self, mut response: Response) -> Response {
        response.headers_mut().insert(REQUEST_ID, self.0);
        response
    }
}

fn fits(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

/// Gives every answer of these routes an id.
pub(crate) fn identified(routes: Router, entropy: Arc<dyn Entropy>) -> Router {
    routes.layer(middleware::from_fn(move |request: Request, next: Next| {
        let id = RequestId::of(&request, entropy.as_ref());
        async move { id.on(next.run(request).await) }
    }))
}

/// Leave for pages of these origins to read answers, or of all where none is named; no answer depends
/// on cookies, so this gives nothing away.
pub fn cors(origins: &[Origin]) -> CorsLayer {
    let named = origins.iter().map(|Origin(origin)| origin.clone());
    let origins = match origins.is_empty() || named.clone().any(|origin| origin == Origin::ALL) {
        true => AllowOrigin::any(),
        false => AllowOrigin::list(named),
    };
    let from_static = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CACHE_CONTROL,
            header::CONTENT_TYPE,
            REQUEST_ID,
            from_static("idempotency-key"),
            from_static("traceparent"),
            from_static("x-api-key"),
            from_static("x-priority"),
            from_static("x-request-timeout"),
            from_static("inference-header-content-length"),
        ])
        .expose_headers([
            REQUEST_ID,
            header::RETRY_AFTER,
            RETRY_AFTER_MS,
            SHOULD_RETRY,
            from_static("inference-header-content-length"),
        ])
        .max_age(std::time::Duration::from_secs(24 * 3600))
}
