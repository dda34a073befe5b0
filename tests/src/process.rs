//! A program that serves.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A program that ends when it is dropped.
pub struct Process(Child);

impl Process {
    /// Starts a program that prints `listening on URL` once it answers; returns that URL too.
    /// Its standard input stays open as long as it is wanted.
    ///
    /// # Errors
    /// It does not start, or ends before it listens.
    pub fn start(command: &mut Command) -> io::Result<(Self, String)> {
        let url =
            |line: &str| Some(line.strip_prefix("listening on ")?.trim_end_matches('/').into());
        Self::until(command, url)
    }

    /// Starts a program that says in a line of its output where it answers.
    ///
    /// # Errors
    /// It does not start, or ends before it says so.
    pub fn until(
        command: &mut Command,
        url: impl Fn(&str) -> Option<String>,
    ) -> io::Result<(Self, String)> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|e| io::Error::new(e.kind(), format!("{command:?}: {e}")))?;
        let output = child.stdout.take();
        let process = Self(child);
        let mut said = Vec::new();
        let mut lines =
            output.into_iter().flat_map(|o| BufReader::new(o).lines()).map_while(Result::ok);
        for line in &mut lines {
            if let Some(url) = url(&line) {
                // Nobody reads the rest, but a full pipe would stop the program.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok((process, url));
            }
            said.push(line);
        }
        let said = said.join("\n");
        Err(io::Error::other(format!("{command:?} ended before it listened:\n{said}")))
    }

    /// The system's number for it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A program that ended by itself has been judged by its answers.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}
