//! Files that other processes may be reading or writing at the same time.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use trireme_service::ports::SourceError;

use super::about::About;
use super::blocking::Stop;

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

/// A small text file's content; `None` where there is no such file.
pub(super) fn read_text(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
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

/// The path with `suffix` added to its file name.
pub(super) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
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

/// Gives a finished, synced file its final name, in a way that outlives a power cut.
pub(super) fn publish(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Writes a small file that readers see whole or not at all.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    create_parent(path)?;
    let temporary = temporary(path);
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    publish(&temporary, path)
}

/// A name beside `path` that no other thread or process uses.
pub(super) fn temporary(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    sibling(path, &format!(".{}-{number}.tmp", std::process::id()))
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

// Windows opens no folder as a file, and makes renames durable by itself.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A file's SHA-256, in lower-case hexadecimal.
pub(super) fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex::encode(digest.finalize())),
            read => digest.update(&chunk[..read]),
        }
    }
}
