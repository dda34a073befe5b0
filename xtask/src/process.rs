//! Running programs so that a person always sees that something is happening.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

pub use trireme_tests::target_dir;
use trireme_tests::{cache_dir, repo_root};

use crate::error::{Error, Result};

/// Silence longer than this makes people wonder, so a progress line breaks it.
const SILENCE: Duration = Duration::from_secs(5);

/// How much of a program's output is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Every line as it comes.
    Everything,
    /// A progress line while it runs; what it said is the caller's to show.
    Progress,
}

/// How a program ended.
#[derive(Debug)]
pub struct Outcome {
    /// Whether its exit status was zero.
    pub success: bool,
    /// What it wrote to both streams, in order of arrival.
    pub output: String,
}

impl Outcome {
    /// The last lines of the output: enough to see a reason, short enough to read.
    pub fn tail(&self) -> String {
        let lines: Vec<&str> = self.output.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// The outcome again, or an error where the program failed.
    pub fn or_fail(self, label: &str) -> Result<Self> {
        if self.success {
            return Ok(self);
        }
        Err(Error::Program { label: label.to_owned(), tail: self.tail() })
    }
}

/// Where `setup` installs programs that the machine lacks.
pub fn tools_dir() -> PathBuf {
    cache_dir().join("tools")
}

/// A command in the checkout, with setup's tools on its path.
pub fn command(program: &str) -> Command {
    command_from(&[tools_dir().join("bin")], program)
}

/// A command in the checkout that looks for programs in `folders` first.
pub fn command_from(folders: &[PathBuf], program: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = folders.iter().cloned().chain(std::env::split_paths(&path));
    let mut command = Command::new(program);
    // A folder with a colon in its name cannot be on a path; then the path stays as it was.
    command.env("PATH", std::env::join_paths(folders).unwrap_or(path));
    command.current_dir(repo_root()).stdin(Stdio::null());
    command
}

/// [`command`] for cargo. Variables that describe xtask's own build must not reach another one.
pub fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = without_our_build(command("cargo"));
    command.args(args);
    command
}

/// The command, less the variables that cargo set for xtask itself.
pub fn without_our_build(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") {
            command.env_remove(name);
        }
    }
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
    command
}

/// What a quick program prints, or nothing where it is missing or fails.
pub fn ask(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// Runs a program to its end.
pub fn run(label: &str, command: Command, show: Show) -> Result<Outcome> {
    run_within(None, label, command, show)
}

/// Runs a program to its end, or until `limit` has passed; then it is ended, and has failed.
pub fn run_within(
    limit: Option<Duration>,
    label: &str,
    mut command: Command,
    show: Show,
) -> Result<Outcome> {
    let start = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let spawn_error = |source| Error::Spawn { program: program.clone(), source };
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(spawn_error)?;

    let (sender, lines) = mpsc::channel();
    if let Some(stream) = child.stdout.take() {
        forward(stream, sender.clone());
    }
    if let Some(stream) = child.stderr.take() {
        forward(stream, sender);
    }

    let (mut output, mut last, mut spoke) = (String::new(), String::new(), start);
    loop {
        match lines.recv_timeout(SILENCE.saturating_sub(spoke.elapsed())) {
            Ok(line) => {
                if show == Show::Everything {
                    println!("{line}");
                    spoke = Instant::now();
                }
                output.push_str(&line);
                output.push('\n');
                last = line;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if spoke.elapsed() >= SILENCE {
            let said: String = last.trim().chars().take(72).collect();
            println!("    {label}: {} s  {said}", start.elapsed().as_secs());
            spoke = Instant::now();
        }
        if limit.is_some_and(|limit| start.elapsed() >= limit) {
            output.push_str(&format!(
                "ended after {} s without a result\n",
                start.elapsed().as_secs()
            ));
            // It may have ended by itself just now; `wait` knows.
            let _gone = child.kill();
            break;
        }
    }
    let status = child.wait().map_err(spawn_error)?;
    Ok(Outcome { success: status.success(), output })
}

/// Sends a stream line by line; ends with the stream, or when nobody listens any more.
fn forward(stream: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(std::io::Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_and_the_status_are_kept() {
        let mut command = command("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let outcome = run("sh", command, Show::Progress).unwrap();
        assert!(!outcome.success);
        let mut lines: Vec<_> = outcome.output.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["err", "out"]);
        assert!(outcome.or_fail("sh").unwrap_err().to_string().contains("err"));
    }

    #[test]
    fn a_program_that_takes_too_long_has_failed() {
        let mut command = command("sh");
        command.args(["-c", "echo begun; exec sleep 60"]);
        let outcome = run_within(Some(Duration::ZERO), "sh", command, Show::Progress).unwrap();
        assert!(!outcome.success);
        assert!(outcome.output.contains("without a result"), "{}", outcome.output);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run("x", command("no-such-program"), Show::Progress).err().unwrap();
        assert!(error.to_string().contains("no-such-program"), "{error}");
    }
}
