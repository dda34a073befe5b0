//! Files as memory, without reading them first: the one place of this crate that is `unsafe`.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;
use memmap2::Mmap;

/// The file's bytes, mapped read-only; pages come in as they are touched.
///
/// # Errors
/// Where the file can't be opened or mapped.
pub fn map(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    // SAFETY: a mapping is unsound only while somebody writes to or cuts the same file. What this
    // program stores is written under another name and renamed, never changed in place, and the
    // mapping is read-only; a model folder's owner is told to replace files, not to edit them.
    let map = unsafe { Mmap::map(&file)? };
    Ok(Bytes::from_owner(map))
}
