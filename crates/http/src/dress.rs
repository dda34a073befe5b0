//! What every answer has, whichever route gave it: an id, and leave for web pages to read it.

use std::str::FromStr;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use tower_http::cors::{AllowOrigin, CorsLayer};
use trireme_domain::{Code, Fault};
use trireme_service::Service;

use crate::answer::{RETRY_AFTER_MS, SHOULD_RETRY};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a caller.
const LONGEST: usize = 128;

/// The id of a request: the caller's own, or a new one. On every answer and in every line of a log.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Whose pages may read answers: those of a scheme, a host and a port, or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    const ALL: HeaderValue = HeaderValue::from_static("*");
}

impl FromStr for Origin {
    type Err = Fault;

    /// # Errors
    /// [`Code::InvalidOption`] where no browser would ever send it; it is not repeated, for it may
    /// be an address with a secret.
    fn from_str(name: &str) -> Result<Self, Fault> {
        if name == "*" {
            return Ok(Self(Self::ALL));
        }
        let sent = sent(name).and_then(|sent| sent.parse().ok());
        sent.map(Self).ok_or_else(|| {
            let message = "an origin is scheme://host or scheme://host:port, or * for all";
            Fault::new(Code::InvalidOption, message)
        })
    }
}

/// An origin as browsers send it: in small letters, without the port that its scheme has anyway.
fn sent(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let uri: Uri = name.parse().ok()?;
    let (scheme, host, port) = (uri.scheme_str()?, uri.host()?, uri.port_u16());
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    let bare = format!("{scheme}://{host}");
    let whole = port.map_or_else(|| bare.clone(), |port| format!("{bare}:{port}"));
    // What else there is in an address is in no origin.
    if host.is_empty() || !host.bytes().all(named) || whole != name {
        return None;
    }
    Some(match (scheme, port) {
        ("http", Some(80)) | ("https", Some(443)) => bare,
        _ => whole,
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send_of_an_address() {
        for (name, expected) in [
            ("*", Some("*")),
            ("https://page.example", Some("https://page.example")),
            ("HTTPS://Page.Example:8443", Some("https://page.example:8443")),
            ("https://page.example:443", Some("https://page.example")),
            ("http://page.example:80", Some("http://page.example")),
            ("http://page.example:443", Some("http://page.example:443")),
            ("http://[::1]:3000", Some("http://[::1]:3000")),
            ("chrome-extension://abcdef", Some("chrome-extension://abcdef")),
            ("", None),
            ("page.example", None),
            ("page.example:443", None),
            ("https://", None),
            ("https://:443", None),
            ("https://page.example/", None),
            ("https://page.example/path", None),
            ("https://page.example?query", None),
            ("https://me:secret@page.example", None),
            ("https://page.example:", None),
            ("https://page.example:99999", None),
            ("https://*.page.example", None),
            ("https://page.example https://other.example", None),
            ("null", None),
        ] {
            let got = name.parse::<Origin>();
            let got = got.as_ref().map(|Origin(origin)| origin.to_str().unwrap());
            assert_eq!(got.ok(), expected, "{name:?}");
        }
        let fault = "https://me:secret@page.example".parse::<Origin>().unwrap_err();
        assert_eq!(fault.code, Code::InvalidOption);
        assert!(!fault.message.contains("secret"), "{fault}");
    }
}
