//! The command line as a user calls it: the real binary, real files, its exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers"
)]

mod answers;
mod batch;
mod bench;
mod chance;
mod device;
mod distilling;
mod faults;
mod models;
mod serving;
mod training;
mod tutorial;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use trireme_tests::Process;

fn trireme(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trireme"));
    command.args(args).stdin(Stdio::null());
    for name in ["TRIREME_MODEL", "TRIREME_LANE", "HF_HUB_OFFLINE", "HF_TOKEN", "PORT"] {
        command.env_remove(name);
    }
    command
}

fn run(args: &[&str]) -> Output {
    trireme(args).output().unwrap()
}

/// Standard output of a command that must succeed.
fn out(args: &[&str]) -> String {
    let done = run(args);
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{args:?} failed with {:?}: {error}", done.status.code());
    String::from_utf8(done.stdout).unwrap()
}

fn json(args: &[&str]) -> Value {
    let text = out(args);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e} in {text:?}"))
}

/// Exit code and standard error of a command that must fail.
fn fault(args: &[&str]) -> (i32, String) {
    let done = run(args);
    (done.status.code().unwrap_or(-1), String::from_utf8(done.stderr).unwrap())
}

fn tiny(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/tiny");
    root.join(name).display().to_string()
}

fn file(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn vectors(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Starts a server, and says where it answers: the first line on standard error does.
fn serving(command: &Command) -> (Process, String) {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Process::until(&mut shell, |line| {
        let (_, rest) = line.split_once("answers at ")?;
        rest.split_whitespace().next().map(str::to_owned)
    })
    .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
