//! How often one caller may ask.

use serde_json::json;

use super::keys::{Secret, key_file};
use super::*;

const BODY: &str = r#"{"text": "fine"}"#;

fn asked(server: &Server, headers: &[(&str, &str)]) -> server::Reply {
    server.ask("POST", "/predict", headers, BODY)
}

/// A refusal says, in both units, how long to wait.
fn is_refused(reply: &server::Reply) {
    assert_eq!(reply.status, 429, "{}", reply.body);
    assert_eq!(reply.json()["error"]["code"], "rate_limited");
    assert_eq!(reply.header("x-should-retry"), Some("true"));
    let number = |name| reply.header(name).and_then(|wait| wait.parse::<u64>().ok());
    let (seconds, milliseconds) = (number("retry-after"), number("retry-after-ms"));
    let (seconds, milliseconds) = (seconds.unwrap(), milliseconds.unwrap());
    assert!(seconds >= 1 && milliseconds >= 1, "{seconds} s, {milliseconds} ms");
    assert_eq!(seconds, milliseconds.div_ceil(1000), "{milliseconds} ms");
}

#[test]
fn a_key_that_asks_too_often_waits_and_another_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, till) = (Secret::new("shop", "infer"), Secret::new("till", "infer"));
    // Two keys of one tenant have one rate.
    let sibling = Secret { tenant: "shop", ..Secret::new("shop, later", "infer") };
    let fast = Secret {
        more: "rate = { per_second = 1000, burst = 1000 }",
        ..Secret::new("fast", "infer")
    };
    let file = key_file(&folder, &[&shop, &till, &sibling, &fast]);
    let server = Server::start(&["--keys", text(&file), "--rate", "0.001", "--burst", "3"]);
    for nth in 1..=3 {
        assert_eq!(asked(&server, &[shop.bearer()]).status, 200, "request {nth} of a burst of 3");
    }
    is_refused(&asked(&server, &[shop.bearer()]));
    is_refused(&asked(&server, &[sibling.bearer()]));
    assert_eq!(asked(&server, &[till.bearer()]).status, 200, "another's bucket is full");
    for nth in 1..=10 {
        assert_eq!(asked(&server, &[fast.bearer()]).status, 200, "request {nth} at a rate of 1000");
    }
    for _ in 0..10 {
        assert_eq!(server.get("/health").status, 200, "health is nobody's turn");
    }
    let sent = server.ask("POST", "/", &[shop.bearer()], r#"{"inputs": "fine"}"#);
    assert_eq!(sent.status, 429, "no path is outside the rate: {}", sent.body);
}

#[test]
fn without_keys_each_address_has_its_rate() {
    let server = Server::start(&["--rate", "0.001", "--burst", "2"]);
    let from = |address| asked(&server, &[("x-forwarded-for", address)]);
    assert_eq!([from("10.0.0.1").status, from("10.0.0.2").status], [200, 200]);
    is_refused(&from("10.0.0.3"));
    assert_eq!(server.get("/metrics").status, 200, "what watches the host is not counted");
}

#[test]
fn behind_a_proxy_the_last_address_counts() {
    let server = Server::start(&["--rate", "0.001", "--burst", "1", "--forwarded"]);
    let from = |addresses| asked(&server, &[("x-forwarded-for", addresses)]);
    assert_eq!(from("10.0.0.1").status, 200);
    is_refused(&from("10.0.0.1"));
    is_refused(&from("10.9.9.9, 10.0.0.1"));
    assert_eq!(from("10.0.0.1, 10.0.0.2").status, 200, "another caller of the same proxy");
    let lines =
        |first, last| asked(&server, &[("x-forwarded-for", first), ("x-forwarded-for", last)]);
    is_refused(&lines("10.9.9.9", "10.0.0.1"));
    assert_eq!(lines("10.0.0.1", "10.9.9.9, 10.0.0.3").status, 200, "the last of the last line");
    assert_eq!(from("no address").status, 200, "the proxy itself");
    is_refused(&server.post("/predict", &json!({"text": "the proxy again"})));
}
