//! Clients that dawdle, lie, leave or send too much: each hears so or is cut off, and the next is
//! answered.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;
use trireme_domain::Limits;

use super::running::{Running, settings};
use super::talk::{Reply, Talk, ask, request};
use super::{host, hosted, start};
use crate::host::Host;

/// A host that waits for nobody.
const SHORT: Duration = Duration::from_secs(1);

/// What an impatient client waits between two bytes.
const MOMENT: Duration = Duration::from_millis(10);

const BODY: &[u8] = br#"{"text": "what a wonderful film"}"#;

fn predict() -> Vec<u8> {
    request("POST", "/predict", &[], BODY)
}

#[track_caller]
fn still_answers(host: &Host, when: &str) {
    let reply = ask(host, "POST", "/predict", &[], BODY);
    assert_eq!(reply.status, 200, "{when}: {reply:?}");
}

/// How something is said, by its name.
type Way<'a> = (&'static str, &'a dyn Fn(&mut Talk));

#[test]
fn a_request_that_comes_byte_by_byte_is_not_waited_for() {
    let host = hosted(|hosting| hosting.patience = SHORT);
    for (case, beginning) in [
        ("a head", "GET /health HTTP/1.1\r\nx: "),
        ("a body", "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"),
    ] {
        let mut slow = Talk::to(&host);
        let (begun, mut sent) = (Instant::now(), 0);
        slow.say(beginning);
        // It is never silent for long, and never done.
        while !slow.stirs(MOMENT) {
            slow.say("a");
            sent += 1;
            assert!(begun.elapsed() < 100 * SHORT, "{sent} bytes of {case} were waited for");
        }
        let reply = slow.hear();
        assert!(reply.as_ref().is_none_or(|reply| reply.status == 408), "{case}: {reply:?}");
        assert!(begun.elapsed() >= SHORT, "{case} had its time");
        still_answers(&host, case);
    }
}

#[test]
fn a_client_that_never_reads_does_not_keep_its_place() {
    let host = hosted(|hosting| {
        hosting.patience = SHORT;
        hosting.connections = 1;
    });
    let document = ask(&host, "GET", "/openapi.json", &[("connection", "close")], b"").body.len();
    // More than the system holds back for both sides of a connection.
    let times = (64 << 20) / document;
    let (begun, mut deaf) = (Instant::now(), Talk::to(&host));
    deaf.say(request("GET", "/openapi.json", &[], b"").repeat(times));
    still_answers(&host, "in the place of one who never read");
    assert!(begun.elapsed() >= SHORT, "it had its time");
    drop(deaf);
}

#[test]
fn a_connection_on_which_nothing_is_said_is_not_kept() {
    let host = hosted(|hosting| hosting.patience = SHORT);
    let mut silent = Talk::to(&host);
    assert!(silent.hear().is_none_or(|reply| reply.status == 408));
    let mut asked = Talk::to(&host);
    asked.say(predict());
    assert_eq!(asked.hear().map(|reply| reply.status), Some(200));
    assert!(asked.hear().is_none_or(|reply| reply.status == 408), "nor after an answer");
    still_answers(&host, "after two who said nothing");
}

#[test]
fn a_body_that_stops_half_way_costs_nobody_else_anything() {
    let host = hosted(|hosting| hosting.patience = SHORT);
    let all = predict();
    for (case, keep) in [("no byte of the body", all.len() - BODY.len()), ("half", all.len() - 9)] {
        let mut halfway = Talk::to(&host);
        halfway.say(&all[..keep]);
        still_answers(&host, case);
        let reply = halfway.hear();
        let refused = reply
            .as_ref()
            .is_none_or(|reply| (reply.status, reply.code().as_str()) == (408, "request_timeout"));
        assert!(refused, "{case}: {reply:?}");
        if reply.is_some() {
            assert!(halfway.hear().is_none(), "{case}: what comes next could be anything");
        }
        still_answers(&host, case);
    }
    // One that leaves half-way is no different.
    let mut leaves = Talk::to(&host);
    leaves.say(&all[..all.len() - 9]);
    drop(leaves);
    still_answers(&host, "after one who left");
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let host = hosted(|hosting| hosting.connections = 2);
    let mut inside: Vec<Talk> = (0..2).map(|_| Talk::to(&host)).collect();
    for talk in &mut inside {
        talk.say(predict());
        assert_eq!(talk.hear().map(|reply| reply.status), Some(200));
    }
    let mut waiting: Vec<Talk> = (0..4).map(|_| Talk::to(&host)).collect();
    for talk in &mut waiting {
        talk.say(request("POST", "/predict", &[("connection", "close")], BODY));
    }
    for talk in &mut waiting {
        assert!(!talk.stirs(MOMENT), "nobody is taken in, and nobody sent away");
    }
    drop(inside.pop());
    for (nth, talk) in waiting.iter_mut().enumerate() {
        assert_eq!(talk.hear().map(|reply| reply.status), Some(200), "number {nth} who waited");
    }
    let [kept] = &mut inside[..] else { panic!("one of them is left") };
    kept.say(predict());
    assert_eq!(kept.hear().map(|reply| reply.status), Some(200), "who was inside stayed inside");
}

