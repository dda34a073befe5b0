//! One HTTP client: timeouts, and redirects followed without giving the token away.

use std::time::Duration;

use trireme_service::ports::SourceError;
use ureq::http::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use ureq::http::{Method, Request, Response, Uri};
use ureq::{Agent, Body, Proxy};

use super::settings::{NetSettings, Progress};
use super::untrusted::address::{redirected, same_origin};

const MAX_REDIRECTS: usize = 10;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(super) enum NetError {
    #[error(transparent)]
    Transport(#[from] ureq::Error),
    #[error(transparent)]
    Request(#[from] ureq::http::Error),
    #[error("the server redirects to an address that can't be followed")]
    BadRedirect,
    #[error("the server redirects more than {MAX_REDIRECTS} times")]
    TooManyRedirects,
}

pub(super) struct Client {
    agent: Agent,
    bearer: Option<HeaderValue>,
    settings: NetSettings,
}

impl Client {
    pub fn new(settings: NetSettings, place: &str) -> Result<Self, SourceError> {
        let wrong = |reason: &str| SourceError::Misconfigured {
            place: place.to_owned(),
            reason: reason.to_owned(),
        };
        let proxy = settings.proxy.as_deref().map(Proxy::new).transpose();
        let proxy = proxy.map_err(|_| wrong("the proxy is no address; write http://host:port"))?;
        let bearer = settings.token.as_deref().map(bearer).transpose();
        let bearer = bearer
            .map_err(|_| wrong("the token has characters that no token has; copy it anew"))?;
        Ok(Self { agent: agent(&settings, proxy), bearer, settings })
    }

    /// Sends a request and follows redirects. `leave` is asked, with the answer that redirects,
    /// before another origin is visited; its refusal makes that answer the result.
    pub fn send(
        &self,
        method: &Method,
        start: &Uri,
        headers: &HeaderMap,
        leave: impl Fn(&HeaderMap) -> bool,
    ) -> Result<Response<Body>, NetError> {
        let mut address = start.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut request = Request::builder().method(method).uri(&address).body(())?;
            request.headers_mut().extend(headers.clone());
            if let Some(bearer) = &self.bearer
                && same_origin(start, &address)
            {
                request.headers_mut().insert(AUTHORIZATION, bearer.clone());
            }
            let response = self.agent.run(request)?;
            let Some(next) = redirect(&address, &response)? else { return Ok(response) };
            if !same_origin(&address, &next) && !leave(response.headers()) {
                return Ok(response);
            }
            address = next;
        }
        Err(NetError::TooManyRedirects)
    }

    pub fn retries(&self) -> u32 {
        self.settings.retries
    }

    pub fn retry_pause(&self) -> Duration {
        self.settings.retry_pause
    }

    pub fn report(&self, progress: Progress<'_>) {
        if let Some(report) = &self.settings.progress {
            report(progress);
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, ureq::http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn agent(settings: &NetSettings, proxy: Option<Proxy>) -> Agent {
    let config = Agent::config_builder()
        .user_agent(concat!("trireme/", env!("CARGO_PKG_VERSION")))
        // Sizes, ranges and digests are those of the plain bytes.
        .accept_encoding("identity")
        // Always set, because the client would read the environment otherwise.
        .proxy(proxy)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(Some(settings.connect_timeout))
        .timeout_connect(Some(settings.connect_timeout))
        .timeout_recv_response(Some(settings.read_timeout))
        .timeout_per_read(Some(settings.read_timeout))
        .build();
    Agent::new_with_config(config)
}

/// Where the answer sends its reader, or `None` where it is an answer.
fn redirect(address: &Uri, response: &Response<Body>) -> Result<Option<Uri>, NetError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| redirected(address, location));
    next.ok_or(NetError::BadRedirect).map(Some)
}
