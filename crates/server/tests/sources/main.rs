//! Where models come from: folders, memory, web servers and hubs, the last two against real
//! servers of our own on this machine.
#![allow(clippy::unwrap_used, reason = "a test's helpers are tests too, which the lint can't see")]

mod folder;
mod http;
mod hub;
mod hub_cache;
mod offline;
mod web;

use bytes::Bytes;
use trireme_server::source::NetSettings;
use trireme_service::ports::{ModelSource, SourceError};

/// One file of a source, fetched on a runtime of its own.
fn get(source: &dyn ModelSource, name: &str) -> Result<Option<Bytes>, SourceError> {
    runtime().block_on(source.fetch(name))
}

/// Why a file could not be fetched; its bytes, had it been, would drown the report.
fn failure(source: &dyn ModelSource, name: &str) -> SourceError {
    let fetched = get(source, name).map(|bytes| bytes.map(|bytes| bytes.len()));
    fetched.unwrap_err()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Settings that don't rest between attempts.
fn eager() -> NetSettings {
    NetSettings { retry_pause: std::time::Duration::ZERO, ..NetSettings::default() }
}

/// Bytes that show a wrong order or a wrong offset.
fn content(len: usize) -> Vec<u8> {
    (0u32..).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).take(len).collect()
}
