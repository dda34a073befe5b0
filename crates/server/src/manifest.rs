//! What stands beside a copy of a host's state: what the copy was, and what was deleted since.
//!
//! A copy can't be changed, and may lie where no host reaches it. Whoever brings it back takes out
//! what its manifest says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trireme_domain::{Code, Fault};

use crate::durable::{self, unwritable};

/// How a manifest's name ends, behind that of the copy.
const ENDING: &str = ".manifest.json";

/// What is said of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// SHA-256 of the copy.
    sha256: String,
    /// Predictions that were deleted since.
    pub forgotten: Vec<String>,
}

impl Manifest {
    /// Writes that of a copy which is about to be made: what is deleted meanwhile is added to it.
    pub fn begin(copy: &Path) -> Result<(), Fault> {
        let path = beside(copy);
        let begin = || Self { sha256: String::new(), forgotten: Vec::new() }.write(&path);
        begin().map_err(|e| unwritable(&path, &e))
    }

    /// Says what the copy is, now that it is made.
    pub fn seal(copy: &Path) -> Result<(), Fault> {
        let path = beside(copy);
        let seal = || {
            let sha256 = durable::sha256(copy)?;
            let _lock = lock(&path)?;
            Self { sha256, ..Self::read(&path)? }.write(&path)
        };
        seal().map_err(|e| unwritable(&path, &e))
    }

    /// Takes that of a copy away which could not be made.
    pub fn remove(copy: &Path) {
        // The failure before is the one worth telling.
        drop(fs::remove_file(beside(copy)));
    }

    /// That of a copy, if it has one and is what it was.
    ///
    /// # Errors
    /// [`Code::InvalidState`] for a copy that is not what it was, [`Code::Unreadable`].
    pub fn of(copy: &Path) -> Result<Option<Self>, Fault> {
        let path = beside(copy);
        if !path.exists() {
            return Ok(None);
        }
        let unreadable =
            |e| Fault::new(Code::Unreadable, format!("could not read {}: {e}", path.display()));
        let manifest = Self::read(&path).map_err(unreadable)?;
        let got = durable::sha256(copy).map_err(unreadable)?;
        if got != manifest.sha256 {
            let message = format!(
                "{} is not what was copied: its manifest says {}, and it is {got}",
                copy.display(),
                manifest.sha256
            );
            return Err(Fault::new(Code::InvalidState, message));
        }
        Ok(Some(manifest))
    }

    fn read(path: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        durable::replace(path, [text.as_bytes(), b"\n"])
    }
}

/// Tells every manifest in a folder that a prediction was deleted.
///
/// # Errors
/// [`Code::Unwritable`] where one could not be told; the others were.
pub fn forget(folder: &Path, prediction: &str) -> Result<(), Fault> {
    let listed = fs::read_dir(folder).map_err(|e| unwritable(folder, &e))?;
    let mut told = Ok(());
    for entry in listed {
        let path = entry.map_err(|e| unwritable(folder, &e))?.path();
        if path.to_str().is_some_and(|path| path.ends_with(ENDING)) {
            told = told.and(tell(&path, prediction).map_err(|e| unwritable(&path, &e)));
        }
    }
    told
}

fn tell(path: &Path, prediction: &str) -> io::Result<()> {
    let _lock = lock(path)?;
    let mut manifest = Manifest::read(path)?;
    if !manifest.forgotten.iter().any(|known| known == prediction) {
        manifest.forgotten.push(prediction.to_owned());
        manifest.write(path)?;
    }
    Ok(())
}

/// Held by whoever changes a manifest of this folder: programs do not know of each other.
fn lock(path: &Path) -> io::Result<fs::File> {
    let lock = fs::File::create(path.with_file_name(".manifests.lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn beside(copy: &Path) -> PathBuf {
    durable::sibling(copy, ENDING)
}