#[test]
fn a_client_that_leaves_stops_the_work_that_it_asked_for() {
    let running = Running::with(settings(None), |_| {});
    let models = running.models.clone();
    let host = host(running);
    let work = || models.get(None).unwrap().compute.work();
    let texts = vec!["a quiet harbour with two oars ".repeat(100); 128];
    let body = json!({ "texts": texts }).to_string();
    let much = request("POST", "/predict_batch", &[], body.as_bytes());

    still_answers(&host, "first");
    let one = work().steps;
    let mut stays = Talk::to(&host);
    stays.say(&much);
    assert_eq!(stays.hear().map(|reply| reply.status), Some(200));
    let whole = work().steps - one;

    let before = work().steps;
    let mut leaves = Talk::to(&host);
    leaves.say(&much);
    let begun = Instant::now();
    while work().steps == before {
        assert!(begun.elapsed() < Duration::from_secs(60), "the work was never begun");
        std::thread::yield_now();
    }
    drop(leaves);
    // Whoever asks next is answered once the thread is free.
    still_answers(&host, "after one who left");
    let spent = work().steps - before;
    assert!(spent < whole / 2, "{spent} steps for one who left, {whole} for one who stayed");
    assert_eq!(work().waiting, 0, "none of its texts waits any more");
}

#[test]
fn requests_that_come_at_once_are_answered_in_their_order() {
    let host = start(None);
    let mut talk = Talk::to(&host);
    let texts = ["a dull mess", "", "what a wonderful film"];
    let body = |text: &str| json!({ "text": text }).to_string();
    let all: Vec<u8> = texts
        .iter()
        .flat_map(|text| request("POST", "/predict", &[], body(text).as_bytes()))
        .collect();
    talk.say([all, request("GET", "/health", &[], b"")].concat());
    let replies: Vec<Reply> = (0..4).map(|_| talk.hear().unwrap()).collect();
    let got: Vec<_> = replies
        .iter()
        .map(|reply| (reply.status, reply.json()["label"].as_str().unwrap_or_default().to_owned()))
        .collect();
    let expected = [(200, "negative"), (422, ""), (200, "positive"), (200, "")]
        .map(|(s, l)| (s, l.to_owned()));
    assert_eq!(got, expected);
}

#[test]
fn a_length_that_lies_is_refused_or_hung_up_on() {
    let host = hosted(|hosting| hosting.patience = SHORT);
    let body = String::from_utf8_lossy(BODY);
    let chunk = format!("{:x}\r\n{body}\r\n", BODY.len());
    let post = "POST /predict HTTP/1.1\r\nhost: x\r\n";
    for (case, sent, expected) in [
        ("chunks", format!("transfer-encoding: chunked\r\n\r\n{chunk}0\r\n\r\n"), Some(200)),
        (
            "trailers",
            format!("transfer-encoding: chunked\r\n\r\n{chunk}0\r\nx: y\r\n\r\n"),
            Some(200),
        ),
        (
            "two lengths",
            format!("content-length: 3\r\ncontent-length: 33\r\n\r\n{body}"),
            Some(400),
        ),
        ("no number", format!("content-length: many\r\n\r\n{body}"), Some(400)),
        ("less than nothing", format!("content-length: -1\r\n\r\n{body}"), Some(400)),
        ("a sign", format!("content-length: +33\r\n\r\n{body}"), Some(400)),
        ("no coding", format!("transfer-encoding: soup\r\n\r\n{body}"), Some(400)),
        (
            "chunks last but one",
            format!("transfer-encoding: chunked, soup\r\n\r\n{chunk}"),
            Some(400),
        ),
        (
            "no size of a chunk",
            format!("transfer-encoding: chunked\r\n\r\nzz\r\n{body}\r\n"),
            Some(422),
        ),
        (
            "a chunk beyond all numbers",
            format!("transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{body}"),
            Some(422),
        ),
        (
            "a chunk too short",
            format!("transfer-encoding: chunked\r\n\r\n3\r\n{body}\r\n"),
            Some(422),
        ),
        ("no last chunk", format!("transfer-encoding: chunked\r\n\r\n{chunk}"), Some(408)),
        ("more than there is", format!("content-length: 99999999999\r\n\r\n{body}"), Some(408)),
        ("beyond all numbers", format!("content-length: {}0\r\n\r\n{body}", u64::MAX), Some(400)),
        ("no body at all", "\r\n".to_owned(), Some(400)),
    ] {
        let mut talk = Talk::to(&host);
        talk.say(format!("{post}{sent}"));
        let reply = talk.hear();
        let status = reply.as_ref().map(|reply| reply.status);
        assert!(
            status == expected || status.is_none(),
            "{case}: expected {expected:?}, got {reply:?}"
        );
        if expected == Some(200) {
            assert_eq!(status, expected, "{case}");
        }
        still_answers(&host, case);
    }
}

