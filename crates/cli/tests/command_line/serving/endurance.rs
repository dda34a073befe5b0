//! A server that answered many requests is no larger than one that answered some.

use std::io::{BufReader, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::json;

use super::message::{Message, post};
use super::*;

const CLIENTS: usize = 8;

/// Requests in all; `TRIREME_REQUESTS` of them at full size.
fn requests() -> usize {
    std::env::var("TRIREME_REQUESTS").ok().and_then(|all| all.parse().ok()).unwrap_or(4_000)
}

/// A text that none before was: of words whose order counts, and so of many lengths.
fn text(number: usize) -> String {
    const WORDS: [&str; 8] =
        ["a quiet harbour", "two oars", "dull", "a warm film", "boats", "wit", "a net", "mess"];
    let words = (0..12).map(|place| number >> (3 * place)).take_while(|rest| *rest > 0);
    let words: Vec<&str> = words.map(|rest| WORDS[rest % 8]).collect();
    format!("{number} {}", words.join(" "))
}

/// Asks until all have been asked; some ask for what is wrong.
fn ask_all(server: &Server, next: &AtomicUsize, until: usize) {
    let mut stream = BufReader::new(server.connect());
    loop {
        let number = next.fetch_add(1, SeqCst);
        if number >= until {
            return;
        }
        let (path, body, expected) = match number % 10 {
            0 => ("/predict", json!({ "text": "" }), 422),
            1..4 => ("/encode", json!({ "text": text(number), "dimensions": 8 }), 200),
            4 => ("/predict_batch", json!({ "texts": [text(number), "", "x"] }), 200),
            _ => ("/predict", json!({ "text": text(number) }), 200),
        };
        let body = body.to_string();
        stream.get_mut().write_all(post(path, &body).as_bytes()).unwrap();
        let status = Message::read(&mut stream).map(|answer| answer.status());
        assert_eq!(status, Some(expected), "request {number}, {path} {body}");
    }
}

fn megabytes(server: &Server) -> f64 {
    let text = server.get("/metrics").body;
    let line = text.lines().find(|line| line.starts_with("process_resident_memory_bytes "));
    let bytes = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    bytes.expect("the server tells its memory") / 1e6
}

#[test]
fn many_requests_leave_no_memory_behind() {
    // Little is remembered, so that what is remembered does not grow either.
    let server = Server::start(&["--remember", "1", "--log", "warn"]);
    let (all, next) = (requests(), AtomicUsize::new(0));
    let mut sizes = Vec::new();
    for tenth in 1..=10 {
        std::thread::scope(|scope| {
            for _client in 0..CLIENTS {
                scope.spawn(|| ask_all(&server, &next, all * tenth / 10));
            }
        });
        next.store(all * tenth / 10, SeqCst);
        sizes.push(megabytes(&server));
    }
    let said: Vec<String> = sizes.iter().map(|size| format!("{size:.1}")).collect();
    println!("{all} requests, megabytes after each tenth: {}", said.join(" "));
    let (early, late) = (sizes[2], sizes[9]);
    assert!(late < early * 1.05 + 2.0, "it grew from {early:.1} MB to {late:.1} MB");
}
