//! What callers may ask, and what they hear.

use super::super::keys::{Secret, key_file};
use super::*;

fn code(reply: &Reply) -> (u16, String) {
    let code = reply.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
    (reply.status, code)
}

fn start(folder: &tempfile::TempDir, args: &[&str]) -> Server {
    Server::start(&[&["--state", text(folder.path())], args].concat())
}

#[test]
fn a_job_is_brought_done_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder, &[]);
    let all = texts("ada", 70);
    let id = bring(&server, &all);
    let over = until_over(&server, &id);
    assert_eq!((&over["status"], &over["progress"]), (&json!("completed"), &json!(1.0)));
    assert_eq!((&over["kind"], &over["error"]), (&json!("sentiment"), &json!(null)));
    assert!(over["processing_time"].as_f64() > Some(0.0), "{over}");
    assert_eq!(over["model"], "default", "whoever answered says so");
    holds(&server, &id, &all);
    let body = json!({"kind": "embed", "texts": ["two oars", " "], "dimensions": 8});
    let vectors = accepted(&server.post("/jobs", &body));
    until_over(&server, &vectors);
    let alone = server.post("/encode", &json!({"text": "two oars", "dimensions": 8})).json();
    let results = results(&server, &vectors);
    assert_eq!(results[0]["embedding"], alone["embedding"]);
    assert_eq!(results[1]["error"]["code"], "empty_text");
    let metrics = server.get("/metrics").body;
    assert!(metrics.contains("trireme_jobs{status=\"completed\"} 2\n"), "{metrics}");
    assert!(metrics.contains("trireme_store_up 1\n"), "{metrics}");
    let document = server.get("/openapi.json").json();
    assert!(document["paths"]["/jobs/{id}"]["delete"].is_object(), "it is in the document");
}

#[test]
fn a_key_makes_one_job_of_many_requests() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder, &[]);
    let post = |key: &str, text: &str| {
        let body = json!({"kind": "classify", "texts": [text]}).to_string();
        server.ask("POST", "/jobs", &[("idempotency-key", key)], &body)
    };
    let first = accepted(&post("k1", "one"));
    assert_eq!(accepted(&post("k1", "one")), first);
    assert_eq!(code(&post("k1", "two")), (409, "idempotency_conflict".to_owned()));
    assert_ne!(accepted(&post("k2", "one")), first);
    assert_eq!(code(&post("a b", "one")), (422, "invalid_option".to_owned()));
}

#[test]
fn what_can_t_be_is_refused_by_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder, &["--max-job-texts", "3", "--max-jobs", "1", "--job-workers", "0"]);
    let job = |texts: usize| json!({"kind": "classify", "texts": vec!["a"; texts]});
    let told = json!({"kind": "classify", "texts": ["a"], "webhook": "https://h.example"});
    for (case, reply, expected) in [
        ("too many texts", server.post("/jobs", &job(4)), (413, "too_many_texts")),
        ("no text", server.post("/jobs", &job(0)), (422, "invalid_request")),
        ("no host is allowed", server.post("/jobs", &told), (422, "invalid_option")),
        ("no such job", server.get("/jobs/1"), (404, "job_not_found")),
        ("no such page", server.get("/jobs/1?from=x"), (422, "invalid_option")),
    ] {
        let (status, code) = code(&reply);
        assert_eq!((status, code.as_str()), expected, "{case}: {}", reply.body);
    }
    let first = accepted(&server.post("/jobs", &job(3)));
    let full = server.post("/jobs", &job(1));
    assert_eq!(code(&full), (429, "too_many_jobs".to_owned()));
    assert!(full.header("retry-after").is_some(), "{full:?}");
    let gone = server.ask("DELETE", &format!("/jobs/{first}"), &[], "");
    assert_eq!((gone.status, &gone.json()["status"]), (200, &json!("cancelled")));
    assert_eq!(super::job(&server, &first)["status"], "cancelled");
    accepted(&server.post("/jobs", &job(1)));
}

#[test]
fn a_tenants_jobs_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (ada, bob) = (Secret::new("ada", "infer"), Secret::new("bob", "infer"));
    let keys = key_file(&folder, &[&ada, &bob]);
    let server = start(&folder, &["--keys", text(&keys)]);
    let body = json!({"kind": "classify", "texts": ["one"]}).to_string();
    let id = accepted(&server.ask("POST", "/jobs", &[ada.bearer()], &body));
    let path = format!("/jobs/{id}");
    assert_eq!(server.ask("GET", &path, &[ada.bearer()], "").status, 200);
    for method in ["GET", "DELETE"] {
        let reply = server.ask(method, &path, &[bob.bearer()], "");
        assert_eq!(code(&reply), (404, "job_not_found".to_owned()), "{method}");
    }
    assert_eq!(server.ask("GET", &path, &[], "").status, 401);
}

#[test]
fn a_server_without_a_place_keeps_no_job() {
    let server = Server::start(&[]);
    let reply = server.post("/jobs", &json!({"kind": "classify", "texts": ["a"]}));
    assert_eq!(code(&reply), (501, "unsupported_here".to_owned()));
    let document = server.get("/openapi.json").json();
    assert!(document["paths"]["/jobs"].is_null() && document["paths"]["/predict"].is_object());
}
