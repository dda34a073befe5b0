//! A model's files in a folder.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use trireme_service::ports::{BoxFuture, ModelSource, SourceError};

use super::about::About;
use super::blocking::off_runtime;
use super::disk;

/// A folder on this machine. Large files are mapped, so replace them by renaming; a program that
/// edits one in place changes a loaded model's weights. Links inside the folder are followed.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    place: String,
}

impl Folder {
    /// The folder at `path`; nothing is looked at before the first `fetch`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let place = path.display().to_string();
        Self { path, place }
    }
}

impl ModelSource for Folder {
    fn fetch<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, SourceError>> {
        Box::pin(async move {
            let about = About { place: &self.place, file: name };
            let relative = about.relative_path()?;
            let (folder, place, file) = (self.path.clone(), self.place.clone(), name.to_owned());
            off_runtime(about, move |_| {
                read(&folder, &relative, About { place: &place, file: &file })
            })
            .await
        })
    }

    fn describe(&self) -> String {
        self.place.clone()
    }
}

fn read(folder: &Path, file: &Path, about: About<'_>) -> Result<Option<Bytes>, SourceError> {
    let bytes = disk::read(&folder.join(file)).map_err(|error| about.unreadable(&error))?;
    if bytes.is_none() && !folder.is_dir() {
        return Err(SourceError::NoModel {
            place: about.place.to_owned(),
            reason: "there is no such folder".to_owned(),
        });
    }
    Ok(bytes)
}
