//! The cache that Python's library shares: what we write there, and what we find.

use std::fs;

use trireme_server::source::{Hub, HubSettings};
use trireme_service::ports::SourceError;

use crate::hub::{Hubland, NEW, OLD, WEIGHTS};
use crate::{content, failure, get};

#[cfg(unix)]
#[test]
fn a_model_lies_in_the_layout_that_python_reads() {
    let land = Hubland::new(content(1000));
    let source = land.source();
    for file in ["config.json", "1_Pooling/config.json", WEIGHTS] {
        get(&source, file).unwrap().unwrap();
    }
    let folder = land.folder();
    assert_eq!(fs::read_to_string(folder.join("refs/main")).unwrap(), OLD);
    let snapshot = folder.join("snapshots").join(OLD);
    let digest = land.cdn.seen()[0].path[1..].to_owned();
    let link = |file: &str| fs::read_link(snapshot.join(file)).unwrap().display().to_string();
    assert_eq!(link(WEIGHTS), format!("../../blobs/{digest}"));
    assert!(link("1_Pooling/config.json").starts_with("../../../blobs/0000"));
    assert!(fs::read(folder.join("blobs").join(digest)).unwrap() == content(1000));
    let left = fs::read_dir(folder.join("blobs")).unwrap().count();
    assert_eq!(left, 3, "part files stay behind");
}

#[test]
fn a_cached_model_costs_one_question_and_a_commit_none() {
    let land = Hubland::new(content(1000));
    get(&land.source(), WEIGHTS).unwrap();
    get(&land.source(), "config.json").unwrap();
    let before = land.hub.seen().len();
    let source = land.source();
    get(&source, WEIGHTS).unwrap().unwrap();
    get(&source, "config.json").unwrap().unwrap();
    let asked = &land.hub.lines()[before..];
    assert_eq!(asked, [format!("HEAD /owner/name/resolve/main/{WEIGHTS}")]);

    let settings = HubSettings { revision: OLD.to_owned(), ..land.settings() };
    assert!(get(&Hub::new(settings).unwrap(), WEIGHTS).unwrap().unwrap() == content(1000));
    assert_eq!(land.hub.seen().len(), before + 1);
}

#[test]
fn a_blob_that_two_commits_share_is_downloaded_once() {
    let land = Hubland::new(content(1000));
    get(&land.source(), WEIGHTS).unwrap();
    *land.head.lock().unwrap() = NEW;
    assert!(get(&land.source(), WEIGHTS).unwrap().unwrap() == content(1000));
    assert_eq!(land.cdn.seen().len(), 1);
    assert!(land.folder().join("snapshots").join(NEW).join(WEIGHTS).is_file());
}

#[test]
fn a_branch_with_a_slash_in_its_name_has_its_place() {
    let land = Hubland::new(content(10));
    let settings = HubSettings { revision: "refs/pr/1".to_owned(), ..land.settings() };
    get(&Hub::new(settings).unwrap(), "config.json").unwrap();
    assert_eq!(land.hub.lines()[0], "HEAD /owner/name/resolve/refs%2Fpr%2F1/config.json");
    assert!(land.folder().join("refs/refs/pr/1").is_file());
}

#[test]
fn a_link_whose_blob_was_removed_is_mended() {
    let land = Hubland::new(content(1000));
    get(&land.source(), WEIGHTS).unwrap();
    fs::remove_dir_all(land.folder().join("blobs")).unwrap();
    assert!(get(&land.source(), WEIGHTS).unwrap().unwrap() == content(1000));
    assert!(get(&land.offline(), WEIGHTS).unwrap().unwrap() == content(1000));
}

#[test]
fn a_damaged_reference_is_mended_by_the_next_load_and_unknown_until_then() {
    let land = Hubland::new(content(10));
    get(&land.source(), "config.json").unwrap();
    let reference = land.folder().join("refs/main");
    for damaged in [&b"\xff\0"[..], b"../../..", b""] {
        fs::write(&reference, damaged).unwrap();
        let error = failure(&land.offline(), "config.json");
        assert!(matches!(error, SourceError::Offline { .. }), "{error}");
        get(&land.source(), "config.json").unwrap().unwrap();
        assert_eq!(fs::read_to_string(&reference).unwrap(), OLD);
    }
}

#[test]
fn a_commit_is_found_offline_without_any_reference() {
    let land = Hubland::new(content(10));
    get(&land.source(), "config.json").unwrap();
    fs::remove_dir_all(land.folder().join("refs")).unwrap();
    failure(&land.offline(), "config.json");
    let settings = HubSettings { revision: OLD.to_owned(), offline: true, ..land.settings() };
    assert!(get(&Hub::new(settings).unwrap(), "config.json").unwrap().is_some());
}

#[test]
fn a_transfer_that_an_earlier_process_left_in_the_cache_goes_on() {
    let land = Hubland::new(content(300_000));
    land.cdn_shelf.lock().unwrap().cuts.push_back(120_000);
    let mut settings = land.settings();
    settings.net.retries = 0;
    failure(&Hub::new(settings).unwrap(), WEIGHTS);
    assert!(get(&land.source(), WEIGHTS).unwrap().unwrap() == content(300_000));
    assert_eq!(land.cdn.seen()[1].header("range"), Some("bytes=120000-"));
}
