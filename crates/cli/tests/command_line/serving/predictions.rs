//! Records of predictions, as real servers keep them: by their ids, on the disk before anyone hears
//! of them, and gone from every place once they are deleted.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use trireme_tests::Postgres;

use super::keys::{Secret, key_file};
use super::server::{Reply, Room as _, serve};
use super::trouble::{away, back};
use super::*;
use crate::chance::kills;

const TEXT: &str = "What a wonderful harbour, full of planted oars.";

fn predicted(server: &Server, text: &str) -> Value {
    let reply = server.post("/predict", &json!({ "text": text }));
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn id(answer: &Value) -> String {
    answer["prediction_id"].as_str().unwrap_or_else(|| panic!("no id: {answer}")).to_owned()
}

fn record(server: &Server, id: &str) -> Reply {
    server.get(&format!("/predictions/{id}"))
}

/// Every line of a prediction log.
fn log(folder: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    let lines = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    let all: String = files.iter().map(lines).collect();
    all.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What any file under a folder holds.
fn bytes_under(folder: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(
            |path| if path.is_dir() { bytes_under(&path) } else { std::fs::read(path).unwrap() },
        )
        .collect()
}

fn holds(folder: &Path, word: &str) -> bool {
    bytes_under(folder).windows(word.len()).any(|window| window == word.as_bytes())
}

/// A state and a log of its own.
struct Kept(tempfile::TempDir);

impl Kept {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn serve(&self, more: &[&str]) -> Server {
        Server::with(self.command(more))
    }

    fn command(&self, more: &[&str]) -> Command {
        let (state, log) = (self.at("state"), self.at("log"));
        let args = ["--state", text(&state), "--predictions", "--prediction-log", text(&log)];
        serve(&[&args, more].concat())
    }
}

#[test]
fn a_prediction_is_found_by_its_id_without_its_text_also_after_a_restart() {
    let kept = Kept::new();
    let server = kept.serve(&[]);
    let answer = predicted(&server, TEXT);
    let again = id(&predicted(&server, TEXT));
    let other = id(&predicted(&server, "Two oars."));
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
    let server = kept.serve(&[]);
    let found = record(&server, &id(&answer)).json();
    for field in
        ["prediction_id", "prediction", "label", "confidence", "model", "digest", "version"]
    {
        assert_eq!(found[field], answer[field], "{field} of {found}");
    }
    assert_eq!(found["text"]["characters"], TEXT.chars().count());
    assert!(found["text"].get("text").is_none() && found.get("pair").is_none(), "{found}");
    let digest = |id: &str| record(&server, id).json()["text"]["digest"].clone();
    assert_eq!(digest(&again), found["text"]["digest"], "equal texts are known");
    assert_ne!(digest(&other), found["text"]["digest"]);
    let plain = trireme_domain::access::hash(TEXT);
    assert_ne!(found["text"]["digest"], plain, "and not found out by trying");
    assert!(!holds(kept.0.path(), "planted"), "a text is kept nowhere");
    let lines = log(&kept.at("log"));
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0]["prediction_id"], answer["prediction_id"]);
    assert_eq!(lines[0]["text"], found["text"]);
}

#[test]
fn every_classified_text_has_a_record_whoever_asked_and_how() {
    let kept = Kept::new();
    let server = kept.serve(&["--prediction-texts"]);
    let batch = server.post("/predict_batch", &json!({"texts": ["one", "", "two"]})).json();
    let results = batch["results"].as_array().unwrap();
    assert!(results[1]["error"].is_object() && results[1].get("prediction_id").is_none());
    assert_eq!(record(&server, &id(&results[2])).json()["text"]["text"], "two");
    let job = server.post("/jobs", &json!({"kind": "classify", "texts": ["three"]})).json();
    let job = until("the job is over", || {
        let job = server.get(&format!("/jobs/{}", job["job_id"].as_str().unwrap())).json();
        (job["status"] == "completed").then_some(job)
    });
    assert_eq!(record(&server, &id(&job["results"][0])).json()["text"]["text"], "three");
    server.post("/batch-sentiment", &json!({"texts": ["four"]}));
    server.post("/predict", &json!({"inputs": "five"}));
    server.post("/encode", &json!({"text": "no class"}));
    let lines = log(&kept.at("log"));
    let texts: Vec<&Value> = lines.iter().map(|line| &line["text"]["text"]).collect();
    assert_eq!(texts, ["one", "two", "three", "four", "five"]);
    let ids: HashSet<&str> =
        lines.iter().filter_map(|line| line["prediction_id"].as_str()).collect();
    assert_eq!(ids.len(), lines.len(), "each has an id of its own");
}

