//! What every answer has, whichever route gave it: an id, and leave for web pages to read it.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use tower_http::cors::{AllowOrigin, CorsLayer};
use trireme_service::Service;

use crate::answer::{RETRY_AFTER_MS, SHOULD_RETRY};
use crate::origin::Origin;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a caller.
const LONGEST: usize = 128;

/// The id of a request: the caller's own, or a new one. On every answer and in every line of a log.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Routes with what every answer has. Pages of these origins may read answers, or of all where none
/// is named; no answer depends on cookies, so this gives nothing away.
pub fn dressed(routes: Router, service: &Service, origins: &[Origin]) -> Router {
    let entropy = service.entropy.clone();
    let identified = middleware::from_fn(move |mut request: Request, next: Next| {
        let id = own_id(&request).unwrap_or_else(|| entropy.id());
        async move {
            let value = HeaderValue::from_str(&id);
            request.extensions_mut().insert(RequestId(id));
            let mut response: Response = next.run(request).await;
            value.ok().map(|id| response.headers_mut().insert(REQUEST_ID, id));
            response
        }
    });
    routes.layer(identified).layer(cors(origins))
}

/// The caller's id, where it fits on a line.
fn own_id(request: &Request) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let fits = (1..=LONGEST).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| id.to_owned())
}

fn cors(origins: &[Origin]) -> CorsLayer {
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
