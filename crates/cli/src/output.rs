//! What a person or a program sees.

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use trireme_domain::wire::FaultAnswer;
use trireme_domain::{Code, Fault};

use crate::args::Global;

/// How to speak.
#[derive(Clone, Copy)]
pub struct Output {
    /// JSON in place of prose.
    pub json: bool,
    /// Results and errors only.
    pub quiet: bool,
}

impl Output {
    pub fn new(global: &Global) -> Self {
        Self { json: global.json, quiet: global.quiet }
    }

    /// A result, on standard output.
    pub fn result(&self, text: &str) -> Result<(), Fault> {
        write(None, format!("{text}\n").as_bytes())
    }

    /// A result as JSON, on one line.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Fault> {
        self.result(&to_json(value)?)
    }

    /// Something worth knowing, on standard error.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            // Nobody is left to tell where standard error is closed.
            drop(writeln!(std::io::stderr(), "{text}"));
        }
    }

    /// What went wrong, on standard error.
    pub fn fault(&self, fault: &Fault) {
        let answer = FaultAnswer { error: fault.clone() };
        let text = match to_json(&answer) {
            Ok(json) if self.json => json,
            _ => format!("trireme: {} [{}]", fault.message, fault.code.name()),
        };
        drop(writeln!(std::io::stderr(), "{text}"));
    }
}

pub fn to_json(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::new(Code::Internal, e.to_string()))
}

/// Writes to a file, or to standard output. A reader that left early (`| head`) is no fault.
pub fn write(path: Option<&Path>, bytes: &[u8]) -> Result<(), Fault> {
    let done = match path {
        Some(path) => std::fs::write(path, bytes),
        None => std::io::stdout().write_all(bytes),
    };
    match done {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            let place = path.map_or("standard output".into(), |path| path.display().to_string());
            Err(Fault::new(Code::Unwritable, format!("could not write {place}: {e}")))
        }
        _ => Ok(()),
    }
}
