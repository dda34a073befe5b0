//! Work that outlives its request: `/jobs`, and the names that others use.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use trireme_domain::wire::{AsyncSentimentRequest, JobAnswer, JobRequest, JobStanding};
use trireme_domain::{Code, Fault};
use trireme_service::jobs::{Asker, Page};

use crate::answer::{Json, Outcome, Refused, json};
use crate::body::ParsedJob;
use crate::call::{Caller, Name, parameter};
use crate::route::Host;

/// The paths of hosts that keep jobs, as the document writes them.
pub(crate) const PATHS: [&str; 4] = ["/jobs", "/jobs/{id}", "/job/{id}", "/async-sentiment"];

/// The same request under the same key is the same job.
const KEY: &str = "idempotency-key";

/// Characters of a key.
const LONGEST: usize = 255;

pub(crate) async fn submit(
    State(service): Host,
    caller: Caller,
    headers: HeaderMap,
    ParsedJob(request): ParsedJob<JobRequest>,
) -> Result<Response, Refused> {
    let asker = Asker { owner: caller.tenant.to_string(), key: key(&headers)? };
    let standing = service.submit_job(request, asker).await?;
    Ok(json(StatusCode::ACCEPTED, &standing))
}

pub(crate) async fn async_sentiment(
    host: Host,
    caller: Caller,
    headers: HeaderMap,
    ParsedJob(request): ParsedJob<AsyncSentimentRequest>,
) -> Result<Response, Refused> {
    submit(host, caller, headers, ParsedJob(request.into())).await
}

pub(crate) async fn read(
    State(service): Host,
    caller: Caller,
    Name(id): Name,
    uri: Uri,
) -> Outcome<JobAnswer> {
    Ok(Json(service.job(&id, &caller.tenant, page(&uri)?).await?))
}

pub(crate) async fn cancel(
    State(service): Host,
    caller: Caller,
    Name(id): Name,
) -> Outcome<JobStanding> {
    Ok(Json(service.cancel_job(&id, &caller.tenant).await?))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let Some(key) = headers.get(KEY) else { return Ok(None) };
    let fits = |key: &&str| {
        (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let message = format!("{KEY} is up to {LONGEST} characters without spaces");
    let key = key.to_str().ok().filter(fits);
    key.map(|key| Some(key.to_owned())).ok_or_else(|| Fault::new(Code::InvalidOption, message))
}

fn page(uri: &Uri) -> Result<Page, Fault> {
    let number = |name: &str| {
        let Some(text) = parameter(uri, name) else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let message = format!("{name} is a number: 0, or 1, and so on");
        let number = text.parse().ok().filter(|_| digits);
        number.map(Some).ok_or_else(|| Fault::new(Code::InvalidOption, message))
    };
    Ok(Page { from: number("from")?.unwrap_or(0), limit: number("limit")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_said_in_numbers_or_not_at_all() {
        let page = |query: &str| page(&format!("/jobs/1{query}").parse().unwrap()).ok();
        for (query, expected) in [
            ("", Some((0, None))),
            ("?from=", Some((0, None))),
            ("?from=7", Some((7, None))),
            ("?limit=3&from=7", Some((7, Some(3)))),
            ("?from=-1", None),
            ("?from=+1", None),
            ("?from=1e3", None),
            ("?from=99999999999999999999999", None),
            ("?limit=x", None),
        ] {
            let expected = expected.map(|(from, limit)| Page { from, limit });
            assert_eq!(page(query), expected, "{query}");
        }
    }

    #[test]
    fn a_key_fits_on_a_line_or_is_refused() {
        let long = "k".repeat(LONGEST + 1);
        for (value, fits) in [("a-1", true), ("\"quoted\"", true), ("", false), ("a b", false)] {
            let headers = HeaderMap::from_iter([(KEY.parse().unwrap(), value.parse().unwrap())]);
            assert_eq!(key(&headers).is_ok(), fits, "{value:?}");
        }
        let headers = HeaderMap::from_iter([(KEY.parse().unwrap(), long.parse().unwrap())]);
        assert_eq!(key(&headers).unwrap_err().code, Code::InvalidOption);
        assert_eq!(key(&HeaderMap::new()), Ok(None));
    }
}
