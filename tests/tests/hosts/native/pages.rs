//! What web pages need of every answer: leave to read it, its id, and headers they may see.

use trireme_domain::rate::Rate;

use super::talk::{Reply, ask};
use super::{hosted, start};
use crate::host::Host;

const PAGE: (&str, &str) = ("origin", "https://page.example");

/// What a browser asks before it sends what a page of another origin wants to send.
fn preflight(host: &Host, method: &str, headers: &str) -> Reply {
    let asked = [
        PAGE,
        ("access-control-request-method", method),
        ("access-control-request-headers", headers),
    ];
    ask(host, "OPTIONS", "/predict", &asked, b"")
}

fn lists(reply: &Reply, header: &str, name: &str) -> bool {
    let listed = reply.headers(header).flat_map(|value| value.split(','));
    listed.map(str::trim).any(|listed| listed.eq_ignore_ascii_case(name))
}

#[test]
fn a_page_may_send_a_key_and_read_when_to_come_again() {
    let host = hosted(|hosting| hosting.rate = Some(Rate { per_second: 1e-3, burst: 1.0 }));
    let allowed = preflight(&host, "POST", "authorization,content-type,x-request-id");
    assert_eq!(allowed.status, 200, "{allowed:?}");
    assert_eq!(allowed.header("access-control-allow-origin"), Some("*"));
    for name in ["authorization", "content-type", "x-api-key", "x-request-id", "x-request-timeout"]
    {
        assert!(lists(&allowed, "access-control-allow-headers", name), "{name}: {allowed:?}");
    }
    assert!(lists(&allowed, "access-control-allow-methods", "POST"), "{allowed:?}");

    let body = br#"{"text": "fine"}"#;
    let answer = ask(&host, "POST", "/predict", &[PAGE], body);
    assert_eq!(answer.status, 200, "a preflight is nobody's turn: {answer:?}");
    let refused = ask(&host, "POST", "/predict", &[PAGE], body);
    assert_eq!(refused.status, 429, "{refused:?}");
    let nowhere = ask(&host, "GET", "/health/nowhere", &[PAGE], b"");
    assert_eq!(nowhere.status, 404, "{nowhere:?}");
    for reply in [answer, refused, nowhere] {
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{reply:?}");
        for name in ["retry-after", "retry-after-ms", "x-request-id", "x-should-retry"] {
            assert!(lists(&reply, "access-control-expose-headers", name), "{name}: {reply:?}");
        }
    }
}

#[test]
fn a_preflight_needs_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let sha256 = trireme_domain::access::hash("another's");
    let key = format!(
        "[[keys]]\nname = \"a\"\ntenant = \"a\"\nsha256 = \"{sha256}\"\nscopes = [\"infer\"]\n"
    );
    std::fs::write(&file, key).unwrap();
    let host = hosted(|hosting| hosting.keys = Some(file));
    // A browser sends none with it.
    assert_eq!(preflight(&host, "POST", "authorization").status, 200);
    let refused = ask(&host, "POST", "/predict", &[PAGE], br#"{"text": "fine"}"#);
    assert_eq!((refused.status, refused.code().as_str()), (401, "unauthorized"));
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"), "the page hears why");
}

#[test]
fn where_origins_are_named_others_may_not_read() {
    let host = hosted(|hosting| hosting.origins = vec!["https://page.example".parse().unwrap()]);
    let from = |origin| {
        let reply = ask(&host, "GET", "/health", &[("origin", origin)], b"");
        reply.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(from("https://page.example").as_deref(), Some("https://page.example"));
    assert_eq!(from("https://other.example"), None);
    assert_eq!(from("https://page.example.other.example"), None);
    let reply = ask(&host, "GET", "/health", &[PAGE], b"");
    assert!(lists(&reply, "vary", "origin"), "a cache must not give it to others: {reply:?}");
    let named = ["https://page.example", "*"].map(|origin| origin.parse().unwrap());
    let host = hosted(|hosting| hosting.origins = named.into());
    let reply = ask(&host, "GET", "/health", &[("origin", "https://other.example")], b"");
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "all are named, too");
}

#[test]
fn an_id_that_fits_is_the_callers_and_any_other_is_new() {
    let host = start(None);
    let id = |sent: &[(&str, &str)], path: &str| {
        let reply = ask(&host, "GET", path, sent, b"");
        reply.header("x-request-id").unwrap_or_else(|| panic!("{reply:?}")).to_owned()
    };
    let (long, longest) = ("a".repeat(129), "a".repeat(128));
    for sane in ["order-66", "018f1e:a/b", "\"quoted\"", &longest] {
        assert_eq!(id(&[("x-request-id", sane)], "/health"), sane);
    }
    assert_eq!(id(&[("x-request-id", "lost")], "/nowhere"), "lost", "on a fault, too");
    let mut seen = std::collections::HashSet::new();
    for insane in ["", "two words", "tab\there", "naïve", &long] {
        let new = id(&[("x-request-id", insane)], "/health");
        assert_eq!(new.len(), 32, "{insane:?} became {new:?}");
        assert!(new.bytes().all(|byte| byte.is_ascii_hexdigit()), "{new:?}");
        assert!(seen.insert(new), "each has its own");
    }
    assert!(seen.insert(id(&[], "/health")), "who sends none gets one");
}
