//! What a failure is about, and the errors that are worded from it.

use std::fmt::Display;
use std::path::PathBuf;

use trireme_service::ports::SourceError;

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
        let unsafe_part = |part: &str| matches!(part, "" | "." | "..");
        // A backslash or a colon means a path of its own on Windows.
        if self.file.contains(['\\', ':', '\0']) || self.file.split('/').any(unsafe_part) {
            let (place, file) = self.owned();
            return Err(SourceError::UnsafeName { place, file });
        }
        Ok(self.file.split('/').collect())
    }

    fn owned(self) -> (String, String) {
        (self.place.to_owned(), self.file.to_owned())
    }
}
