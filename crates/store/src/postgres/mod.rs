//! A database of PostgreSQL, which several hosts may share.
//!
//! A lost connection is a fault of the verb that was under way; the next one connects again.

mod jobs;
mod notices;
mod predictions;
mod sweep;
mod verbs;

use std::future::Future;
use std::time::Duration;

use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, IsolationLevel, NoTls, Transaction};
use trireme_service::store::{StoreError, Stored};

use crate::failure::Failure;
use crate::migrations::{LATEST, POSTGRES, newest, pending};
use crate::sound::Rule;

/// How long a verb, or a connection, may take. No statement takes longer than a second, unless
/// somebody else is in its way.
const PATIENCE: Duration = Duration::from_secs(30);

/// Our own corner of a database that may hold other things.
const SETTINGS: &str = "SET search_path TO trireme; SET synchronous_commit TO on; \
    SET lock_timeout TO '5s'; SET statement_timeout TO '25s'";

/// The lock under which tables are laid out: hosts may begin at the same time.
const LAYING_OUT: i64 = 0x7472_6972;

/// A database of PostgreSQL.
pub struct Postgres {
    config: Config,
    client: Mutex<Option<Client>>,
}

impl Postgres {
    /// Connects to a database by its URL, and lays our tables out in a schema of their own.
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] for an address that is none, [`StoreError::Newer`] for tables
    /// that a newer program made, and whatever the database says.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_at(url, LATEST).await
    }

    /// The same, laid out as an older program would: for tests of migrations.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_at(url: &str, version: u32) -> Result<Self, StoreError> {
        let store = Self { config: config(url)?, client: Mutex::default() };
        store.verb(store.lay_out(version)).await?;
        Ok(store)
    }

    /// Connects to a database that is laid out as this program does it, and lays nothing out.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Misconfigured`] for an older layout,
    /// [`StoreError::Damaged`] for none, and whatever the database says.
    pub async fn join(url: &str) -> Result<Self, StoreError> {
        let store = Self { config: config(url)?, client: Mutex::default() };
        store.verb(store.joined()).await?;
        Ok(store)
    }

    /// Reads all of a database, changes nothing of it, and says what is damaged; gives its version.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first damage, and as [`Self::join`].
    pub async fn check(url: &str) -> Result<u32, StoreError> {
        let store = Self { config: config(url)?, client: Mutex::default() };
        store.checked().await.map_err(|Failure(error)| error)
    }

    async fn lay_out(&self, to: u32) -> Result<(), Failure> {
        let mut client = self.client().await?;
        let laying = client.transaction().await?;
        laying.execute("SELECT pg_advisory_xact_lock($1)", &[&LAYING_OUT]).await?;
        let found = laid_out(&laying).await?;
        if found.is_none() {
            laying
                .batch_execute(
                    "CREATE SCHEMA IF NOT EXISTS trireme;
                     CREATE TABLE state (version integer NOT NULL);
                     INSERT INTO state VALUES (0)",
                )
                .await?;
        }
        let files = pending(&POSTGRES, found.unwrap_or_default(), to)?;
        for file in &files {
            laying.batch_execute(file).await?;
        }
        if !files.is_empty() {
            let to = i32::try_from(to).unwrap_or(i32::MAX);
            laying.execute("UPDATE state SET version = $1", &[&to]).await?;
        }
        Ok(laying.commit().await?)
    }

    async fn joined(&self) -> Result<(), Failure> {
        let mut client = self.client().await?;
        let reading = client.transaction().await?;
        Ok(newest(laid_out(&reading).await?.unwrap_or_default())?)
    }

    /// All of it as it is at one moment, while servers write. It takes as long as there are rows:
    /// no verb waits for it.
    async fn checked(&self) -> Result<u32, Failure> {
        let mut client = self.client().await?;
        client.batch_execute("SET statement_timeout TO 0").await?;
        let one = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
        let reading = one.read_only(true).start().await?;
        let found = laid_out(&reading).await?.unwrap_or_default();
        newest(found)?;
        for rule in Rule::of(found) {
            let broken = reading.query_opt(rule.broken, &[]).await?;
            rule.kept(broken.map(|row| row.get(0)))?;
        }
        Ok(found)
    }

    /// The connection, a new one where the last was lost. Verbs take turns: each may be a batch.
    async fn client(&self) -> Result<MappedMutexGuard<'_, Client>, Failure> {
        let mut client = self.client.lock().await;
        if client.as_ref().is_none_or(Client::is_closed) {
            *client = Some(self.connected().await?);
        }
        let gone = |_| StoreError::Unreachable { reason: "the connection is gone".to_owned() };
        Ok(MutexGuard::try_map(client, Option::as_mut).map_err(gone)?)
    }

    async fn connected(&self) -> Result<Client, Failure> {
        let (client, connection) = self.config.connect(NoTls).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "the connection to the database broke off");
            }
        });
        client.batch_execute(SETTINGS).await?;
        Ok(client)
    }

    /// Does something within the time that a verb may take.
    fn verb<'a, T>(
        &'a self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'a,
    ) -> Stored<'a, T> {
        Box::pin(async move {
            let slow = || {
                let reason = format!("no answer within {} s", PATIENCE.as_secs());
                Failure(StoreError::Unreachable { reason })
            };
            let done = tokio::time::timeout(PATIENCE, work).await;
            done.unwrap_or_else(|_| Err(slow())).map_err(|Failure(error)| error)
        })
    }
}

/// The parser's words are not repeated: they may quote the password.
fn config(url: &str) -> Result<Config, StoreError> {
    let wrong = |reason: &str| StoreError::Misconfigured { reason: reason.to_owned() };
    let none = "the address of a database is postgresql://user:password@host/name";
    let mut config: Config = url.parse().map_err(|_| wrong(none))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(wrong("TLS to the database is not spoken here; let a proxy beside it do that"));
    }
    if config.get_hosts().is_empty() {
        return Err(wrong(none));
    }
    config
        .application_name("trireme")
        .connect_timeout(PATIENCE / 3)
        .tcp_user_timeout(PATIENCE)
        .keepalives_idle(PATIENCE);
    Ok(config)
}

/// Which version of the layout is there, if there is any.
async fn laid_out(reading: &Transaction<'_>) -> Result<Option<u32>, Failure> {
    let row = reading.query_one("SELECT to_regclass('trireme.state') IS NULL", &[]).await?;
    if row.get(0) {
        return Ok(None);
    }
    let row = reading.query_one("SELECT version FROM state", &[]).await?;
    Ok(Some(u32::try_from(row.get::<_, i32>(0)).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_refused_and_not_repeated() {
        for (url, sound) in [
            ("postgresql://me:planted@db.example/shop", true),
            ("postgresql://me@/shop?host=/run/planted", true),
            ("postgresql://me:planted@db.example/shop?sslmode=require", false),
            ("postgresql://me:planted@db.example:port/shop", false),
            ("mysql://me:planted@db.example/shop", false),
            ("postgresql:///shop", false),
            ("", false),
        ] {
            match config(url) {
                Ok(_) => assert!(sound, "{url}"),
                Err(error) => {
                    assert!(!sound, "{url}: {error}");
                    assert!(matches!(error, StoreError::Misconfigured { .. }), "{error:?}");
                    assert!(!error.to_string().contains("planted"), "{error}");
                }
            }
        }
    }
}
