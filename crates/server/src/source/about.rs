//! What a failure is about, and the errors that are worded from it.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use trireme_service::ports::SourceError;

use super::untrusted::names;

/// A file of a place: the subject of every error.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub place: &'a str,
    pub file: &'a str,
}

impl About<'_> {
    pub fn io(self, reason: impl Display) -> SourceError {
        let (place, file) = self.owned();
        SourceError::Io { place, file, reason: reason.to_string() }
    }

    /// The error for a file that is there and can't be read.
    pub fn unreadable(self, error: &io::Error) -> SourceError {
        let (place, file) = self.owned();
        match error.kind() {
            io::ErrorKind::OutOfMemory => SourceError::OutOfMemory { place, file },
            _ => self.io(error),
        }
    }

    pub fn offline(self) -> SourceError {
        let (place, file) = self.owned();
        SourceError::Offline { place, file }
    }

    pub fn unreachable(self, reason: impl Display, cached: bool) -> SourceError {
        let (place, file) = self.owned();
        SourceError::Unreachable { place, file, reason: reason.to_string(), cached }
    }

    pub fn damaged(self, expected: impl Display, got: impl Display) -> SourceError {
        let (place, file) = self.owned();
        SourceError::Integrity { place, file, expected: expected.to_string(), got: got.to_string() }
    }

    pub fn wrong_size(self, expected: u64, got: u64) -> SourceError {
        self.damaged(format_args!("{expected} bytes"), format_args!("{got} bytes"))
    }

    /// The error for a status that is no answer to the question.
    pub fn refused(self, status: u16) -> SourceError {
        let (place, file) = self.owned();
        match status {
            401 | 403 => SourceError::Unauthorized { place, file, status },
            _ => SourceError::Status { place, file, status },
        }
    }

    /// The file as a relative path, refused where it would leave the folder it is joined to.
    pub fn relative_path(self) -> Result<PathBuf, SourceError> {
        names::relative_path(self.file).ok_or_else(|| {
            let (place, file) = self.owned();
            SourceError::UnsafeName { place, file }
        })
    }

    fn owned(self) -> (String, String) {
        (self.place.to_owned(), self.file.to_owned())
    }
}
