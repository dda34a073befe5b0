//! A file of SQLite, and the one thread that uses it.
//!
//! What was said to have happened survives a power cut: the journal is synced before a verb
//! answers. A caller that leaves changes nothing: what it asked for is still done, or not, whole.

mod jobs;
mod notices;
mod predictions;
mod sweep;
mod verbs;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior};
use tokio::sync::oneshot;
use trireme_service::store::{StoreError, Stored};

use crate::failure::Failure;
use crate::migrations::{LATEST, SQLITE, known, missing, newest, pending};
use crate::sound::Rule;

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
        let open = || -> Result<Connection, Failure> {
            let mut connection = connect(path)?;
            migrate(&mut connection, version)?;
            Ok(connection)
        };
        Self::over(open().map_err(|Failure(error)| error)?)
    }

    /// Opens a file that is laid out as this program does it, and lays nothing out.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Misconfigured`] for an older layout,
    /// [`StoreError::Damaged`] for none, and whatever the disk says.
    pub fn join(path: &Path) -> Result<Self, StoreError> {
        let join = || -> Result<Connection, Failure> {
            let connection = existing(path)?;
            newest(version(&connection)?)?;
            set(&connection)?;
            Ok(connection)
        };
        Self::over(join().map_err(|Failure(error)| error)?)
    }

    /// Gives a connection to a thread of its own.
    fn over(mut connection: Connection) -> Result<Self, StoreError> {
        let (commands, inbox) = mpsc::channel::<Command>();
        thread::Builder::new()
            .name("trireme-store".to_owned())
            .spawn(move || inbox.into_iter().for_each(|command| command(&mut connection)))
            .map_err(|e| StoreError::Failed { reason: format!("no thread: {e}") })?;
        Ok(Self { commands })
    }

    /// Reads the whole file and says what is damaged; gives its version, which may be an older one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first damage, or where nothing is laid out;
    /// [`StoreError::Newer`], and whatever the disk says.
    pub fn check(path: &Path) -> Result<u32, StoreError> {
        check(path).map_err(|Failure(error)| error)
    }

    /// Writes all that is kept into a new file, while it is in use or not.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
        let copy = || -> Result<(), Failure> {
            let connection = existing(from)?;
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
    set(&connection)?;
    Ok(connection)
}

/// A file that must be there.
fn existing(path: &Path) -> Result<Connection, Failure> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// How a connection that writes goes about it.
fn set(connection: &Connection) -> Result<(), Failure> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is gone from the file too.
    connection.pragma_update(None, "secure_delete", true)?;
    Ok(())
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
    let mut connection = existing(path)?;
    // All of it as it is at one moment, while servers write.
    let reading = connection.transaction()?;
    let version = version(&reading)?;
    known(version)?;
    if version == 0 {
        return Err(missing().into());
    }
    let said: String = reading.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Err(StoreError::Damaged { reason: said }.into());
    }
    for rule in Rule::of(version) {
        let broken = reading.query_row(rule.broken, [], |row| row.get(0)).optional()?;
        rule.kept(broken)?;
    }
    Ok(version)
}

/// The file belongs to this machine, and so does the clock.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    crate::rows::millis(since)
}
