//! The program that asks hosts what their document says may be asked.

use std::path::PathBuf;

use crate::places::{cache_dir, repo_root};

/// Its packages, each in one version, from the checkout's root.
pub const REQUIREMENTS: &str = "tests/schemathesis/requirements.lock";

/// The environment that it lies in. Another lock is another folder, so two checkouts can differ.
#[must_use]
pub fn environment() -> PathBuf {
    let lock = std::fs::read(repo_root().join(REQUIREMENTS)).unwrap_or_default();
    cache_dir().join(format!("schemathesis-{:08x}", fnv(&lock)))
}

/// FNV-1a: a name that is the same with every compiler, which the standard hasher does not promise.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
