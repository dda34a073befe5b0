use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use tempfile::TempDir;
use trireme_server::source::{Http, HttpSettings, NetSettings, Progress};
use trireme_service::ports::{ModelSource, SourceError};

use crate::web::{Reply, Shelf, Web};
use crate::{content, eager, failure, get, runtime};

const FILE: &str = "model.safetensors";

fn settings(base: &str, cache: &TempDir) -> HttpSettings {
    HttpSettings { net: eager(), ..HttpSettings::new(base, cache.path()) }
}

fn source(base: &str, cache: &TempDir) -> Http {
    Http::new(settings(base, cache)).unwrap()
}

fn with_net(base: &str, cache: &TempDir, net: NetSettings) -> Http {
    Http::new(HttpSettings { net, ..settings(base, cache) }).unwrap()
}

fn ranges(web: &Web) -> Vec<Option<String>> {
    web.seen().iter().map(|request| request.header("range").map(str::to_owned)).collect()
}

fn rest_from(bytes: usize) -> Option<String> {
    Some(format!("bytes={bytes}-"))
}

#[test]
fn a_file_arrives_whole_and_its_progress_is_told() {
    let (web, _) = Shelf::new(content(300_000), "v1").serve();
    let cache = TempDir::new().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let progress = move |progress: Progress<'_>| {
        assert_eq!((progress.file, progress.total), (FILE, Some(300_000)));
        log.lock().unwrap().push(progress.done);
    };
    let net = NetSettings { progress: Some(Arc::new(progress)), ..eager() };
    let bytes = get(&with_net(&web.base(), &cache, net), FILE).unwrap().unwrap();
    assert!(bytes == content(300_000));
    let told = told.lock().unwrap();
    assert!(told.is_sorted() && told.last() == Some(&300_000), "{told:?}");
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    let (web, _) = Shelf::new(content(300_000), "v1").cuts([100_000, 50_000]).serve();
    let cache = TempDir::new().unwrap();
    let bytes = get(&source(&web.base(), &cache), FILE).unwrap().unwrap();
    assert!(bytes == content(300_000));
    assert_eq!(ranges(&web), [None, rest_from(100_000), rest_from(150_000)]);
    assert_eq!(web.seen()[1].header("if-range"), Some("\"v1\""));
}

#[test]
fn a_transfer_that_an_earlier_process_left_goes_on_too() {
    let (web, _) = Shelf::new(content(300_000), "v1").cuts([100_000]).serve();
    let cache = TempDir::new().unwrap();
    let net = NetSettings { retries: 0, ..eager() };
    let error = failure(&with_net(&web.base(), &cache, net), FILE);
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    assert!(get(&source(&web.base(), &cache), FILE).unwrap().unwrap() == content(300_000));
    assert_eq!(ranges(&web), [None, rest_from(100_000)]);
}

#[test]
fn a_server_without_ranges_starts_over_cleanly() {
    let mut shelf = Shelf::new(content(300_000), "v1").cuts([100_000, 200_000]);
    shelf.ranges = false;
    let (web, _) = shelf.serve();
    let cache = TempDir::new().unwrap();
    assert!(get(&source(&web.base(), &cache), FILE).unwrap().unwrap() == content(300_000));
    assert_eq!(web.seen().len(), 3);
}

#[test]
fn a_server_without_etags_is_never_asked_for_a_rest() {
    let mut shelf = Shelf::new(content(300_000), "v1").cuts([100_000]);
    shelf.etag = None;
    let (web, _) = shelf.serve();
    let cache = TempDir::new().unwrap();
    assert!(get(&source(&web.base(), &cache), FILE).unwrap().unwrap() == content(300_000));
    assert_eq!(ranges(&web), [None, None]);
}

/// A server whose file shrinks after its first, broken answer.
fn changing(second: impl Fn() -> Reply + Send + Sync + 'static) -> Web {
    let first = Mutex::new(Shelf::new(content(300_000), "v1").cuts([100_000]));
    let last = Mutex::new(Shelf::new(b"new".repeat(20_000), "v2"));
    let asked = Mutex::new(0);
    Web::new(move |request| {
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        match *asked {
            1 => first.lock().unwrap().answer(request),
            2 => second(),
            _ => last.lock().unwrap().answer(request),
        }
    })
}

