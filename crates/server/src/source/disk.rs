//! Files that other processes may be reading or writing at the same time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use trireme_service::ports::SourceError;

use super::about::About;
use super::blocking::Stop;
use crate::durable;
pub(super) use crate::durable::{publish, sibling, temporary};

/// Below this a copy costs nothing, and a small file edited in place can't change under a reader.
const MAP_FROM: u64 = 1 << 20;

const LOCK_POLL: Duration = Duration::from_millis(50);

/// A file's bytes, large ones mapped; `None` where there is no such file.
pub(super) fn read(path: &Path) -> io::Result<Option<Bytes>> {
    match fs::metadata(path) {
        Ok(meta) if !meta.is_file() => Ok(None),
        Ok(meta) if meta.len() >= MAP_FROM => crate::mmap::map(path).map(Some),
        Ok(_) => fs::read(path).map(|bytes| Some(bytes.into())),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}

/// The lock on `path`, held until the file is dropped. The system lets go of it when its holder
/// dies, so a crash leaves nothing to clean up.
pub(super) fn lock(path: &Path, about: About<'_>, stop: &Stop) -> Result<File, SourceError> {
    create_parent(path).map_err(|error| about.io(error))?;
    let file = File::options().create(true).append(true).open(path);
    let file = file.map_err(|error| about.io(error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_POLL),
            Err(TryLockError::Error(error)) => return Err(about.io(error)),
        }
        stop.check(about)?;
    }
}

pub(super) fn create_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Writes a small file that readers see whole or not at all.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    create_parent(path)?;
    durable::replace(path, [content])
}
