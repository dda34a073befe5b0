//! The document that describes the routes, and a page to read and try it.
//!
//! A test writes the document from the types of requests and answers; see `tests/document.rs`.

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use serde_json::Value;

/// As it is in the repository.
const OPENAPI: &str = include_str!("../openapi.json");

const PAGE: &str = include_str!("../docs/page.html");
const STYLE: &str = include_str!("../docs/page.css");
const SCRIPT: &str = include_str!("../docs/page.js");

/// The page takes nothing from elsewhere, and asks no other host than its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The document of a host that lacks these paths.
pub(crate) fn document(absent: &[&str]) -> Bytes {
    let whole = Bytes::from_static(OPENAPI.as_bytes());
    if absent.is_empty() {
        return whole;
    }
    let without = || {
        let mut document: Value = serde_json::from_str(OPENAPI).ok()?;
        let paths = document.get_mut("paths")?.as_object_mut()?;
        paths.retain(|path, _| !absent.iter().any(|gone| is_of(path, gone)));
        Some(Bytes::from(serde_json::to_vec(&document).ok()?))
    };
    // The document is ours, and is JSON.
    without().unwrap_or(whole)
}

/// Whether a path is another, or stands behind the name at its end.
fn is_of(path: &str, other: &str) -> bool {
    match path.strip_prefix(other) {
        Some("") => true,
        Some(rest) => other.ends_with('}') && rest.starts_with('/'),
        None => false,
    }
}

pub(crate) fn openapi(document: Bytes) -> impl IntoResponse {
    ([kind("application/json"), fresh()], document)
}

pub(crate) async fn page() -> impl IntoResponse {
    let policy = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    let referrer = (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    ([kind("text/html; charset=utf-8"), fresh(), as_said(), policy, referrer], PAGE)
}

pub(crate) async fn style() -> impl IntoResponse {
    ([kind("text/css; charset=utf-8"), fresh(), as_said()], STYLE)
}

pub(crate) async fn script() -> impl IntoResponse {
    ([kind("text/javascript; charset=utf-8"), fresh(), as_said()], SCRIPT)
}

fn kind(kind: &'static str) -> (HeaderName, HeaderValue) {
    (header::CONTENT_TYPE, HeaderValue::from_static(kind))
}

/// A host that was renewed describes itself anew.
fn fresh() -> (HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))
}

fn as_said() -> (HeaderName, HeaderValue) {
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
}