#[test]
fn a_file_that_changed_meanwhile_comes_whole_in_its_new_version() {
    let web = changing(|| Reply::new(200, b"new".repeat(20_000)).with("etag", "\"v2\""));
    let cache = TempDir::new().unwrap();
    let bytes = get(&source(&web.base(), &cache), FILE).unwrap().unwrap();
    assert!(bytes == b"new".repeat(20_000));
}

#[test]
fn a_rest_of_another_version_is_not_glued_to_the_beginning_of_the_old_one() {
    // This server answers a range without looking at the condition.
    let rest = vec![0; 100_000];
    let range = "bytes 100000-199999/200000";
    let careless =
        move || Reply::new(206, rest.clone()).with("etag", "\"v2\"").with("content-range", range);
    let web = changing(careless);
    let cache = TempDir::new().unwrap();
    let bytes = get(&source(&web.base(), &cache), FILE).unwrap().unwrap();
    assert!(bytes == b"new".repeat(20_000));
}

#[test]
fn a_rest_from_another_offset_is_not_used() {
    let range = "bytes 5-299999/300000";
    let reply = || Reply::new(206, vec![0; 200_000]).with("etag", "\"v1\"");
    let web = changing(move || reply().with("content-range", range));
    let cache = TempDir::new().unwrap();
    let bytes = get(&source(&web.base(), &cache), FILE).unwrap().unwrap();
    assert!(bytes == b"new".repeat(20_000));
}

#[test]
fn a_rest_without_an_end_is_not_taken_for_whole() {
    // Three bytes of the two hundred thousand that are missing.
    let reply = || Reply::new(206, vec![0; 3]).with("etag", "\"v1\"");
    let web = changing(move || reply().with("content-range", "bytes 100000-100002/*"));
    let cache = TempDir::new().unwrap();
    let bytes = get(&source(&web.base(), &cache), FILE).unwrap().unwrap();
    assert!(bytes == b"new".repeat(20_000));
}

#[test]
fn the_end_of_another_version_is_not_the_end_of_the_old_one() {
    // The new version happens to be as long as what came of the old one.
    let reply = || Reply::new(416, "").with("etag", "\"v2\"");
    let web = changing(move || reply().with("content-range", "bytes */100000"));
    let cache = TempDir::new().unwrap();
    let bytes = get(&source(&web.base(), &cache), FILE).unwrap().unwrap();
    assert!(bytes == b"new".repeat(20_000));
}

#[test]
fn a_server_that_stumbles_in_the_middle_is_asked_again() {
    let web = changing(|| Reply::new(503, ""));
    let cache = TempDir::new().unwrap();
    let bytes = get(&source(&web.base(), &cache), FILE).unwrap().unwrap();
    assert!(bytes == b"new".repeat(20_000));
}

#[test]
fn a_transfer_that_gets_no_further_is_given_up_and_says_where_it_broke() {
    let (web, _) = Shelf::new(content(300), "v1").cuts([100].into_iter().chain([0; 50])).serve();
    let cache = TempDir::new().unwrap();
    let net = NetSettings { retries: 2, ..eager() };
    let error = failure(&with_net(&web.base(), &cache, net), FILE);
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("broke after 100 bytes") && text.contains("2 more attempts"), "{text}");
    assert_eq!(web.seen().len(), 3);
}

/// A source with a part file of `len` bytes, and the server's file of 300.
fn half_done(len: usize) -> (Web, TempDir) {
    let (web, shelf) = Shelf::new(content(1000), "v1").cuts([len]).serve();
    let cache = TempDir::new().unwrap();
    let net = NetSettings { retries: 0, ..eager() };
    failure(&with_net(&web.base(), &cache, net), FILE);
    shelf.lock().unwrap().body.truncate(300);
    (web, cache)
}

#[test]
fn a_part_file_that_is_whole_already_is_recognised() {
    let (web, cache) = half_done(300);
    assert!(get(&source(&web.base(), &cache), FILE).unwrap().unwrap() == content(300));
    assert_eq!(ranges(&web), [None, rest_from(300)]);
}

