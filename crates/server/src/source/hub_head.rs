//! What a hub says about a file before it is downloaded.

use trireme_service::ports::SourceError;
use ureq::http::header::{CONTENT_LENGTH, ETAG, HeaderMap};
use ureq::http::{Method, Uri};

use super::about::About;
use super::client::Client;
use super::hub_cache::is_name;

const COMMIT: &str = "x-repo-commit";
const LINKED_ETAG: &str = "x-linked-etag";
const LINKED_SIZE: &str = "x-linked-size";
const ERROR_CODE: &str = "x-error-code";

/// A hub's answer: the commit that the revision stands for, and the file if it has it.
pub(super) struct Head {
    pub commit: Option<String>,
    pub remote: Option<Remote>,
}

/// A file's content, by the name that the cache gives it.
pub(super) struct Remote {
    pub etag: String,
    pub size: Option<u64>,
}

impl Remote {
    /// The digest to expect, where the etag is one.
    pub fn sha256(&self) -> Option<&str> {
        let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        Some(&*self.etag).filter(|etag| etag.len() == 64 && etag.bytes().all(hexadecimal))
    }
}

/// Asks for a file's head; `cached` says whether offline mode would find it.
pub(super) fn ask(
    client: &Client,
    address: &Uri,
    about: About<'_>,
    cached: impl Fn() -> bool,
) -> Result<Head, SourceError> {
    // A content network that a hub redirects to knows no commits.
    let leave = |headers: &HeaderMap| !headers.contains_key(COMMIT);
    let answer = client.send(&Method::HEAD, address, &HeaderMap::new(), leave);
    let answer = answer.map_err(|error| about.unreachable(error, cached()))?;
    let (status, headers) = (answer.status(), answer.headers());
    if status.is_success() || status.is_redirection() {
        return found(headers, status.is_success(), about);
    }
    match (status.as_u16(), text(headers, ERROR_CODE)) {
        // A hub hides private models behind the answer for models that it does not have.
        (401 | 403 | 404, Some("RepoNotFound")) => {
            Err(no_model(about, "the hub has no such model, or it is private and needs a token"))
        }
        (404, Some("RevisionNotFound")) => {
            Err(no_model(about, "the hub has the model, but no such branch, tag or commit"))
        }
        (404, _) => Ok(Head { commit: commit(headers), remote: None }),
        (status, _) => Err(about.refused(status)),
    }
}

fn found(headers: &HeaderMap, is_file: bool, about: About<'_>) -> Result<Head, SourceError> {
    let not_a_hub = "the server names no commit or no etag; check that the endpoint is a hub";
    let commit = commit(headers).ok_or_else(|| no_model(about, not_a_hub))?;
    let etag = text(headers, LINKED_ETAG).or_else(|| text(headers, ETAG.as_str()));
    let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
    let etag = etag.filter(|etag| is_name(etag)).ok_or_else(|| no_model(about, not_a_hub))?;
    let length = is_file.then(|| text(headers, CONTENT_LENGTH.as_str())).flatten();
    let size = text(headers, LINKED_SIZE).or(length).and_then(|size| size.parse().ok());
    Ok(Head { commit: Some(commit), remote: Some(Remote { etag: etag.to_owned(), size }) })
}

fn commit(headers: &HeaderMap) -> Option<String> {
    text(headers, COMMIT).filter(|commit| is_name(commit)).map(str::to_owned)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn no_model(about: About<'_>, reason: &str) -> SourceError {
    SourceError::NoModel { place: about.place.to_owned(), reason: reason.to_owned() }
}