#[test]
fn a_tenant_finds_and_deletes_its_own_records_only() {
    let (kept, folder) = (Kept::new(), tempfile::tempdir().unwrap());
    let [shop, bank] = ["shop", "bank"].map(|name| Secret::new(name, "infer"));
    let keys = key_file(&folder, &[&shop, &bank]);
    let server = kept.serve(&["--keys", text(&keys)]);
    let body = json!({ "text": TEXT }).to_string();
    let answer = server.ask("POST", "/predict", &[shop.bearer()], &body).json();
    let path = format!("/predictions/{}", id(&answer));
    let ask =
        |method: &str, key: &Secret<'_>| server.ask(method, &path, &[key.bearer()], "").status;
    assert_eq!(server.get(&path).status, 401);
    assert_eq!((ask("GET", &bank), ask("DELETE", &bank)), (404, 404));
    assert_eq!((ask("GET", &shop), ask("DELETE", &shop)), (200, 200));
    assert_eq!((ask("GET", &shop), ask("DELETE", &shop)), (404, 404));
    assert_eq!(log(&kept.at("log")), Vec::<Value>::new());
}

#[test]
fn what_is_deleted_is_gone_from_the_state_the_log_and_from_copies_once_they_are_back() {
    let kept = Kept::new();
    let copies = kept.at("copies");
    std::fs::create_dir(&copies).unwrap();
    let server = kept.serve(&["--prediction-texts", "--backups", text(&copies)]);
    let gone = id(&predicted(&server, TEXT));
    let stays = id(&predicted(&server, "Two oars."));
    let (state, copy) = (kept.at("state"), copies.join("monday.sqlite"));
    out(&["state", "backup", text(&copy), "--state", text(&state)]);
    let deleted = server.ask("DELETE", &format!("/predictions/{gone}"), &[], "");
    assert_eq!((deleted.status, deleted.json()), (200, json!({ "prediction_id": gone })));
    assert_eq!(record(&server, &gone).status, 404);
    assert_eq!(record(&server, &stays).status, 200);
    let after = id(&predicted(&server, "a net"));
    let left: Vec<Value> =
        log(&kept.at("log")).into_iter().map(|line| line["prediction_id"].clone()).collect();
    assert_eq!(left, [stays.as_str(), after.as_str()], "the log goes on");
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
    assert!(
        !holds(&state, "planted") && !holds(&kept.at("log"), "planted"),
        "no byte of it is left"
    );
    let back = kept.at("back");
    out(&["state", "restore", text(&copy), "--state", text(&back)]);
    assert!(!holds(&back, "planted"), "nor in the copy that came back");
    let server = Server::start(&["--state", text(&back), "--predictions"]);
    assert_eq!(record(&server, &gone).status, 404);
    assert_eq!(record(&server, &stays).status, 200);
    // A copy that was changed is not what its manifest speaks of.
    let mut bytes = std::fs::read(&copy).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    let (code, said) =
        fault(&["state", "restore", text(&copy), "--state", text(&kept.at("other"))]);
    assert!(code == 1 && said.contains("is not what was copied"), "{code}: {said}");
}

#[test]
fn what_was_answered_with_an_id_is_kept_also_by_a_server_that_is_killed() {
    let kept = Kept::new();
    let mut promised: Vec<String> = Vec::new();
    for round in 0..kills(4) {
        let server = kept.serve(&["--prediction-log-mb", "1"]);
        let heard = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for client in 0..4 {
                let (server, heard) = (&server, &heard);
                scope.spawn(move || {
                    for number in 0.. {
                        let body = json!({ "text": format!("{round} {client} {number}") });
                        let Some(reply) = server.try_post("/predict", &[], &body) else { return };
                        heard.lock().unwrap().push(id(&reply.json()));
                    }
                });
            }
            until("some were answered", || (heard.lock().unwrap().len() > 40).then_some(()));
            server.signal("KILL");
        });
        promised.append(&mut heard.into_inner().unwrap());
    }
    let server = kept.serve(&[]);
    let lines = log(&kept.at("log"));
    let logged: HashSet<&str> =
        lines.iter().filter_map(|line| line["prediction_id"].as_str()).collect();
    for id in &promised {
        assert_eq!(record(&server, id).status, 200, "{id} was promised");
        assert!(logged.contains(id.as_str()), "{id} is not in the log");
    }
    println!("{} kills: {} predictions are kept", kills(4), promised.len());
}

