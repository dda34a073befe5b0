//! Jobs, as they are brought, asked for and done by real servers, some of which are killed.

mod asked;
mod kept;
mod killed;
mod shared;
mod told;

use serde_json::json;

use super::server::{Reply, Server};
use super::*;

/// So many texts of their own, each a sentence.
pub fn texts(of: &str, count: usize) -> Vec<String> {
    const WORDS: [&str; 5] = ["a quiet harbour", "a dull mess", "two oars", "warm", "lifeless"];
    let text = |at: usize| format!("{of} {at}: {}", WORDS[at % WORDS.len()].repeat(1 + at % 3));
    (0..count).map(text).collect()
}

/// Brings a job; its name.
fn bring(server: &Server, texts: &[String]) -> String {
    accepted(&server.post("/async-sentiment", &json!({ "texts": texts })))
}

pub fn accepted(reply: &Reply) -> String {
    assert_eq!(reply.status, 202, "{}", reply.body);
    reply.json()["job_id"].as_str().unwrap().to_owned()
}

fn job(server: &Server, id: &str) -> Value {
    let reply = server.get(&format!("/jobs/{id}?limit=1"));
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// Waits until a job has gone on.
fn until_under_way(server: &Server, id: &str) {
    until("the job is under way", || {
        let job = job(server, id);
        assert_eq!(job["status"], "processing", "{job}");
        (job["done"].as_u64() > Some(0)).then_some(())
    });
}

pub fn until_over(server: &Server, id: &str) -> Value {
    until("the job is over", || Some(job(server, id)).filter(|job| job["status"] != "processing"))
}

/// All results of a job, page by page.
fn results(server: &Server, id: &str) -> Vec<Value> {
    let (mut all, mut from) = (Vec::new(), json!(0));
    while let Some(at) = from.as_u64() {
        let page = server.get(&format!("/job/{id}?from={at}&limit=300")).json();
        let results = page["results"].as_array().unwrap_or_else(|| panic!("{page}")).clone();
        assert!(!results.is_empty(), "a page of nothing: {page}");
        all.extend(results);
        from = page["next"].clone();
    }
    all
}

/// Holds a job to the row: for each text, in order, the answer that it gets alone.
pub fn holds(server: &Server, id: &str, texts: &[String]) {
    let job = job(server, id);
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(job["done"], texts.len(), "{job}");
    let results = results(server, id);
    assert_eq!(results.len(), texts.len(), "results of {id}");
    for (texts, results) in texts.chunks(200).zip(results.chunks(200)) {
        let answer = server.post("/batch-sentiment", &json!({ "texts": texts })).json();
        assert_eq!(answer["results"], json!(results));
    }
}
