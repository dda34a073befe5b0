//! What a hub says about a file before it is downloaded.

use trireme_service::ports::SourceError;
use ureq::http::header::HeaderMap;
use ureq::http::{Method, Uri};

use super::about::About;
use super::client::Client;
use super::untrusted::headers::{Remote, commit, text};

const ERROR_CODE: &str = "x-error-code";

/// A hub's answer: the commit that the revision stands for, and the file if it has it.
pub(super) struct Head {
    pub commit: Option<String>,
    pub remote: Option<Remote>,
}

/// Asks for a file's head; `cached` says whether offline mode would find it.
pub(super) fn ask(
    client: &Client,
    address: &Uri,
    about: About<'_>,
    cached: impl Fn() -> bool,
) -> Result<Head, SourceError> {
    // A content network that a hub redirects to knows no commits.
    let leave = |headers: &HeaderMap| commit(headers).is_none();
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
        (404, _) => Ok(Head { commit: commit(headers).map(str::to_owned), remote: None }),
        (status, _) => Err(about.refused(status)),
    }
}

fn found(headers: &HeaderMap, is_file: bool, about: About<'_>) -> Result<Head, SourceError> {
    let named = commit(headers).zip(Remote::read(headers, is_file));
    let (commit, remote) = named.ok_or_else(|| {
        no_model(about, "the server names no commit or no etag; check that the endpoint is a hub")
    })?;
    Ok(Head { commit: Some(commit.to_owned()), remote: Some(remote) })
}

fn no_model(about: About<'_>, reason: &str) -> SourceError {
    SourceError::NoModel { place: about.place.to_owned(), reason: reason.to_owned() }
}