#[test]
fn a_full_disk_costs_records_and_no_answer() {
    let kept = Kept::new();
    let server = kept.serve(&[]);
    let before = id(&predicted(&server, TEXT));
    server.terminate();
    drop(server.ended());
    let log_folder = kept.at("log");
    std::fs::rename(&log_folder, kept.at("away")).unwrap();
    let server = Server::with(kept.command(&[]).with_room(600));
    let answers: Vec<Value> =
        (0..400).map(|number| predicted(&server, &format!("text {number}"))).collect();
    let kept_some = answers.iter().filter(|answer| answer.get("prediction_id").is_some()).count();
    assert!((1..answers.len()).contains(&kept_some), "{kept_some} were kept, and then it was full");
    let metrics = server.get("/metrics").body;
    let lost = format!("trireme_predictions_unrecorded_total {}\n", answers.len() - kept_some);
    assert!(metrics.contains(&lost), "expected {lost}, got {metrics}");
    let told = || server.said().matches("predictions are not recorded").count();
    until("it says so", || (told() > 0).then_some(()));
    // There may be room again for a moment, as the journal is written back.
    let lost = answers.len() - kept_some;
    assert!(10 * told() < lost, "it says {} times that {lost} were not recorded", told());
    assert_eq!(record(&server, &before).status, 200, "what was kept is read");
    for answer in answers.iter().filter(|answer| answer.get("prediction_id").is_some()) {
        assert_eq!(record(&server, &id(answer)).status, 200);
    }
    let lines = log(&log_folder);
    assert_eq!(
        lines.len(),
        kept_some,
        "no line is torn, and none is of a record that was not kept"
    );
}

#[test]
fn a_database_that_goes_away_costs_records_for_as_long_and_no_answer() {
    let url = Postgres::shared().database();
    let server = Server::start(&["--database-url", &url, "--predictions"]);
    let before = id(&predicted(&server, TEXT));
    away(&url);
    until("an answer has no id", || {
        predicted(&server, TEXT).get("prediction_id").is_none().then_some(())
    });
    assert_eq!(record(&server, &before).status, 503, "nobody can say now");
    assert!(server.get("/health").status == 200 && server.get("/ready").status == 200);
    back(&url);
    let after = until("an answer has an id again", || {
        predicted(&server, TEXT)["prediction_id"].as_str().map(str::to_owned)
    });
    for id in [before, after] {
        assert_eq!(record(&server, &id).status, 200, "{id} was promised");
    }
    for what in ["predictions are not recorded", "predictions are recorded again"] {
        until("it says so", || server.said().contains(what).then_some(()));
    }
}

#[test]
fn options_that_would_keep_nothing_are_refused() {
    for args in [
        &["--predictions"][..],
        &["--prediction-log", "/nowhere"],
        &["--state", "/nowhere", "--prediction-texts"],
        &["--state", "/nowhere", "--predictions", "--keep-predictions", "0"],
    ] {
        let (code, said) = fault(&[&["config", "check"], args].concat());
        assert!(code == 2 && said.contains("[invalid_option]"), "{args:?}: {code}: {said}");
    }
    let kept = Kept::new();
    let _first = kept.serve(&[]);
    let log = kept.at("log");
    let other = kept.at("other");
    let args = [
        "serve",
        "--port=0",
        "--state",
        text(&other),
        "--predictions",
        "--prediction-log",
        text(&log),
    ];
    let (code, said) = fault(&args);
    assert!(code == 1 && said.contains("another server writes there"), "{code}: {said}");
}

#[test]
fn a_host_that_keeps_no_records_says_so() {
    let server = Server::start(&[]);
    let answer = predicted(&server, TEXT);
    let reply = record(&server, &id(&answer));
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (501, &json!("unsupported_here")));
}
