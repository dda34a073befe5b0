//! The hub's answers, told by a small hub of our own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use trireme_server::source::{Hub, HubSettings, NetSettings};
use trireme_service::ports::{ModelSource, SourceError};

use crate::web::{Reply, Request, Shelf, Web};
use crate::{content, eager, failure, get, runtime};

pub const WEIGHTS: &str = "model.safetensors";
pub const OLD: &str = "1111111111111111111111111111111111111111";
pub const NEW: &str = "2222222222222222222222222222222222222222";

/// A hub with one model: small files it serves itself, large ones redirect to a second server.
pub struct Hubland {
    pub hub: Web,
    pub cdn: Web,
    pub head: Arc<Mutex<&'static str>>,
    pub cdn_shelf: Arc<Mutex<Shelf>>,
    pub cache: TempDir,
}

impl Hubland {
    pub fn new(weights: Vec<u8>) -> Self {
        let digest = hex::encode(Sha256::digest(&weights));
        let size = weights.len();
        let (cdn, cdn_shelf) = Shelf::new(weights, "cdn-etag").serve();
        let head = Arc::new(Mutex::new(OLD));
        let (main, cdn_base) = (Arc::clone(&head), cdn.base());
        let hub = Web::new(move |request| {
            let (revision, file) = asked(request);
            let is_commit = revision == OLD || revision == NEW;
            let commit = if is_commit { revision } else { *main.lock().unwrap() };
            let reply = match file {
                "config.json" => small(&format!("{{\"commit\":\"{commit}\"}}")),
                "1_Pooling/config.json" => small("{}"),
                WEIGHTS => Reply::redirect(format!("{cdn_base}/{digest}"))
                    .with("x-linked-etag", format!("\"{digest}\""))
                    .with("x-linked-size", size.to_string()),
                _ => Reply::new(404, "").with("x-error-code", "EntryNotFound"),
            };
            reply.with("x-repo-commit", commit)
        });
        Self { hub, cdn, head, cdn_shelf, cache: TempDir::new().unwrap() }
    }

    pub fn settings(&self) -> HubSettings {
        let settings = HubSettings::new("owner/name", self.cache.path());
        HubSettings { endpoint: self.hub.base(), net: eager(), ..settings }
    }

    pub fn source(&self) -> Hub {
        Hub::new(self.settings()).unwrap()
    }

    pub fn offline(&self) -> Hub {
        Hub::new(HubSettings { offline: true, ..self.settings() }).unwrap()
    }

    pub fn folder(&self) -> PathBuf {
        self.cache.path().join("models--owner--name")
    }
}

/// The revision and the file of `/owner/name/resolve/{revision}/{file}`.
fn asked(request: &Request) -> (&str, &str) {
    request.path.strip_prefix("/owner/name/resolve/").unwrap().split_once('/').unwrap()
}