#[test]
fn a_part_file_that_is_longer_than_the_file_is_thrown_away() {
    let (web, cache) = half_done(400);
    assert!(get(&source(&web.base(), &cache), FILE).unwrap().unwrap() == content(300));
    assert_eq!(ranges(&web), [None, rest_from(400), None]);
}

#[test]
fn an_unchanged_file_is_not_sent_again_and_a_changed_one_is() {
    let (web, shelf) = Shelf::new(content(1000), "v1").serve();
    let cache = TempDir::new().unwrap();
    for _ in 0..2 {
        assert!(get(&source(&web.base(), &cache), FILE).unwrap().unwrap() == content(1000));
    }
    assert_eq!(web.seen()[1].header("if-none-match"), Some("\"v1\""));
    *shelf.lock().unwrap() = Shelf::new(content(2000), "v2");
    assert!(get(&source(&web.base(), &cache), FILE).unwrap().unwrap() == content(2000));
}

#[test]
fn a_damaged_etag_in_the_cache_costs_a_download_and_no_more() {
    let kept = |cache: &TempDir, suffix: &str| {
        let folder = fs::read_dir(cache.path()).unwrap().next().unwrap().unwrap().path();
        folder.join(format!("{FILE}{suffix}"))
    };
    for damaged in [&b"\"v1\"\n"[..], b"\"v1\xff\""] {
        let (web, cache) = half_done(100);
        for suffix in [".part.etag", ".etag"] {
            assert!(kept(&cache, suffix).is_file());
            fs::write(kept(&cache, suffix), damaged).unwrap();
            assert!(get(&source(&web.base(), &cache), FILE).unwrap().unwrap() == content(300));
        }
        assert!(ranges(&web).iter().all(Option::is_none));
        assert!(web.seen().iter().all(|request| request.header("if-none-match").is_none()));
    }
}

#[test]
fn two_sources_that_want_one_file_download_it_once() {
    let (web, _) = Shelf::new(content(500_000), "v1").serve();
    let cache = TempDir::new().unwrap();
    let (one, other) = (source(&web.base(), &cache), source(&web.base(), &cache));
    let (one, other) =
        runtime().block_on(async { tokio::join!(one.fetch(FILE), other.fetch(FILE)) });
    assert!(one.unwrap().unwrap() == content(500_000));
    assert!(other.unwrap().unwrap() == content(500_000));
    let conditional = |tag: &str| web.seen().iter().filter(|r| r.header(tag).is_some()).count();
    assert_eq!((web.seen().len(), conditional("if-none-match")), (2, 1));
}

#[test]
fn two_addresses_do_not_share_files() {
    let (web, _) = Shelf::new(content(10), "v1").serve();
    let (other, _) = Shelf::new(content(20), "v1").serve();
    let cache = TempDir::new().unwrap();
    assert_eq!(get(&source(&web.base(), &cache), FILE).unwrap().unwrap(), content(10));
    assert_eq!(get(&source(&other.base(), &cache), FILE).unwrap().unwrap(), content(20));
}

#[test]
fn a_file_that_the_server_lacks_is_none() {
    let web = Web::new(|_| Reply::new(404, "not here"));
    let cache = TempDir::new().unwrap();
    assert!(get(&source(&web.base(), &cache), "modules.json").unwrap().is_none());
}

#[test]
fn a_closed_door_asks_for_a_token_and_opens_for_the_right_one() {
    let web = Web::new(|request| match request.header("authorization") {
        Some("Bearer let-me-in") => Reply::new(200, "{}"),
        _ => Reply::new(401, ""),
    });
    let cache = TempDir::new().unwrap();
    let error = failure(&source(&web.base(), &cache), FILE);
    assert!(matches!(error, SourceError::Unauthorized { status: 401, .. }), "{error}");
    let net = NetSettings { token: Some("let-me-in\n".to_owned()), ..eager() };
    assert_eq!(get(&with_net(&web.base(), &cache, net), FILE).unwrap().unwrap(), "{}");
}

