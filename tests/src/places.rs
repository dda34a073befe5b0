//! Where things lie: the checkout, the cache outside it, and the data beside it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder that a person cloned.
///
/// Cargo says at run time which package it runs; what was true at compile time is wrong where two
/// checkouts share a build folder, and serves only programs that are started by hand.
#[must_use]
pub fn repo_root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = package.ancestors().find(|folder| folder.join("rust-toolchain.toml").is_file());
    root.unwrap_or(&package).to_owned()
}

/// Where `cargo xtask setup` keeps what it downloads: `$TRIREME_CACHE`, else `.cache/trireme` in
/// the home folder, else (no home: a build sandbox) `.cache` in the checkout, which git ignores.
///
/// Setup and tests both ask here, so neither can look in another place than the other.
#[must_use]
pub fn cache_dir() -> PathBuf {
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("TRIREME_CACHE")
        .or_else(|| folder("HOME").map(|home| home.join(".cache/trireme")))
        .unwrap_or_else(|| repo_root().join(".cache"))
}

/// Where build products go; the same answer as cargo's.
#[must_use]
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repo_root().join("target"), |folder| repo_root().join(folder))
}

/// What `cargo xtask build` made of a host: `web`, `worker` or `spin`; with accidents to rehearse
/// in it, `web-drill` and so on.
///
/// # Panics
/// Where it was not built: a host that is not there proves nothing.
#[must_use]
pub fn built_host(name: &str) -> PathBuf {
    let folder = target_dir().join("hosts").join(name);
    assert!(folder.is_dir(), "no {name} in {}; run `cargo xtask build`", folder.display());
    folder
}

/// The real all-MiniLM-L6-v2, a sentence-transformers folder.
///
/// # Panics
/// Where setup has not brought it: the numbers it proves are not optional.
#[must_use]
pub fn minilm_dir() -> PathBuf {
    let folder = cache_dir().join("models/all-MiniLM-L6-v2");
    assert!(
        folder.join("model.safetensors").is_file(),
        "no MiniLM in {}; run `cargo xtask setup`",
        folder.display()
    );
    folder
}

/// Where setup unpacks nginx.
#[must_use]
pub fn nginx_dir() -> PathBuf {
    cache_dir().join("tools/nginx")
}

/// nginx: the one that setup brought, else the system's.
#[must_use]
pub fn nginx() -> PathBuf {
    let unpacked = nginx_dir().join("usr/sbin/nginx");
    if unpacked.is_file() { unpacked } else { PathBuf::from("nginx") }
}

/// A file of the training and evaluation data (`stsb/dev.csv`), which `TRIREME_DATA` locates.
///
/// Without that variable the answer is `None` and a line `skip: TEST: reason` is printed, past the
/// test harness's capture, so that a run says which proofs it left out.
///
/// # Panics
/// Where the variable is set and the file is not there: a wrong path is a mistake, not an absence.
#[must_use]
pub fn data_file(test: &str, file: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TRIREME_DATA") else {
        let line = format!("skip: {test}: needs {file}; set TRIREME_DATA to the data's folder\n");
        // Nobody is left to tell where standard error is closed.
        let _closed = std::io::stderr().write_all(line.as_bytes());
        return None;
    };
    let path = Path::new(&folder).join(file);
    assert!(path.is_file(), "TRIREME_DATA is set, but {} is not a file", path.display());
    Some(path)
}
