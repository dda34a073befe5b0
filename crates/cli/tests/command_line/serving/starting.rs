//! How a server begins.

use std::path::Path;

use serde_json::json;

use super::server::serve;
use super::web::Web;
use super::*;

#[test]
fn the_server_starts_alone_and_ends_when_it_is_asked_to() {
    let mut command = trireme(&["--threads", "1"]);
    command.env("PORT", "0");
    let server = Server::with(command);
    let said = server.said();
    let line = format!("trireme answers at http://{} with the model default (", server.address);
    assert!(said.lines().any(|said| said.starts_with(&line)), "expected {line:?}, got {said}");
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "a server that is asked to end ends well: {said}");
    assert!(said.contains("asked to end"), "the log is written to its last line: {said}");
}

/// A server whose model is withheld, once it asked for it.
fn loading(cache: &tempfile::TempDir) -> (Server, Web) {
    let web = Web::withholding(Path::new(&tiny("bert-classify")));
    let model = format!("{}/model", web.base());
    let server = Server::begin(serve(&["--model", &model, "--cache", text(cache.path())]));
    web.until_asked();
    (server, web)
}

#[test]
fn while_models_load_a_server_is_alive_and_not_ready() {
    let cache = tempfile::tempdir().unwrap();
    let (server, web) = loading(&cache);
    let alive = server.get("/health/live");
    assert_eq!((alive.status, alive.json()["status"].as_str()), (200, Some("starting")));
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(server.get("/v2/health/live").status, 200);
    for path in ["/health/startup", "/health/ready", "/ready", "/v2/health/ready", "/"] {
        let reply = server.get(path);
        assert_eq!(reply.status, 503, "{path}: {}", reply.body);
        assert!(reply.body.contains("not_ready"), "{path}: {}", reply.body);
    }
    let early = server.post("/predict", &json!({"text": "early"}));
    assert_eq!((early.status, early.json()["error"]["code"].as_str()), (503, Some("not_ready")));
    assert!(early.header("retry-after").is_some(), "it says to come again: {early:?}");
    web.open();
    until("the server has started", || (server.get("/health/startup").status == 200).then_some(()));
    until("its canary was heard", || (server.get("/ready").status == 200).then_some(()));
    let answer = server.post("/predict", &json!({"text": "now"}));
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn a_server_that_is_asked_to_end_while_models_load_ends() {
    let cache = tempfile::tempdir().unwrap();
    let (server, _web) = loading(&cache);
    let begun = Instant::now();
    server.terminate();
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    // A source gives up a silent server after thirty seconds; the signal is not to wait for that.
    assert!(begun.elapsed().as_secs() < 20, "it took {:?}", begun.elapsed());
}

#[test]
fn a_model_that_can_t_be_had_ends_the_server_with_its_reason() {
    let cache = tempfile::tempdir().unwrap();
    let web = Web::refusing();
    let args = ["--model", "owner/name", "--endpoint", &web.base(), "--cache", text(cache.path())];
    let done = serve(&args).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(4), "{said}");
    assert!(said.contains("[source_refused]"), "{said}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, said) = fault(&["serve", "--port", &port]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&port) && said.contains("--port"), "{said}");
}