#[test]
fn a_token_follows_a_redirect_on_its_own_server_but_not_to_another_one() {
    let (cdn, _) = Shelf::new(content(1000), "v1").cuts([400]).serve();
    let away = format!("{}/signed", cdn.base());
    let web = Web::new(move |request| match request.path.as_str() {
        "/model.safetensors" => Reply::redirect("/moved"),
        _ => Reply::redirect(&away),
    });
    let cache = TempDir::new().unwrap();
    let net = NetSettings { token: Some("secret".to_owned()), ..eager() };
    assert!(get(&with_net(&web.base(), &cache, net), FILE).unwrap().unwrap() == content(1000));
    let tokens = |web: &Web| -> Vec<bool> {
        web.seen().iter().map(|request| request.header("authorization").is_some()).collect()
    };
    assert_eq!(web.lines(), ["GET /model.safetensors", "GET /moved"].repeat(2));
    assert_eq!(tokens(&web), [true; 4]);
    assert_eq!(tokens(&cdn), [false; 2]);
    assert_eq!(ranges(&cdn), [None, rest_from(400)]);
}

#[test]
fn a_redirect_in_a_circle_ends_with_an_error() {
    let web = Web::new(|request| Reply::redirect(&request.path));
    let cache = TempDir::new().unwrap();
    let error = failure(&source(&web.base(), &cache), FILE);
    assert!(error.to_string().contains("redirects more than"), "{error}");
}

#[test]
fn a_server_error_is_named_by_its_number_and_not_tried_again() {
    let web = Web::new(|_| Reply::new(500, "oops"));
    let cache = TempDir::new().unwrap();
    let error = failure(&source(&web.base(), &cache), FILE);
    assert!(matches!(error, SourceError::Status { status: 500, .. }), "{error}");
    assert_eq!(web.seen().len(), 1);
}

#[test]
fn a_dead_server_is_an_error_even_with_a_cached_copy_that_says_how_to_use_it() {
    let alive = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&alive);
    let web = Web::new(move |_| match switch.load(Ordering::SeqCst) {
        true => Reply::new(200, "{}").with("etag", "\"v1\""),
        false => Reply::silence(),
    });
    let cache = TempDir::new().unwrap();
    let source = source(&web.base(), &cache);
    get(&source, "config.json").unwrap();
    alive.store(false, Ordering::SeqCst);
    let error = failure(&source, "config.json").to_string();
    assert!(error.contains("load the cached copy in offline mode"), "{error}");
    let error = failure(&source, FILE).to_string();
    assert!(error.contains("check the address and the network"), "{error}");
    assert!(!error.contains("offline"), "{error}");
}

#[test]
fn a_name_that_leaves_the_model_reaches_no_server() {
    let web = Web::new(|_| Reply::new(200, "x"));
    let cache = TempDir::new().unwrap();
    let error = failure(&source(&web.base(), &cache), "../x");
    assert!(matches!(error, SourceError::UnsafeName { .. }), "{error}");
    assert!(web.seen().is_empty());
}

#[test]
fn a_download_that_nobody_waits_for_any_more_stops() {
    let (web, _) = Shelf::new(content(5_000_000), "v1").serve();
    let cache = TempDir::new().unwrap();
    let (started, wait_for_start) = mpsc::channel();
    let (go_on, wait_for_drop) = mpsc::channel::<()>();
    let gate = Mutex::new(wait_for_drop);
    let progress = move |progress: Progress<'_>| {
        started.send(progress.done).unwrap();
        let _ = gate.lock().unwrap().recv();
    };
    let net = NetSettings { progress: Some(Arc::new(progress)), ..eager() };
    let source = with_net(&web.base(), &cache, net);
    let runtime = runtime();
    runtime.block_on(async {
        // Polling once hands the work to its thread; losing the race drops the future.
        tokio::select! {
            biased;
            _ = source.fetch(FILE) => unreachable!(),
            () = async {} => {}
        }
    });
    wait_for_start.recv().unwrap();
    drop(go_on);
    // Waits for the thread.
    drop(runtime);
    drop(source);
    assert_eq!(wait_for_start.iter().count(), 0);
}
