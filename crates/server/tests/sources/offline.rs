//! Offline mode opens no socket. Each proof is paired with its online twin, which shows that the
//! same set-up notices a socket, or a client, when there is one.

use std::fs;

use tempfile::TempDir;
use trireme_server::source::{Http, HttpSettings, Hub, HubSettings, NetSettings};
use trireme_service::ports::SourceError;

use crate::web::{Reply, Shelf, Web};
use crate::{content, eager, failure, get};

fn hub(web: &Web, cache: &TempDir, offline: bool) -> Hub {
    let settings = HubSettings::new("owner/name", cache.path());
    Hub::new(HubSettings { endpoint: web.base(), offline, net: eager(), ..settings }).unwrap()
}

fn http(web: &Web, cache: &TempDir, offline: bool) -> Http {
    let settings = HttpSettings::new(web.base(), cache.path());
    Http::new(HttpSettings { offline, net: eager(), ..settings }).unwrap()
}

#[test]
fn an_offline_hub_makes_no_connection_and_an_online_one_does() {
    let web = Web::new(|_| Reply::new(500, ""));
    let cache = TempDir::new().unwrap();
    let model = cache.path().join("models--owner--name");
    fs::create_dir_all(model.join("refs")).unwrap();
    fs::write(model.join("refs/main"), "a".repeat(40)).unwrap();
    let snapshot = model.join("snapshots").join("a".repeat(40));
    fs::create_dir_all(&snapshot).unwrap();
    fs::write(snapshot.join("config.json"), "{}").unwrap();

    let offline = hub(&web, &cache, true);
    assert_eq!(get(&offline, "config.json").unwrap().unwrap(), "{}");
    let error = failure(&offline, "tokenizer.json");
    assert!(matches!(error, SourceError::Offline { .. }), "{error}");
    assert_eq!(web.lines(), [""; 0]);

    failure(&hub(&web, &cache, false), "config.json");
    assert_eq!(web.lines(), ["HEAD /owner/name/resolve/main/config.json"]);
}

#[test]
fn an_offline_web_source_makes_no_connection_and_an_online_one_does() {
    let (web, shelf) = Shelf::new(content(100), "v1").serve();
    let cache = TempDir::new().unwrap();
    let error = failure(&http(&web, &cache, true), "config.json");
    assert!(matches!(error, SourceError::Offline { .. }), "{error}");
    assert_eq!(web.lines(), [""; 0]);

    get(&http(&web, &cache, false), "config.json").unwrap();
    assert_eq!(web.lines(), ["GET /config.json"]);
    shelf.lock().unwrap().body.clear();
    assert_eq!(get(&http(&web, &cache, true), "config.json").unwrap().unwrap(), content(100));
    assert_eq!(web.lines(), ["GET /config.json"]);
}

#[test]
fn an_answer_that_a_file_is_missing_holds_offline_too() {
    let web = Web::new(|_| Reply::new(404, ""));
    let cache = TempDir::new().unwrap();
    assert!(get(&http(&web, &cache, false), "modules.json").unwrap().is_none());
    assert!(get(&http(&web, &cache, true), "modules.json").unwrap().is_none());
    assert_eq!(web.lines(), ["GET /modules.json"]);
}

/// A client can't be built with this, so whoever builds one fails.
fn poison() -> NetSettings {
    NetSettings { proxy: Some("no proxy at all".to_owned()), ..NetSettings::default() }
}

#[test]
fn an_offline_source_does_not_even_build_a_client() {
    let cache = TempDir::new().unwrap();
    for offline in [true, false] {
        let settings = HubSettings::new("owner/name", cache.path());
        let hub = Hub::new(HubSettings { offline, net: poison(), ..settings });
        let settings = HttpSettings::new("http://host.example", cache.path());
        let http = Http::new(HttpSettings { offline, net: poison(), ..settings });
        assert_eq!((hub.is_ok(), http.is_ok()), (offline, offline));
    }
}
