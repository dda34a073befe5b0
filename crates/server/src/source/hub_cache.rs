//! One model's part of the cache that `huggingface_hub` keeps, read and written in its layout.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use trireme_service::ports::SourceError;

use super::about::About;
use super::blocking::Stop;
use super::disk;
use super::untrusted::names;

/// What the cache knows about a file of a commit.
pub(super) enum Cached {
    Here(PathBuf),
    Absent,
    Unknown,
}

pub(super) struct HubCache {
    root: PathBuf,
    locks: PathBuf,
}

impl HubCache {
    /// `folder` is the model's, below the cache.
    pub fn new(cache: &Path, folder: &str) -> Self {
        Self { root: cache.join(folder), locks: cache.join(".locks").join(folder) }
    }

    /// The commit that a branch or tag stood for when it was last looked up.
    pub fn commit_of(&self, revision: &str) -> io::Result<Option<String>> {
        let reference = disk::read(&self.reference(revision))?;
        Ok(reference.and_then(|reference| names::commit(&reference).map(str::to_owned)))
    }

    pub fn remember_commit(&self, revision: &str, commit: &str) -> io::Result<()> {
        if self.commit_of(revision)?.as_deref() == Some(commit) {
            // A cache that can't be written to serves what it holds.
            return Ok(());
        }
        disk::write_whole(&self.reference(revision), commit.as_bytes())
    }

    pub fn look(&self, commit: &str, file: &Path) -> Cached {
        let pointer = self.pointer(commit, file);
        if pointer.is_file() {
            return Cached::Here(pointer);
        }
        match self.marker(commit, file).is_file() {
            true => Cached::Absent,
            false => Cached::Unknown,
        }
    }

    pub fn remember_absent(&self, commit: &str, file: &Path) -> io::Result<()> {
        disk::write_whole(&self.marker(commit, file), b"")
    }

    pub fn blob(&self, etag: &str) -> PathBuf {
        self.root.join("blobs").join(etag)
    }

    /// The lock that Python's library takes for the same blob.
    pub fn lock(&self, etag: &str, about: About<'_>, stop: &Stop) -> Result<File, SourceError> {
        disk::lock(&self.locks.join(format!("{etag}.lock")), about, stop)
    }

    /// Makes the blob the commit's file, and returns that file's path.
    pub fn link(&self, commit: &str, file: &Path, etag: &str) -> io::Result<PathBuf> {
        let pointer = self.pointer(commit, file);
        if !pointer.is_file() {
            disk::create_parent(&pointer)?;
            let up = "../".repeat(file.components().count() + 1);
            link_or_copy(&format!("{up}blobs/{etag}"), &self.blob(etag), &pointer)?;
        }
        Ok(pointer)
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.root.join("refs").join(revision)
    }

    fn pointer(&self, commit: &str, file: &Path) -> PathBuf {
        self.root.join("snapshots").join(commit).join(file)
    }

    fn marker(&self, commit: &str, file: &Path) -> PathBuf {
        self.root.join(".no_exist").join(commit).join(file)
    }
}

fn link_or_copy(relative: &str, blob: &Path, pointer: &Path) -> io::Result<()> {
    if symlink(relative, pointer).is_ok() {
        return Ok(());
    }
    let temporary = disk::temporary(pointer);
    fs::copy(blob, &temporary)?;
    disk::publish(&temporary, pointer)
}

#[cfg(unix)]
fn symlink(target: &str, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

// Elsewhere a link needs rights that most users lack.
#[cfg(not(unix))]
fn symlink(_: &str, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
