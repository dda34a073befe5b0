//! Tables in object stores: brought to a folder of this machine, worked on there, and taken back.
//!
//! The input is read from beginning to end before the first row is answered, to hash and to count
//! it, and parts are joined at the end: both are cheap on a disk, and would be paid for twice over a
//! network.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use trireme_domain::batch::Manifest;
use trireme_domain::{Code, Fault};
use trireme_server::Object;

use super::{manifest_of, rejects_of, unwritable, work};

/// The folder in which tables of object stores are worked on, and where its output goes.
pub struct Stage {
    /// None where all tables are files.
    folder: Option<Folder>,
    output: Option<Object>,
}

/// A folder that one run has for itself.
struct Folder {
    path: PathBuf,
    /// Held for as long as the run is at work.
    _lock: File,
}

impl Stage {
    /// For these tables, of which the last is written, and for one share of them. The same ones get
    /// the same folder, so that a run that is cut short is gone on with.
    pub fn new(tables: &[&Path], share: &str, work: Option<&Path>) -> Result<Self, Fault> {
        let objects = tables.iter().map(|path| object(path)).collect::<Result<Vec<_>, _>>()?;
        let remote = objects.iter().any(Option::is_some);
        let mut names = Sha256::new();
        for table in tables {
            names.update(table.as_os_str().as_encoded_bytes());
            names.update([0]);
        }
        let name = hex::encode(names.chain_update(share).finalize());
        let name = format!("trireme-batch-{}", name.get(..16).unwrap_or_default());
        let path = work.map_or_else(std::env::temp_dir, Path::to_owned).join(name);
        let folder = remote.then(|| Folder::taken(path)).transpose()?;
        Ok(Self { folder, output: objects.into_iter().next_back().flatten() })
    }

    /// Where to read a table: itself, or what was brought of it.
    pub async fn input(&self, table: &Path) -> Result<PathBuf, Fault> {
        let Some(object) = object(table)? else { return Ok(table.to_owned()) };
        let to = self.file(&format!("in-{}", object.name()))?;
        object.download(&to).await?;
        Ok(to)
    }

    /// Where to read what a shard wrote, with its record and its rejected rows.
    pub async fn shard(&self, index: usize, table: &Path) -> Result<PathBuf, Fault> {
        let Some(object) = object(table)? else { return Ok(table.to_owned()) };
        let to = self.file(&format!("{index}-{}", object.name()))?;
        object.download(&to).await?;
        for of in [manifest_of, rejects_of] {
            let beside = object.beside(&name(&of(Path::new(&object.name()))));
            if beside.size().await?.is_some() {
                beside.download(&of(&to)).await?;
            }
        }
        Ok(to)
    }

    /// Where to write a table: itself, or what will be taken to it.
    pub fn output(&self, table: &Path) -> Result<PathBuf, Fault> {
        match &self.output {
            Some(object) => self.file(&object.name()),
            None => Ok(table.to_owned()),
        }
    }

    fn file(&self, name: &str) -> Result<PathBuf, Fault> {
        let none = || Fault::new(Code::Internal, "there is no folder for an object");
        Ok(self.folder.as_ref().ok_or_else(none)?.path.join(name))
    }

    /// What a person calls the file that is written here.
    pub fn shown(&self, written: &Path) -> PathBuf {
        match &self.output {
            Some(object) => object.beside(&name(written)).to_string().into(),
            None => written.to_owned(),
        }
    }

    /// The record of the same run, where it was done and taken away before. What another run left
    /// is refused.
    pub async fn done(
        &self,
        written: &Path,
        asked: &Manifest,
        restart: bool,
    ) -> Result<Option<Manifest>, Fault> {
        let Some(output) = self.output.as_ref().filter(|_| !restart) else { return Ok(None) };
        let output = output.beside(&name(written));
        let Some(bytes) = output.size().await? else { return Ok(None) };
        let refused = |why: &str| {
            let message = format!("{output} is there already: {why}; --restart begins anew");
            Err(Fault::new(Code::InvalidRequest, message))
        };
        let Some(record) = output.beside(&name(&manifest_of(written))).read().await? else {
            return refused("no run of this program left it");
        };
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&record) else {
            return refused("its record can't be read");
        };
        if let Err(misfit) = manifest.fits(asked) {
            return refused(&misfit.to_string());
        }
        match &manifest.output {
            Some(made) if manifest.is_done() && made.bytes == bytes => Ok(Some(manifest)),
            // A run that was cut short as it delivered, and whose folder is lost.
            None => Ok(None),
            Some(_) => refused("it was changed afterwards"),
        }
    }

    /// Takes what was written where it belongs, the record last: where one names its output, all is
    /// there. Before that the record says whose output it will be.
    pub async fn deliver(self, written: &Path, manifest: &Manifest) -> Result<(), Fault> {
        let Some(output) = &self.output else { return self.clear() };
        let (record, rejects) = (manifest_of(written), rejects_of(written));
        let beside = |path: &Path| output.beside(&name(path));
        let begun = self.file("begun.json")?;
        work::record(&begun, &Manifest { output: None, ..manifest.clone() })?;
        beside(&record).upload(&begun).await?;
        beside(written).upload(written).await?;
        match rejects.exists() {
            true => beside(&rejects).upload(&rejects).await?,
            false => beside(&rejects).delete().await?,
        }
        beside(&record).upload(&record).await?;
        self.clear()
    }

    /// Takes the folder away, where there is one.
    pub fn clear(self) -> Result<(), Fault> {
        let Some(Folder { path, .. }) = &self.folder else { return Ok(()) };
        fs::remove_dir_all(path).map_err(|e| unwritable(path, &e))
    }
}

impl Folder {
    /// Makes it, if need be, and takes it.
    fn taken(path: PathBuf) -> Result<Self, Fault> {
        private(&path).map_err(|e| unwritable(&path, &e))?;
        let lock = work::lock(&path, &path)?;
        Ok(Self { path, _lock: lock })
    }
}

/// Makes a folder that others can't look into: tables are nobody else's, and names of folders can
/// be guessed.
fn private(path: &Path) -> io::Result<()> {
    let mut make = DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
    make.create(path)
}

/// The object that a table's name is the address of.
fn object(table: &Path) -> Result<Option<Object>, Fault> {
    table.to_str().and_then(Object::at).transpose()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
