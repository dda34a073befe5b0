//! What can go wrong before a figure is had.

use std::fmt;
use std::path::{Path, PathBuf};

use trireme_backend::BackendError;
use trireme_model::ModelError;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug)]
pub enum Error {
    /// The command line.
    Usage(&'static str),
    /// A file or folder.
    File(PathBuf, std::io::Error),
    /// A model of ours.
    Model(ModelError),
    /// The machine gave no threads, or a model's files can't be had.
    Host(String),
    /// A peer that could not be started or did not answer.
    Peer(&'static str, String),
}

impl Error {
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::File(path, error)
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        Self::Model(error.into())
    }
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(usage) => f.write_str(usage),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Model(error) => error.fmt(f),
            Self::Host(message) => f.write_str(message),
            Self::Peer(name, message) => write!(f, "{name}: {message}"),
        }
    }
}
