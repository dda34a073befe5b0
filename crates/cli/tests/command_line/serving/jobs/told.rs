//! Somebody who wants to know that a job ended.

use std::io::{BufReader, Write as _};
use std::net::TcpListener;

use trireme_tests::Postgres;

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

#[test]
fn a_notice_that_was_given_up_is_listed_and_sent_again_where_that_is_wanted() {
    let (url, hooks) = (Postgres::shared().database(), TcpListener::bind("127.0.0.1:0").unwrap());
    let server = Server::start(&["--database-url", &url, "--webhook-hosts", "127.0.0.1"]);
    let webhook = format!("http://{}/done", hooks.local_addr().unwrap());
    let secret = format!("{webhook}?token=hidden");
    let body = json!({"kind": "classify", "texts": ["one"], "webhook": secret});
    let id = accepted(&server.post("/jobs", &body));
    let first = answered(&hooks, "503 Service Unavailable");
    // As if it had been tried as often as it may be.
    let name = url.split(['/', '?']).nth(3).unwrap();
    let dead = "UPDATE trireme.notices SET status = 'dead', tries = 16";
    Postgres::shared().sql(name, dead).unwrap();
    let list = ["state", "notices", "--database-url", &url];
    let listed = out(&list);
    for told in [id.as_str(), &webhook, "16 tries"] {
        assert!(listed.contains(told), "{listed}");
    }
    assert!(listed.lines().count() == 1 && !listed.contains("hidden"), "{listed}");
    let listed = out(&[&list[..], &["--json", "--resend"]].concat());
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&listed["job_id"], &listed["tries"]), (&json!(id), &json!(16)));
    assert_eq!(listed["webhook"], json!(format!("{webhook}?…")));
    let second = answered(&hooks, "204 No Content");
    assert_eq!(second.body, first.body);
    assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
    until("the notice is settled", || {
        let metrics = server.get("/metrics").body;
        let settled = ["waiting", "dead"]
            .map(|status| metrics.contains(&format!("trireme_notices{{status=\"{status}\"}} 0\n")));
        (settled == [true, true]).then_some(())
    });
    assert_eq!(out(&list), "");
}
