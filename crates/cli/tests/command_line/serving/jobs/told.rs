//! Somebody who wants to know that a job ended.

use std::io::{BufReader, Write as _};
use std::net::TcpListener;

use super::super::message::Message;
use super::*;

/// One request, answered with a status.
fn answered(listener: &TcpListener, status: &str) -> Message {
    let mut stream = BufReader::new(listener.accept().unwrap().0);
    let request = Message::read(&mut stream).expect("a notice comes");
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.get_mut().write_all(answer.as_bytes()).unwrap();
    request
}

#[test]
fn a_notice_is_signed_and_sent_until_it_is_taken() {
    let (folder, hooks) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let server = Server::start(&[
        "--state",
        text(folder.path()),
        "--webhook-hosts",
        "127.0.0.1",
        "--webhook-secret",
        "planted",
        "--log",
        "trace",
    ]);
    let webhook = format!("http://{}/done?token=hidden", hooks.local_addr().unwrap());
    let body = json!({"kind": "classify", "texts": ["one"], "webhook": webhook});
    let id = accepted(&server.post("/jobs", &body));
    let first = answered(&hooks, "503 Service Unavailable");
    assert!(first.first().starts_with("POST /done?token=hidden "), "{}", first.first());
    let told: Value = serde_json::from_slice(&first.body).unwrap();
    assert_eq!(told["type"], "job.completed", "{told}");
    assert_eq!(told["data"]["job_id"], json!(id));
    let signature = first.header("webhook-signature").unwrap_or_default();
    assert!(signature.starts_with("v1,"), "{signature}");
    let second = answered(&hooks, "204 No Content");
    assert_eq!(second.body, first.body);
    let id = |notice: &Message| notice.header("webhook-id").map(str::to_owned);
    assert!(id(&first).is_some(), "a notice has an id");
    assert_eq!(id(&second), id(&first));
    until("the notice is settled", || {
        server
            .get("/metrics")
            .body
            .contains("trireme_notices{status=\"waiting\"} 0\n")
            .then_some(())
    });
    let said = server.said();
    assert!(!said.contains("planted") && !said.contains("hidden"), "{said}");
}
