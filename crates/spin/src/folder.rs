//! A model's files in a folder that is mounted into the component.

use std::fs;
use std::future::ready;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use trireme_service::ports::{BoxFuture, ModelSource, SourceError};
use trireme_service::relative_path;

/// A mounted folder.
pub struct Folder(pub PathBuf);

impl Folder {
    fn read(&self, name: &str) -> Result<Option<Bytes>, SourceError> {
        let place = self.describe();
        if !self.0.is_dir() {
            let reason = "nothing is mounted there; see `files` in spin.toml".to_owned();
            return Err(SourceError::NoModel { place, reason });
        }
        let Some(path) = relative_path(name) else {
            return Err(SourceError::UnsafeName { place, file: name.to_owned() });
        };
        read(&self.0.join(path), &place, name)
    }
}

impl ModelSource for Folder {
    fn fetch<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, SourceError>> {
        Box::pin(ready(self.read(name)))
    }

    fn describe(&self) -> String {
        self.0.display().to_string()
    }
}

/// A whole file, where there is one. The standard library asks whether there is memory for it.
pub fn read(path: &Path, place: &str, file: &str) -> Result<Option<Bytes>, SourceError> {
    let (place, file) = (place.to_owned(), file.to_owned());
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Ok(None),
            ErrorKind::OutOfMemory => Err(SourceError::OutOfMemory { place, file }),
            _ => Err(SourceError::Io { place, file, reason: error.to_string() }),
        },
    }
}
