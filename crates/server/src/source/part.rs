//! A file on its way: the bytes so far, and the version of the remote file they belong to.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::disk::{self, sibling};
use super::untrusted::names;

pub(super) struct Part {
    file: File,
    etag_path: PathBuf,
    etag: Option<String>,
    len: u64,
}

impl Part {
    /// Takes up what an earlier transfer left, or starts with nothing.
    pub fn open(path: &Path) -> io::Result<Self> {
        let etag_path = Self::etag_path(path);
        let etag = disk::read(&etag_path)?;
        let etag = etag.and_then(|etag| names::etag(&etag).map(str::to_owned));
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        let mut part = Self { file, etag_path, etag, len: 0 };
        part.len = part.file.seek(SeekFrom::End(0))?;
        if part.resumable().is_none() {
            part.restart(None)?;
        }
        Ok(part)
    }

    pub fn remove(path: &Path) -> io::Result<()> {
        disk::remove(path)?;
        disk::remove(&Self::etag_path(path))
    }

    fn etag_path(path: &Path) -> PathBuf {
        sibling(path, ".etag")
    }

    /// Forgets all bytes; those to come belong to `etag`.
    pub fn restart(&mut self, etag: Option<&str>) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.len = 0;
        self.etag = etag.map(str::to_owned);
        match &self.etag {
            Some(etag) => disk::write_whole(&self.etag_path, etag.as_bytes()),
            None => disk::remove(&self.etag_path),
        }
    }

    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// The version to ask the rest of, where there are bytes that a rest can be added to. A weak
    /// etag (`W/"…"`) does not promise equal bytes.
    pub fn resumable(&self) -> Option<&str> {
        self.etag().filter(|etag| self.len > 0 && etag.starts_with('"'))
    }

    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}
