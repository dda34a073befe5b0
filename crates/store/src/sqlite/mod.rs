//! A file of SQLite, and the one thread that uses it.
//!
//! What was said to have happened survives a power cut: the journal is synced before a verb
//! answers. A caller that leaves changes nothing: what it asked for is still done, or not, whole.

mod jobs;
mod notices;
mod predictions;
mod verbs;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;
use trireme_service::store::{StoreError, Stored};

use crate::failure::Failure;
use crate::migrations::{LATEST, SQLITE, pending};

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);

type Command = Box<dyn FnOnce(&mut Connection) + Send>;

/// A file of SQLite.
pub struct Sqlite {
    commands: mpsc::Sender<Command>,
}

impl Sqlite {
    /// The file in the folder of a host's state.
    #[must_use]
    pub fn file(folder: &Path) -> PathBuf {
        folder.join("state.sqlite")
    }

    /// Opens a file, makes it where there is none, and lays its tables out.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a file that a newer program wrote, and whatever the disk says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_at(path, LATEST)
    }

    /// The same, laid out as an older program would: for tests of migrations.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(path: &Path, version: u32) -> Result<Self, StoreError> {
        let mut connection = connect(path).map_err(|Failure(error)| error)?;
        migrate(&mut connection, version).map_err(|Failure(error)| error)?;
        let (commands, inbox) = mpsc::channel::<Command>();
        thread::Builder::new()
            .name("trireme-store".to_owned())
            .spawn(move || inbox.into_iter().for_each(|command| command(&mut connection)))
            .map_err(|e| StoreError::Failed { reason: format!("no thread: {e}") })?;
        Ok(Self { commands })
    }

    /// Reads the whole file and says what is damaged; gives its version.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first damage, [`StoreError::Newer`], and whatever the disk
    /// says.
    pub fn check(path: &Path) -> Result<u32, StoreError> {
        check(path).map_err(|Failure(error)| error)
    }

    /// Writes all that is kept into a new file, while it is in use or not.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
        let copy = || -> Result<(), Failure> {
            let connection = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(PATIENCE)?;
            connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
            Ok(())
        };
        copy().map_err(|Failure(error)| error)
    }

    /// Deletes records of predictions in a file that nobody uses, whoever owns them.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn forget_predictions(path: &Path, ids: &[String]) -> Result<(), StoreError> {
        let forget = || -> Result<(), Failure> {
            let mut connection = connect(path)?;
            migrate(&mut connection, LATEST)?;
            predictions::forget(&mut connection, ids)?;
            // All of it into the one file, which may then be moved.
            let one = "PRAGMA journal_mode = DELETE";
            Ok(connection.query_row(one, [], |_| Ok(()))?)
        };
        forget().map_err(|Failure(error)| error)
    }

    /// Lets the file grow by so many pages and no more: for tests of a full disk.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub async fn limit_pages(&self, more: u32) -> Result<(), StoreError> {
        let limit = move |connection: &mut Connection| {
            let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            let most = format!("PRAGMA max_page_count = {}", pages + more);
            Ok(connection.query_row(&most, [], |_| Ok(()))?)
        };
        self.run(limit).await
    }

    /// Has the thread do something.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Stored<'_, T> {
        let (answer, answered) = oneshot::channel();
        let command = move |connection: &mut Connection| {
            // Whoever asked may have left.
            drop(answer.send(work(connection)));
        };
        let gone = || StoreError::Unreachable { reason: "its thread has ended".to_owned() };
        let sent = self.commands.send(Box::new(command));
        Box::pin(async move {
            sent.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?.map_err(|Failure(error)| error)
        })
    }
}

fn connect(path: &Path) -> Result<Connection, Failure> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is gone from the file too.
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, to: u32) -> Result<(), Failure> {
    // Another process may be about to do the same.
    let migration = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&migration)?;
    for file in pending(&SQLITE, found, to)? {
        migration.execute_batch(file)?;
    }
    if found < to {
        migration.pragma_update(None, "user_version", to)?;
    }
    Ok(migration.commit()?)
}

fn version(connection: &Connection) -> Result<u32, Failure> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn check(path: &Path) -> Result<u32, Failure> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(PATIENCE)?;
    let version = version(&connection)?;
    pending(&SQLITE, version, LATEST)?;
    let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let stray: Option<String> = connection
        .query_row("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1", [], |row| row.get(0))
        .map(Some)
        .or_else(|e| if e == rusqlite::Error::QueryReturnedNoRows { Ok(None) } else { Err(e) })?;
    match (said.as_str(), stray) {
        ("ok", None) => Ok(version),
        ("ok", Some(table)) => {
            Err(StoreError::Damaged { reason: format!("a row of {table} belongs to no job") })?
        }
        (damage, _) => Err(StoreError::Damaged { reason: damage.to_owned() })?,
    }
}

/// The file belongs to this machine, and so does the clock.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    crate::rows::millis(since)
}
