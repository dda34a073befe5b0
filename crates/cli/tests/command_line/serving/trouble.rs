//! A place to keep things that is full, or goes away and comes back: what was acknowledged is there
//! in the end, and everything else was refused by its name.

use serde_json::json;
use trireme_tests::Postgres;

use super::jobs::{accepted, holds, texts, until_over};
use super::server::{Room as _, serve};
use super::*;

fn sql(statement: &str) {
    Postgres::shared().sql("postgres", statement).unwrap();
}

fn name(url: &str) -> &str {
    url.split(['/', '?']).nth(3).unwrap()
}

/// A database that lets nobody in, and puts those out that are.
pub fn away(url: &str) {
    let name = name(url);
    sql(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"));
    let out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
    sql(&format!("{out} = '{name}'"));
}

/// The same one, as it was.
pub fn back(url: &str) {
    sql(&format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", name(url)));
}

/// A job that was taken, and its texts.
type Taken = (String, Vec<String>);

/// Brings jobs until one is refused; those that were taken, and status and code of the refusal.
fn bring_until_refused(server: &Server, of: &str) -> (Vec<Taken>, (u16, String)) {
    let mut taken = Vec::new();
    for round in 0..1000 {
        let texts = texts(&format!("{of} {round}"), 100);
        let reply = server.post("/async-sentiment", &json!({ "texts": texts }));
        if reply.status != 202 {
            let again = reply.header("x-should-retry");
            assert_eq!(again, Some("true"), "it may be sent again: {reply:?}");
            let code = reply.json()["error"]["code"].as_str().unwrap().to_owned();
            return (taken, (reply.status, code));
        }
        taken.push((accepted(&reply), texts));
    }
    panic!("a thousand jobs were taken");
}

fn all_are_whole(server: &Server, taken: &[Taken]) {
    for (id, texts) in taken {
        until_over(server, id);
        holds(server, id, texts);
    }
}

fn answers(server: &Server) {
    assert_eq!(server.get("/health").status, 200);
    let reply = server.post("/predict", &json!({"text": "fine"}));
    assert_eq!(reply.status, 200, "others are answered: {reply:?}");
}

#[test]
fn a_disk_that_is_full_takes_no_job_and_loses_none() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--state", text(folder.path()), "--max-jobs", "1000", "--job-lease", "2"];
    // The state is laid out while there is room.
    drop(Server::start(&args));
    let server = Server::with(serve(&args).with_room(600));
    let (taken, (status, code)) = bring_until_refused(&server, "full");
    assert!(status == 503 && code.starts_with("store_"), "{status} {code}");
    answers(&server);
    drop(server);
    let server = Server::start(&args);
    all_are_whole(&server, &taken);
    assert!(!taken.is_empty(), "there was some room");
    println!("{} jobs were taken before the disk was full: {code}", taken.len());
}

#[test]
fn a_database_that_goes_away_and_comes_back_has_every_job_that_was_taken() {
    let url = Postgres::shared().database();
    let server = Server::start(&["--database-url", &url, "--max-jobs", "1000", "--job-lease", "2"]);
    let long = texts("long", 2000);
    let id = accepted(&server.post("/async-sentiment", &json!({ "texts": long })));
    away(&url);
    let (mut taken, refusal) = bring_until_refused(&server, "away");
    assert_eq!(refusal, (503, "store_unavailable".to_owned()));
    answers(&server);
    back(&url);
    taken.push((id, long));
    let texts = texts("back", 20);
    let id = until("jobs are taken again", || {
        let reply = server.post("/async-sentiment", &json!({ "texts": texts }));
        (reply.status == 202).then(|| accepted(&reply))
    });
    taken.push((id, texts));
    all_are_whole(&server, &taken);
}
