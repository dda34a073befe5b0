//! Client libraries, as people install and call them: each gets the numbers of our own routes, and
//! its own kind of error.

use std::path::{Path, PathBuf};
use std::process::Command;

use trireme_tests::{javascript_clients, python_clients, repo_root};

use super::running::{Running, settings};
use crate::models::tiny;

#[test]
fn python_clients_just_work() {
    let python = there(&python_clients(), "bin/python");
    let mut command = Command::new(python);
    command.arg(repo_root().join("tests/clients/python/run.py"));
    let [default, embedder, reranker] = &serving([None, Some("bert-embed"), Some("bert-cross")]);
    command.args(["--default", &url(default), "--embedder", &url(embedder)]);
    command.args(["--reranker", &url(reranker)]);
    just_work(&mut command);
}

#[test]
fn javascript_clients_just_work() {
    let modules = javascript_clients();
    there(&modules, "openai/package.json");
    let mut command = Command::new("node");
    command.arg(repo_root().join("tests/clients/js/run.mjs")).arg(&modules);
    let [default, embedder] = &serving([None, Some("bert-embed")]);
    command.args([url(default), url(embedder)]);
    just_work(&mut command);
}

/// A file of a folder that setup has made.
fn there(folder: &Path, file: &str) -> PathBuf {
    let path = folder.join(file);
    assert!(path.exists(), "no client libraries in {}; run `cargo xtask setup`", folder.display());
    path
}

/// A server for the default model, or for a tiny one.
fn serving<const N: usize>(models: [Option<&str>; N]) -> [Running; N] {
    models.map(|name| {
        let folder = name.map(|name| tiny(name).display().to_string());
        Running::with(settings(folder), |_| {})
    })
}

fn url(running: &Running) -> String {
    format!("http://{}", running.address)
}

/// A program that says what each case came to, and fails where one did.
fn just_work(command: &mut Command) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    println!("{said}");
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
}
