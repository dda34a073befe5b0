//! Who asks, and by when, from a request's headers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use trireme_domain::batching::Priority;
use trireme_domain::{Code, Fault};
use trireme_service::{Caching, Terms};

use crate::answer::Refused;

/// Seconds, or a number with `ms` or `s` behind it.
const TIMEOUT: HeaderName = HeaderName::from_static("x-request-timeout");

/// `interactive`, or `batch` for work that lets others go first.
const PRIORITY: HeaderName = HeaderName::from_static("x-priority");

/// What the host's guard knows of the caller; it stands among the request's extensions.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Whose turn it is among those who wait.
    pub owner: u64,
    /// Whose what the caller leaves here is: nobody's in particular, where there are no keys.
    pub tenant: Arc<str>,
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// The terms that a request is answered on.
pub(crate) struct Call(pub Terms);

impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let Caller { owner, tenant } =
            parts.extensions.get::<Caller>().cloned().unwrap_or_default();
        let (priority, timeout) = (priority(&parts.headers)?, timeout(&parts.headers)?);
        let caching = caching(&parts.headers);
        Ok(Self(Terms { owner, tenant, priority, timeout, patient: false, caching }))
    }
}

fn priority(headers: &HeaderMap) -> Result<Priority, Fault> {
    match headers.get(PRIORITY).map(HeaderValue::as_bytes) {
        None | Some(b"interactive") => Ok(Priority::Interactive),
        Some(b"batch") => Ok(Priority::Batch),
        Some(_) => {
            let message = format!("{PRIORITY} is `interactive` or `batch`");
            Err(Fault::new(Code::InvalidOption, message))
        }
    }
}

fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Fault> {
    let Some(value) = headers.get(TIMEOUT) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let (number, scale) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(milliseconds), _) => (milliseconds, 1e-3),
        (None, Some(seconds)) => (seconds, 1.0),
        (None, None) => (text, 1.0),
    };
    let seconds = decimal(number).map(|number| number * scale);
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    timeout.filter(|timeout| !timeout.is_zero()).map(Some).ok_or_else(|| {
        let message =
            format!("{TIMEOUT} is seconds (`2.5`) or milliseconds (`250ms`), not {text:?}");
        Fault::new(Code::InvalidOption, message)
    })
}

/// Digits, and a point between digits. Rust reads signs, exponents and infinity too.
fn decimal(text: &str) -> Option<f64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits(whole) && digits(part))
}

/// The name in a path.
pub(crate) struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let path = Path::from_request_parts(parts, state).await;
        let no_text = |_| Fault::new(Code::InvalidUtf8, "the path is not UTF-8");
        Ok(path.map(|Path(name)| Self(name)).map_err(no_text)?)
    }
}

/// As `cache-control` says it. What else can stand there is for caches that can be stale; an answer
/// here never is.
fn caching(headers: &HeaderMap) -> Caching {
    let lines = headers.get_all(header::CACHE_CONTROL).into_iter();
    let words: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    let says = |word: &str| words.iter().any(|said| said.eq_ignore_ascii_case(word));
    match (says("no-store"), says("no-cache")) {
        (true, _) => Caching::Off,
        (false, true) => Caching::Renew,
        (false, false) => Caching::Usual,
    }
}

/// A query string's one parameter that names a model.
pub(crate) struct ModelQuery(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for ModelQuery {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parameter(&parts.uri, "model")))
    }
}

/// A parameter of a query string; one without a value is as good as none.
pub(crate) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next();
    value.filter(|value| !value.is_empty()).map(decoded)
}

/// Undoes a query's `%` escapes; what is none stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_seconds_or_says_otherwise() {
        for (value, expected) in [
            ("2.5", Some(2500)),
            ("250ms", Some(250)),
            (" 3s ", Some(3000)),
            ("3 s", None),
            ("0", None),
            ("0.0000000001", None),
            (".5", None),
            ("5.", None),
            ("1e3", None),
            ("+1", None),
            ("inf", None),
            ("-1", None),
            ("soon", None),
            ("NaN", None),
            ("99999999999999999999", None),
        ] {
            let headers = HeaderMap::from_iter([(TIMEOUT, value.parse().unwrap())]);
            let got = timeout(&headers).ok().flatten().map(|timeout| timeout.as_millis());
            assert_eq!(got, expected, "{value}");
        }
        assert_eq!(timeout(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn whoever_wants_no_answer_from_memory_says_so() {
        for (lines, expected) in [
            (vec![], Caching::Usual),
            (vec!["max-age=0"], Caching::Usual),
            (vec!["no-cache"], Caching::Renew),
            (vec!["no-store"], Caching::Off),
            (vec!["max-age=0, No-Store"], Caching::Off),
            (vec!["no-cache,no-store"], Caching::Off),
            (vec!["no-cache", "no-store"], Caching::Off),
            (vec!["no-stores"], Caching::Usual),
        ] {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append(header::CACHE_CONTROL, line.parse().unwrap());
            }
            assert_eq!(caching(&headers), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_escaped_in_a_query_is_read() {
        for (text, expected) in [
            ("a", "a"),
            ("a%2Fb", "a/b"),
            ("a+b", "a b"),
            ("%", "%"),
            ("%zz", "%zz"),
            ("%C3%A9", "é"),
        ] {
            assert_eq!(decoded(text), expected, "{text}");
        }
    }
}
