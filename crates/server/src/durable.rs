//! Files that are there whole or not at all, also after a power cut.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use trireme_domain::{Code, Fault};

/// Writes a file beside its final name, syncs it, renames it, and syncs the folder. Readers see
/// the old content or the new; a failure leaves the old.
///
/// # Errors
/// Whatever the file system says.
pub fn replace<'a>(path: &Path, pieces: impl IntoIterator<Item = &'a [u8]>) -> io::Result<()> {
    let temporary = temporary(path);
    let done = write(&temporary, pieces).and_then(|()| publish(&temporary, path));
    if done.is_err() {
        // The first failure is the one worth telling.
        drop(fs::remove_file(&temporary));
    }
    done
}

fn write<'a>(path: &Path, pieces: impl IntoIterator<Item = &'a [u8]>) -> io::Result<()> {
    let mut file = File::create(path)?;
    for piece in pieces {
        file.write_all(piece)?;
    }
    file.sync_all()
}

/// Gives a finished, synced file its final name, for good.
///
/// # Errors
/// Whatever the file system says.
pub fn publish(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    match to.parent() {
        Some(folder) if folder.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

/// A name beside `path` that no other thread or process uses.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    sibling(path, &format!(".{}-{number}.tmp", std::process::id()))
}

/// The path with `suffix` added to its file name.
pub(crate) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows opens no folder as a file, and makes renames durable by itself.
    if std::path::MAIN_SEPARATOR == '\\' {
        return Ok(());
    }
    File::open(folder)?.sync_all()
}

/// A file's SHA-256, in lower-case hexadecimal.
pub(crate) fn sha256(path: &Path) -> io::Result<String> {
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

/// That a file could not be written.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(Code::Unwritable, format!("could not write {}: {error}", path.display()))
}
