//! What a host keeps on this machine or in a database, and how a person looks after it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trireme_domain::{Code, Fault};
use trireme_service::store::{DeadNotice, PredictionStore, Store};
use trireme_store::{Postgres, Sqlite};

use crate::durable::{self, unwritable};
use crate::manifest::Manifest;

/// What SQLite keeps beside a file, and writes into whichever file it finds under that name.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Notices that are read at once.
const PAGE: usize = 1000;

/// Where a host keeps what outlives it.
#[derive(Clone)]
pub enum State {
    /// A folder, for one host.
    Folder(PathBuf),
    /// A database, by its URL, which may hold a password; for several hosts.
    Database(String),
}

/// One store, by what is kept there.
#[derive(Clone)]
pub struct Stores {
    /// Jobs.
    pub jobs: Arc<dyn Store>,
    /// Records of predictions.
    pub predictions: Arc<dyn PredictionStore>,
}

impl Stores {
    fn of(store: impl Store + PredictionStore + 'static) -> Self {
        let store = Arc::new(store);
        Self { jobs: Arc::clone(&store) as _, predictions: store }
    }
}

impl State {
    /// Opens it, and brings it up to date.
    ///
    /// # Errors
    /// [`Code::NewerState`], [`Code::StoreUnavailable`] and others of the store.
    pub async fn open(&self) -> Result<Stores, Fault> {
        match self {
            Self::Folder(folder) => {
                fs::create_dir_all(folder).map_err(|e| unwritable(folder, &e))?;
                Ok(Stores::of(Sqlite::open(&Sqlite::file(folder))?))
            }
            Self::Database(url) => Ok(Stores::of(Postgres::connect(url).await?)),
        }
    }

    /// Reads all of it, brings nothing up to date, and says what is wrong; gives its version.
    ///
    /// # Errors
    /// [`Code::InvalidState`], [`Code::NewerState`] and others of the store; [`Code::InvalidOption`]
    /// for a database that a server has yet to bring up to date.
    pub async fn check(&self) -> Result<u32, Fault> {
        match self {
            Self::Folder(folder) => Ok(Sqlite::check(&existing(folder)?)?),
            Self::Database(url) => Ok(Postgres::check(url).await?),
        }
    }

    /// The notices that were given up, which are sent once more where that is wanted.
    ///
    /// # Errors
    /// As [`Self::check`], and for a folder that a server has yet to bring up to date.
    pub async fn dead_notices(&self, again: bool) -> Result<Vec<DeadNotice>, Fault> {
        let store: Arc<dyn Store> = match self {
            Self::Folder(folder) => Arc::new(Sqlite::join(&existing(folder)?)?),
            Self::Database(url) => Arc::new(Postgres::join(url).await?),
        };
        let mut all: Vec<DeadNotice> = Vec::new();
        loop {
            let behind = all.last().map_or("", |last| last.id.as_str());
            let some = store.dead_notices(behind, PAGE).await?;
            if some.is_empty() {
                return Ok(all);
            }
            if again {
                store.revive_notices(some.iter().map(|dead| dead.id.clone()).collect()).await?;
            }
            all.extend(some);
        }
    }

    /// Writes a copy of it into a file, and a manifest beside that, while it is in use or not. The
    /// file is there whole or not at all.
    ///
    /// # Errors
    /// [`Code::Unwritable`], and faults of the store; [`Code::UnsupportedHere`] for a database,
    /// which has its own ways.
    pub fn backup(&self, to: &Path) -> Result<(), Fault> {
        let file = existing(self.folder()?)?;
        vacant(to)?;
        let work = durable::temporary(to);
        Manifest::begin(to)?;
        let done = Sqlite::copy(&file, &work)
            .map_err(Fault::from)
            .and_then(|()| finish(&work, to).map_err(|e| unwritable(to, &e)))
            .and_then(|()| Manifest::seal(to));
        if done.is_err() {
            // The first failure is the one worth telling. A copy that nobody heard of is none.
            [work.as_path(), to].into_iter().for_each(|path| drop(fs::remove_file(path)));
            Manifest::remove(to);
        }
        done
    }

    /// Brings a copy back, to where nothing is kept yet, without what its manifest says was deleted
    /// since.
    ///
    /// # Errors
    /// [`Code::InvalidState`] and [`Code::NewerState`] of the copy, and as [`Self::backup`].
    pub fn restore(&self, from: &Path) -> Result<(), Fault> {
        let folder = self.folder()?;
        let file = Sqlite::file(folder);
        vacant(&file)?;
        let manifest = Manifest::of(from)?;
        Sqlite::check(from)?;
        fs::create_dir_all(folder).map_err(|e| unwritable(folder, &e))?;
        let work = durable::temporary(&file);
        let done = fs::copy(from, &work).map_err(|e| unwritable(&file, &e)).and_then(|_| {
            let forgotten = manifest.map(|manifest| manifest.forgotten).unwrap_or_default();
            Sqlite::forget_predictions(&work, &forgotten)?;
            finish(&work, &file).map_err(|e| unwritable(&file, &e))
        });
        if done.is_err() {
            // It may hold what was deleted.
            drop(fs::remove_file(&work));
        }
        done
    }

    fn folder(&self) -> Result<&Path, Fault> {
        let message = "a database is copied by its own programs, as pg_dump and pg_restore";
        match self {
            Self::Folder(folder) => Ok(folder),
            Self::Database(_) => Err(Fault::new(Code::UnsupportedHere, message)),
        }
    }
}

/// Gives a file its name once it is on the disk.
fn finish(work: &Path, file: &Path) -> std::io::Result<()> {
    File::open(work)?.sync_all()?;
    durable::publish(work, file)
}

fn existing(folder: &Path) -> Result<PathBuf, Fault> {
    let file = Sqlite::file(folder);
    let message = format!("nothing is kept in {}", folder.display());
    let there = file.is_file();
    there.then_some(file).ok_or_else(|| Fault::new(Code::Unreadable, message))
}

/// What is there is never written over: it may be the only copy. What was left beside a file that
/// is gone would be written into the one that takes its place.
fn vacant(file: &Path) -> Result<(), Fault> {
    let beside = BESIDE.map(|ending| durable::sibling(file, ending));
    let mut all = std::iter::once(file).chain(beside.iter().map(PathBuf::as_path));
    match all.find(|path| path.exists()) {
        Some(path) => {
            let message = format!("{} is there already; move it away first", path.display());
            Err(Fault::new(Code::Unwritable, message))
        }
        None => Ok(()),
    }
}