/// A body that is shorter than it was said to be must not lend its rest to the next request.
#[test]
fn what_is_left_of_a_refused_body_is_no_request() {
    let host = start(None);
    for head in ["content-length: 5", "content-length: 5\r\ntransfer-encoding: chunked"] {
        let mut talk = Talk::to(&host);
        let inner = String::from_utf8(request("GET", "/health", &[], b"")).unwrap();
        talk.say(format!("POST /predict HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n0\r\n\r\n{inner}"));
        let first = talk.hear();
        assert!(first.as_ref().is_none_or(|reply| reply.status >= 400), "{head}: {first:?}");
        if head.contains("chunked") && first.is_some() {
            let second = talk.hear();
            assert!(second.is_none(), "{head}: two ways to read it, so no second: {second:?}");
        }
    }
    still_answers(&host, "after two in one");
}

#[test]
fn a_head_has_its_limits() {
    let host = start(None);
    let long = "a".repeat(200_000);
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let path = format!("/{}", "a".repeat(100_000));
    for (case, sent, expected) in [
        ("a long value", format!("GET /health HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n"), 431),
        ("many of them", format!("GET /health HTTP/1.1\r\nhost: x\r\n{many}\r\n"), 431),
        ("a long path", format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"), 414),
        ("no HTTP", "hello\r\n\r\n".to_owned(), 400),
        ("another version", "GET /health HTTP/9.9\r\nhost: x\r\n\r\n".to_owned(), 400),
        ("a NUL", "GET /health HTTP/1.1\r\nhost: x\r\nx: \0\r\n\r\n".to_owned(), 400),
        (
            "a name with a space",
            "GET /health HTTP/1.1\r\nhost: x\r\nx y: z\r\n\r\n".to_owned(),
            400,
        ),
    ] {
        let mut talk = Talk::to(&host);
        talk.say(&sent);
        let status = talk.hear().map(|reply| reply.status);
        let as_said = status.is_none_or(|got| got == expected || got == 431 || got == 400);
        assert!(as_said, "{case}: expected {expected}, got {status:?}");
        still_answers(&host, case);
    }
}

#[test]
fn ten_megabytes_are_refused_so_that_their_sender_hears_it() {
    let host = start(None);
    let size = 10 << 20;
    assert!(size > 4 * Limits::default().body_bytes);
    let chunk = vec![b' '; 1 << 16];
    let chunked = |talk: &mut Talk| {
        talk.say("POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
        for _ in 0..size / chunk.len() {
            talk.say(format!("{:x}\r\n", chunk.len()));
            talk.say(&chunk);
            talk.say("\r\n");
        }
        talk.say("0\r\n\r\n");
    };
    let whole = |talk: &mut Talk| talk.say(request("POST", "/predict", &[], &vec![b' '; size]));
    let ways: [Way<'_>; 2] = [("at once", &whole), ("in chunks", &chunked)];
    for (case, send) in ways {
        let mut talk = Talk::to(&host);
        // It writes all before it reads.
        send(&mut talk);
        let reply = talk.hear().unwrap_or_else(|| panic!("{case}: no answer"));
        assert_eq!((reply.status, reply.code().as_str()), (413, "body_too_large"), "{case}");
        still_answers(&host, case);
    }
}

#[test]
fn a_packed_body_is_refused_and_a_plain_one_taken() {
    let host = start(None);
    let encoded = |name| ask(&host, "POST", "/predict", &[("content-encoding", name)], BODY);
    for name in ["gzip", "br", "deflate", "zstd", "identity, gzip"] {
        let reply = encoded(name);
        assert_eq!((reply.status, reply.code().as_str()), (415, "unsupported_encoding"), "{name}");
    }
    assert_eq!(encoded("identity").status, 200);
    let kind = |kind| ask(&host, "POST", "/predict", &[("content-type", kind)], BODY).status;
    assert_eq!([kind("text/plain"), kind("application/x-www-form-urlencoded")], [200, 200]);
}

#[test]
fn terms_that_make_no_sense_are_refused_by_name() {
    let host = start(None);
    for (name, value) in [("x-request-timeout", "soon"), ("x-priority", "first")] {
        let reply = ask(&host, "POST", "/predict", &[(name, value)], BODY);
        assert_eq!((reply.status, reply.code().as_str()), (422, "invalid_option"), "{name}");
        assert!(reply.body.contains(name), "{reply:?}");
    }
    let hurried = ask(&host, "POST", "/predict", &[("x-request-timeout", "0.000001ms")], BODY);
    assert_eq!((hurried.status, hurried.code().as_str()), (504, "deadline_exceeded"));
    still_answers(&host, "after one who had no time");
}

#[test]
fn many_who_leave_at_once_leave_nothing_behind() {
    let running = Running::with(settings(None), |_| {});
    let models = running.models.clone();
    let host = host(running);
    for nth in 0..200 {
        let mut stream = host.connect();
        let all = predict();
        let keep = all.len() * (nth % 5) / 4;
        stream.write_all(&all[..keep]).unwrap();
    }
    still_answers(&host, "after two hundred");
    let (begun, waiting) = (Instant::now(), || models.get(None).unwrap().compute.work().waiting);
    while waiting() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} texts wait for nobody", waiting());
        std::thread::yield_now();
    }
}
