//! Why a task stopped.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong in a task; the text is what the person at the terminal reads.
#[derive(Debug)]
pub enum Error {
    /// The command line asks for something that does not exist.
    Usage(String),
    /// A program could not be started.
    Spawn { program: String, source: io::Error },
    /// A program ended badly, with the end of what it said.
    Program { label: String, tail: String },
    /// A file or folder refused.
    File { path: PathBuf, source: io::Error },
    /// A setup step could not do its work.
    Setup { step: &'static str, reason: String, remedy: &'static str },
    /// A mutation cannot be applied, or proves nothing as it stands.
    Mutant { name: &'static str, reason: String },
    /// The task ran and its verdict is no, for this reason.
    Verdict(String),
    /// The task ran, its verdict is no, and it has said why; nothing may follow its last line.
    Shown,
}

/// A task's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err` on file operations.
    pub fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) => write!(f, "{what}\n\n{}", crate::USAGE),
            Self::Spawn { program, source } => write!(f, "cannot start `{program}`: {source}"),
            Self::Program { label, tail } => write!(f, "{label} failed:\n{tail}"),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Setup { step, reason, remedy } => {
                write!(f, "setup could not bring {step}\n  reason: {reason}\n  remedy: {remedy}")
            }
            Self::Mutant { name, reason } => write!(f, "mutation \"{name}\": {reason}"),
            Self::Verdict(what) => write!(f, "{what}"),
            Self::Shown => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
