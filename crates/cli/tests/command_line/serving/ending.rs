//! How a server ends: nobody whom it took in goes without an answer, and nobody holds it up.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::json;

use super::message::{Message, post};
use super::*;

/// The next answer on a connection, which is JSON; nothing, where the other side only hung up.
fn answer(stream: &mut BufReader<TcpStream>) -> Option<Message> {
    let answer = Message::read(stream)?;
    serde_json::from_slice::<Value>(&answer.body).unwrap();
    Some(answer)
}

fn request(body: &Value) -> String {
    post("/predict", &body.to_string())
}

/// Asks until nobody answers any more.
fn keep_asking(address: SocketAddr, reuse: bool, answered: &AtomicUsize) {
    let request = request(&json!({"text": "what a wonderful film"}));
    let mut kept: Option<BufReader<TcpStream>> = None;
    loop {
        let connected =
            kept.take().or_else(|| TcpStream::connect(address).ok().map(BufReader::new));
        let Some(mut stream) = connected else { return };
        if stream.get_mut().write_all(request.as_bytes()).is_err() {
            return;
        }
        let Some(answer) = answer(&mut stream) else { return };
        assert_eq!(answer.status(), 200, "whoever is taken in is answered");
        answered.fetch_add(1, SeqCst);
        let parts = answer.header("connection") == Some("close");
        kept = (reuse && !parts).then_some(stream);
    }
}

#[test]
fn under_load_a_server_gives_notice_answers_whom_it_took_in_and_ends() {
    let server = Server::start(&["--notice", "3", "--log", "warn"]);
    let (answered, gone) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let address = server.address;
    std::thread::scope(|scope| {
        for reuse in [false, true, false, true] {
            let (answered, gone) = (&answered, &gone);
            scope.spawn(move || {
                keep_asking(address, reuse, answered);
                gone.fetch_add(1, SeqCst);
            });
        }
        until("clients are being answered", || (answered.load(SeqCst) > 20).then_some(()));
        server.terminate();
        let ready = until("it is not ready any more", || {
            Some(server.get("/ready")).filter(|reply| reply.status != 200)
        });
        assert_eq!(
            (ready.status, ready.json()["error"]["code"].as_str()),
            (503, Some("shutting_down"))
        );
        let before = answered.load(SeqCst);
        let reply = server.post("/predict", &json!({"text": "a late one"}));
        assert_eq!(reply.status, 200, "during the notice: {}", reply.body);
        assert_eq!(server.get("/health/live").status, 200, "it is alive until it ends");
        until("others are still answered", || (answered.load(SeqCst) > before + 4).then_some(()));
        assert_eq!(gone.load(SeqCst), 0, "clients who found nobody during the notice");
    });
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_is_under_way_is_finished() {
    let server = Server::start(&["--grace", "600"]);
    let mut stream = server.connect();
    let texts = vec!["a quiet harbour with two oars ".repeat(100); 200];
    let body = json!({ "texts": texts }).to_string();
    let length = body.len();
    let head =
        format!("POST /predict_batch HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
    until("the long request is under way", || {
        server.get("/metrics").body.contains("trireme_requests_open 2\n").then_some(())
    });
    server.terminate();
    let answer = answer(&mut BufReader::new(stream)).map(|answer| answer.status());
    assert_eq!(answer, Some(200), "200 texts");
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn idle_connections_hold_no_server_up() {
    // Nothing but the end itself closes these connections while the test waits.
    let server = Server::start(&["--grace", "600", "--patience", "600"]);
    let silent = server.connect();
    let mut asked = BufReader::new(server.connect());
    asked.get_mut().write_all(request(&json!({"text": "one"})).as_bytes()).unwrap();
    assert_eq!(answer(&mut asked).map(|answer| answer.status()), Some(200));
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    for (case, mut stream) in [("silent", silent), ("asked before", asked.into_inner())] {
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)), "{case}: it is closed");
    }
}

#[test]
fn one_who_never_finishes_is_waited_for_so_long_and_no_longer() {
    let server = Server::start(&["--grace", "1", "--patience", "600"]);
    let mut halfway = server.connect();
    halfway
        .write_all(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        .unwrap();
    until("the half request is under way", || {
        server.get("/metrics").body.contains("trireme_requests_open 2\n").then_some(())
    });
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ended before these were done"), "{said}");
}

#[test]
fn whoever_asks_twice_does_not_want_to_wait() {
    let server = Server::start(&["--notice", "600"]);
    server.terminate();
    until("it gives notice", || {
        let code = server.get("/ready").json()["error"]["code"].clone();
        (code == "shutting_down").then_some(())
    });
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("asked again"), "{said}");
}
