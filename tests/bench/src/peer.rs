//! A peer: a process that answers a line of JSON with a line of JSON.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A peer that waits for requests.
pub struct Peer {
    kind: &'static str,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub hello: Hello,
}

/// What a peer says of itself.
#[derive(Deserialize)]
pub struct Hello {
    pub name: String,
    pub version: String,
}

impl fmt::Display for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Work for a peer.
#[derive(Serialize)]
pub struct Request<'a> {
    /// `ours` or `theirs`, where one process holds both.
    pub side: &'a str,
    /// The folder of a model, or of its graphs.
    pub graphs: &'a str,
    pub precision: &'a str,
    pub threads: usize,
    /// Each a list of lengths.
    pub batches: &'a [Vec<usize>],
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
}

impl Peer {
    pub fn start(kind: &'static str, mut command: Command) -> Result<Self> {
        let failed = |message: String| Error::Peer(kind, message);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| failed(format!("could not start {command:?}: {e}")))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("has no pipes".to_owned()));
        };
        let mut answers = BufReader::new(answers);
        let hello = read(kind, &mut answers)?;
        Ok(Self { kind, child, requests, answers, hello })
    }

    /// The system's number for its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The time that what is asked for took.
    pub fn ask(&mut self, request: &impl Serialize) -> Result<Duration> {
        let answer: Answer = self.answer(request)?;
        Ok(Duration::from_secs_f64(answer.seconds))
    }

    /// The whole answer.
    pub fn answer<T: for<'a> Deserialize<'a>>(&mut self, request: &impl Serialize) -> Result<T> {
        let failed = |e: std::io::Error| Error::Peer(self.kind, e.to_string());
        let line = serde_json::to_string(request).map_err(|e| failed(e.into()))?;
        writeln!(self.requests, "{line}").map_err(failed)?;
        read(self.kind, &mut self.answers)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It holds nothing worth waiting for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read<T: for<'a> Deserialize<'a>>(
    kind: &'static str,
    answers: &mut BufReader<ChildStdout>,
) -> Result<T> {
    let mut line = String::new();
    answers.read_line(&mut line).map_err(|e| Error::Peer(kind, e.to_string()))?;
    serde_json::from_str(&line).map_err(|e| Error::Peer(kind, format!("{e}: {line:?}")))
}