fn small(body: &str) -> Reply {
    // Git's digest in the real thing; any short name here.
    let sum: u32 = body.bytes().map(u32::from).sum();
    Reply::new(200, body).with("etag", format!("W/\"{sum:08x}\""))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// A hub that gives every question the same answer.
fn same_answer(reply: Reply) -> SourceError {
    let web = Web::new(move |_| reply.clone());
    let cache = TempDir::new().unwrap();
    let settings = HubSettings::new("owner/name", cache.path());
    let settings = HubSettings { endpoint: web.base(), net: eager(), ..settings };
    failure(&Hub::new(settings).unwrap(), "config.json")
}

#[test]
fn all_files_of_a_load_come_from_one_commit_though_the_branch_moves() {
    let land = Hubland::new(content(1000));
    let source = land.source();
    assert!(get(&source, WEIGHTS).unwrap().unwrap() == content(1000));
    *land.head.lock().unwrap() = NEW;
    let config = get(&source, "config.json").unwrap().unwrap();
    assert_eq!(config, format!("{{\"commit\":\"{OLD}\"}}"));
    let config = get(&land.source(), "config.json").unwrap().unwrap();
    assert_eq!(config, format!("{{\"commit\":\"{NEW}\"}}"));
}

#[test]
fn files_asked_for_at_the_same_time_come_from_one_commit_too() {
    let land = Hubland::new(content(1000));
    let source = land.source();
    let (one, two, three) = runtime().block_on(async {
        tokio::join!(
            source.fetch("config.json"),
            source.fetch(WEIGHTS),
            source.fetch("1_Pooling/config.json")
        )
    });
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    let at_main = |line: &String| line.contains("/resolve/main/");
    assert_eq!(land.hub.lines().iter().filter(|line| at_main(line)).count(), 1);
}

#[test]
fn a_token_stays_with_the_hub() {
    let land = Hubland::new(content(1000));
    let net = NetSettings { token: Some("secret".to_owned()), ..eager() };
    let source = Hub::new(HubSettings { net, ..land.settings() }).unwrap();
    get(&source, WEIGHTS).unwrap();
    let tokens = |request: &Request| request.header("authorization").map(str::to_owned);
    assert!(land.hub.seen().iter().all(|r| tokens(r).as_deref() == Some("Bearer secret")));
    assert!(land.cdn.seen().iter().all(|r| tokens(r).is_none()));
    assert_eq!((land.hub.seen().len(), land.cdn.seen().len()), (2, 1));
}

#[test]
fn a_large_file_that_broke_goes_on_at_the_content_network() {
    let land = Hubland::new(content(300_000));
    land.cdn_shelf.lock().unwrap().cuts.push_back(120_000);
    assert!(get(&land.source(), WEIGHTS).unwrap().unwrap() == content(300_000));
    assert_eq!(land.cdn.seen()[1].header("range"), Some("bytes=120000-"));
}

#[test]
fn a_file_with_a_wrong_digest_is_refused_removed_and_comes_right_the_next_time() {
    let land = Hubland::new(content(1000));
    land.cdn_shelf.lock().unwrap().body[500] ^= 1;
    let error = failure(&land.source(), WEIGHTS);
    assert!(matches!(error, SourceError::Integrity { .. }), "{error}");
    assert!(error.to_string().contains("expected sha256"), "{error}");
    assert_eq!(names(&land.folder().join("blobs")), [""; 0]);
    land.cdn_shelf.lock().unwrap().body[500] ^= 1;
    assert!(get(&land.source(), WEIGHTS).unwrap().unwrap() == content(1000));
}

#[test]
fn a_file_of_another_length_than_the_hub_promised_is_refused_and_removed() {
    let land = Hubland::new(content(1000));
    land.cdn_shelf.lock().unwrap().body.push(0);
    let error = failure(&land.source(), WEIGHTS);
    assert!(matches!(error, SourceError::Integrity { .. }), "{error}");
    assert!(error.to_string().contains("expected 1000 bytes, got 1001 bytes"), "{error}");
    assert_eq!(names(&land.folder().join("blobs")), [""; 0]);
}

#[test]
fn a_missing_file_is_asked_for_once_and_stays_missing_offline() {
    let land = Hubland::new(content(10));
    let source = land.source();
    for _ in 0..2 {
        assert!(get(&source, "modules.json").unwrap().is_none());
    }
    assert_eq!(land.hub.lines(), ["HEAD /owner/name/resolve/main/modules.json"]);
    assert!(get(&land.offline(), "modules.json").unwrap().is_none());
}

#[test]
fn two_loads_at_once_download_a_blob_once() {
    let land = Hubland::new(content(500_000));
    let (one, other) = (land.source(), land.source());
    let (one, other) =
        runtime().block_on(async { tokio::join!(one.fetch(WEIGHTS), other.fetch(WEIGHTS)) });
    assert!(one.unwrap().unwrap() == content(500_000));
    assert!(other.unwrap().unwrap() == content(500_000));
    assert_eq!(land.cdn.seen().len(), 1);
}

#[test]
fn a_renamed_model_is_found_where_its_old_name_points() {
    let web = Web::new(|request| match request.path.strip_prefix("/old-name/") {
        Some(rest) => Reply::redirect(format!("/owner/new-name/{rest}")),
        None => small("{}").with("x-repo-commit", OLD),
    });
    let cache = TempDir::new().unwrap();
    let settings = HubSettings::new("old-name", cache.path());
    let settings = HubSettings { endpoint: web.base(), net: eager(), ..settings };
    assert_eq!(get(&Hub::new(settings).unwrap(), "config.json").unwrap().unwrap(), "{}");
    assert!(cache.path().join("models--old-name/refs/main").is_file());
}

#[test]
fn a_mirror_that_sends_its_readers_on_is_followed_to_the_hub() {
    let land = Hubland::new(content(10));
    let real = land.hub.base();
    let mirror = Web::new(move |request| Reply::redirect(format!("{real}{}", request.path)));
    let source = Hub::new(HubSettings { endpoint: mirror.base(), ..land.settings() }).unwrap();
    assert!(get(&source, WEIGHTS).unwrap().unwrap() == content(10));
}

#[test]
fn a_dead_hub_is_an_error_even_with_a_snapshot_and_says_how_to_use_it() {
    let land = Hubland::new(content(10));
    get(&land.source(), "config.json").unwrap();
    let dead_hub = Web::new(|_| Reply::silence());
    let dead = || HubSettings { endpoint: dead_hub.base(), ..land.settings() };
    let error = failure(&Hub::new(dead()).unwrap(), "config.json").to_string();
    assert!(error.contains("load the cached copy in offline mode"), "{error}");
    let error = failure(&Hub::new(dead()).unwrap(), WEIGHTS).to_string();
    assert!(error.contains("check the address") && !error.contains("offline"), "{error}");
}

#[test]
fn what_the_hub_refuses_is_told_apart() {
    let refused =
        |status, code: &str| same_answer(Reply::new(status, "").with("x-error-code", code));
    let hidden = refused(401, "RepoNotFound");
    assert!(matches!(hidden, SourceError::NoModel { .. }), "{hidden}");
    assert!(hidden.to_string().contains("private"), "{hidden}");
    let revision = refused(404, "RevisionNotFound");
    assert!(matches!(revision, SourceError::NoModel { .. }), "{revision}");
    let gated = refused(403, "GatedRepo");
    assert!(matches!(gated, SourceError::Unauthorized { status: 403, .. }), "{gated}");
    let broken = refused(500, "");
    assert!(matches!(broken, SourceError::Status { status: 500, .. }), "{broken}");
}

#[test]
fn a_server_that_is_no_hub_is_recognised() {
    let error = same_answer(Reply::new(200, "<html>").with("etag", "\"x\""));
    assert!(error.to_string().contains("check that the endpoint is a hub"), "{error}");
}

#[test]
fn names_from_the_hub_can_not_leave_the_cache() {
    for (commit, etag) in [("../../evil", "\"fine\""), (OLD, "\"../../evil\""), (OLD, "\"\"")] {
        let error =
            same_answer(small("{}").with("x-repo-commit", commit).with("x-linked-etag", etag));
        assert!(matches!(error, SourceError::NoModel { .. }), "{error}");
    }
}

#[test]
fn an_id_or_a_revision_that_is_none_is_refused_before_any_question() {
    let wrong = ["", "a/b/c", "../x", "/x", "a--b", "owner/", "owner/na me", "owner/..", "a/b@c"];
    for id in wrong {
        let error = Hub::new(HubSettings::new(id, "unused")).err().unwrap();
        assert!(matches!(error, SourceError::Misconfigured { .. }), "{id}: {error}");
    }
    for revision in ["", "../x", "a//b"] {
        let settings = HubSettings::new("owner/name", "unused");
        let settings = HubSettings { revision: revision.to_owned(), ..settings };
        let error = Hub::new(settings).err().unwrap();
        assert!(matches!(error, SourceError::Misconfigured { .. }), "{revision}: {error}");
    }
    let fine: BTreeMap<&str, bool> = ["bert-base-uncased", "owner/name-v1.5_x"]
        .map(|id| (id, Hub::new(HubSettings::new(id, "unused")).is_ok()))
        .into();
    assert!(fine.values().all(|fine| *fine), "{fine:?}");
}
