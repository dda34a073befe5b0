//! Stores to try: each kind in a new place of its own.

use std::ops::AsyncFn;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trireme_domain::jobs::Status;
use trireme_service::store::{
    Claimed, Ending, Hold, NewJob, Notice, PredictionStore, Store, StoreError,
};
use trireme_store::{LATEST, Postgres, Sqlite};
use trireme_tests::Postgres as Server;

pub const HOUR: Duration = Duration::from_secs(3600);

/// No notice is put off for longer here.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// What does not come true in this time does not come true.
const PATIENCE: Duration = Duration::from_secs(30);

/// All that a store keeps.
pub trait Whole: Store + PredictionStore {}

impl<S: Store + PredictionStore> Whole for S {}

/// Where a store is; it may be opened more than once.
pub enum Place {
    File(tempfile::TempDir),
    Database(String),
}

impl Place {
    pub fn both() -> [Self; 2] {
        let folder = tempfile::tempdir().unwrap();
        [Self::File(folder), Self::Database(Server::shared().database())]
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "SQLite",
            Self::Database(_) => "PostgreSQL",
        }
    }

    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Self::File(folder) => Some(Sqlite::file(folder.path())),
            Self::Database(_) => None,
        }
    }

    /// What a person at the store's own console does; what it says, if anything.
    pub fn sql(&self, sql: &str) -> String {
        match self {
            Self::File(folder) => {
                let file = rusqlite::Connection::open(Sqlite::file(folder.path())).unwrap();
                file.execute_batch(sql).unwrap();
                String::new()
            }
            Self::Database(url) => {
                let name = url.split(['/', '?']).nth(3).unwrap();
                Server::shared().sql(name, &format!("SET search_path TO trireme; {sql}")).unwrap()
            }
        }
    }

    /// What a person hears who has it checked.
    pub async fn check(&self) -> Result<u32, StoreError> {
        match self {
            Self::File(folder) => Sqlite::check(&Sqlite::file(folder.path())),
            Self::Database(url) => Postgres::check(url).await,
        }
    }

    pub async fn open(&self) -> Arc<dyn Whole> {
        self.open_at(LATEST).await
    }

    /// As a program of that version would lay it out.
    pub async fn open_at(&self, version: u32) -> Arc<dyn Whole> {
        match self {
            Self::File(folder) => {
                Arc::new(Sqlite::open_at(&Sqlite::file(folder.path()), version).unwrap())
            }
            Self::Database(url) => Arc::new(Postgres::connect_at(url, version).await.unwrap()),
        }
    }
}

/// Tries each kind of store, and says which one it is.
pub async fn each(test: impl AsyncFn(Arc<dyn Whole>)) {
    for place in Place::both() {
        println!("{}:", place.name());
        test(place.open().await).await;
    }
}

/// A job of three texts.
pub fn job(id: &str) -> NewJob {
    NewJob {
        id: id.to_owned(),
        owner: "shop".to_owned(),
        key: None,
        digest: "d1".to_owned(),
        answerer: "m1".to_owned(),
        order: r#"{"kind":"classify"}"#.to_owned(),
        webhook: None,
        texts: ["one", "two\0 and \u{1f6f6}", "three"].map(str::to_owned).into(),
    }
}

pub fn ending(status: Status) -> Ending {
    let notice = ("n1".to_owned(), "{}".to_owned());
    Ending { status, error: None, notice, keep: HOUR }
}

pub fn results(all: &[&str]) -> Vec<String> {
    all.iter().map(|result| (*result).to_owned()).collect()
}

/// Takes up a job that must be there.
pub async fn claim(store: &dyn Store, lease: Duration) -> Claimed {
    try_claim(store, lease).await.unwrap()
}

pub async fn try_claim(store: &dyn Store, lease: Duration) -> Option<Claimed> {
    store.claim_job(vec!["m0".to_owned(), "m1".to_owned()], lease).await.unwrap()
}

/// Takes up the notice that is due, if there is one.
pub async fn try_notice(store: &dyn Store, lease: Duration) -> Option<Notice> {
    store.claim_notice(lease, LONGEST).await.unwrap()
}

/// Takes up a job once nobody holds it any more.
pub async fn claim_when_free(store: &dyn Store) -> Hold {
    let begun = Instant::now();
    loop {
        if let Some(claimed) = try_claim(store, HOUR).await {
            return claimed.hold;
        }
        assert!(begun.elapsed() < PATIENCE, "nobody let go of the job");
    }
}
