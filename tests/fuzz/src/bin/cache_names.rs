//! Names that become files of a cache, and the small files that lie in it: no name leads out of its
//! folder or means two models, and what a damaged file says is not sent to a server.
#![no_main]

use std::path::{Component, Path};

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use trireme_server::source::untrusted::names::{commit, etag, model_folder, relative_path};

fuzz_target!(|data: &[u8]| {
    if let Some(name) = commit(data) {
        assert_eq!(commit(name.as_bytes()), Some(name));
        assert_eq!(inside(Path::new(name)), 1);
    }

    // Every etag that a server can send is kept, and no other is believed.
    let sent = HeaderValue::from_bytes(data).ok();
    let sent = sent.as_ref().and_then(|value| value.to_str().ok());
    assert_eq!(etag(data), sent.filter(|sent| !sent.is_empty()));

    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(path) = relative_path(text) {
        assert_eq!(inside(&path), text.split('/').count());
        assert_eq!(path.to_str(), Some(text));
    }
    if let Some(folder) = model_folder(text) {
        assert_eq!(inside(Path::new(&folder)), 1);
        // So Python's library reads it.
        let id = folder.strip_prefix("models--").expect("it is a model's").replace("--", "/");
        assert_eq!(id, text);
    }
});

/// How many steps down the path leads; every one of them must lead down.
fn inside(path: &Path) -> usize {
    let down = |part: &Component<'_>| matches!(part, Component::Normal(_));
    assert!(path.components().all(|part| down(&part)), "{} leads out", path.display());
    path.components().count()
}
