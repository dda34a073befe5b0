//! What a file of the checkout pins lies in a folder that is named after that file's bytes: a
//! changed pin is another folder, and two checkouts can differ.

use std::fs;
use std::path::PathBuf;

use crate::places::{cache_dir, repo_root};

/// Client libraries of Python, each in one version, with all that they need.
pub const PYTHON_CLIENTS: &str = "tests/clients/python/requirements.lock";

/// The program that asks hosts what their document says may be asked, with all that it needs.
pub const SCHEMATHESIS: &str = "tests/schemathesis/requirements.lock";

/// The folder that pins programs that answer as object stores do, Python's and npm's.
pub const OBJECTS: &str = "tests/objects";

/// What pins the client libraries of JavaScript.
pub const JAVASCRIPT_CLIENTS: &str = "tests/clients/js";

/// The folder of the cache for what these files of the checkout pin.
#[must_use]
pub fn pinned(name: &str, files: &[String]) -> PathBuf {
    let pins = files.iter().map(|file| fs::read(repo_root().join(file)).unwrap_or_default());
    cache_dir().join(format!("{name}-{:08x}", fnv(&pins.collect::<Vec<_>>().concat())))
}

/// The files that pin the npm packages of a folder.
#[must_use]
pub fn npm_pins(folder: &str) -> [String; 2] {
    ["package.json", "package-lock.json"].map(|name| format!("{folder}/{name}"))
}

/// The environment with the client libraries of Python.
#[must_use]
pub fn python_clients() -> PathBuf {
    pinned("clients-python", &[PYTHON_CLIENTS.to_owned()])
}

/// The environment with schemathesis.
#[must_use]
pub fn schemathesis() -> PathBuf {
    pinned("schemathesis", &[SCHEMATHESIS.to_owned()])
}

/// Where programs that answer as object stores do lie.
#[derive(Debug)]
pub struct Objects {
    /// The environment with one that answers as S3 does.
    pub python: PathBuf,
    /// The npm packages, with one that answers as Azure does.
    pub node_modules: PathBuf,
}

/// The programs that answer as object stores do.
#[must_use]
pub fn objects() -> Objects {
    Objects {
        python: pinned("objects", &[format!("{OBJECTS}/requirements.lock")]),
        node_modules: pinned("objects-npm", &npm_pins(OBJECTS)).join("node_modules"),
    }
}

/// The npm packages that are client libraries.
#[must_use]
pub fn javascript_clients() -> PathBuf {
    pinned("clients-js", &npm_pins(JAVASCRIPT_CLIENTS)).join("node_modules")
}

/// FNV-1a: a name that is the same with every compiler, which the standard hasher does not promise.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_pins_are_another_folder() {
        let of = |file: &str| pinned("x", &[file.to_owned()]);
        assert_eq!(of("Cargo.toml"), of("Cargo.toml"));
        assert_ne!(of("Cargo.toml"), of("Cargo.lock"));
        // The published values of FNV-1a.
        assert_eq!((fnv(b""), fnv(b"a"), fnv(b"foobar")), (0x811c_9dc5, 0xe40c_292c, 0xbf9c_f968));
    }
}
