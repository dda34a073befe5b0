//! What can go wrong has a name.

use std::fs;
use std::time::Duration;

use trireme_domain::Code;
use trireme_service::from_store;
use trireme_service::store::{Store as _, StoreError};
use trireme_store::{LATEST, Postgres, Sqlite};
use trireme_tests::Postgres as Server;

use crate::places::{HOUR, Place, job};

fn name(url: &str) -> &str {
    url.split(['/', '?']).nth(3).unwrap()
}

#[tokio::test]
async fn a_file_that_others_write_is_busy() {
    let [file, _] = Place::both();
    let store = file.open().await;
    let other = rusqlite::Connection::open(file.path().unwrap()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.put_job(job("a"), 10, HOUR).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    assert_eq!(from_store(&error).code, Code::StoreUnavailable);
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.put_job(job("a"), 10, HOUR).await.is_ok(), "once the other is done");
}

#[tokio::test]
async fn a_file_without_room_is_full_and_keeps_what_it_has() {
    let [file, _] = Place::both();
    drop(file.open().await);
    let store = Sqlite::open(&file.path().unwrap()).unwrap();
    store.put_job(job("a"), 10, HOUR).await.unwrap();
    store.limit_pages(1).await.unwrap();
    let large = trireme_service::store::NewJob { texts: vec!["x".repeat(1 << 20)], ..job("b") };
    let error = store.put_job(large, 10, HOUR).await.unwrap_err();
    assert!(matches!(error, StoreError::NoRoom { .. }), "{error:?}");
    assert_eq!(from_store(&error).code, Code::StoreUnwritable);
    assert_eq!(store.read_job("b").await, Ok(None), "it was refused whole");
    assert_eq!(store.read_texts("a", 0, 9).await.unwrap(), job("a").texts);
}

#[tokio::test]
async fn a_file_that_is_damaged_or_something_else_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = Sqlite::file(folder.path());
    fs::write(&path, "this is no database, and longer than a page's head".repeat(100)).unwrap();
    let error = Sqlite::open(&path).err().unwrap();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert_eq!(from_store(&error).code, Code::InvalidState);
    let [file, _] = Place::both();
    drop(file.open().await);
    let path = file.path().unwrap();
    assert_eq!(Sqlite::check(&path), Ok(LATEST));
    let missing = Sqlite::check(&folder.path().join("nowhere")).unwrap_err();
    assert!(matches!(missing, StoreError::Unreachable { .. }), "{missing:?}");
}

#[tokio::test]
async fn a_copy_is_made_while_the_file_is_in_use_and_holds_all_of_it() {
    let [file, _] = Place::both();
    let store = file.open().await;
    store.put_job(job("a"), 10, HOUR).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = Sqlite::file(folder.path());
    Sqlite::copy(&file.path().unwrap(), &copy).unwrap();
    assert_eq!(Sqlite::check(&copy), Ok(LATEST));
    let copied = Sqlite::open(&copy).unwrap();
    assert_eq!(copied.read_texts("a", 0, 9).await.unwrap(), job("a").texts);
}

#[tokio::test]
async fn a_connection_that_is_lost_is_a_fault_of_one_verb_and_the_next_has_another() {
    let url = Server::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    store.put_job(job("a"), 10, HOUR).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    Server::shared().sql(name(&url), end).unwrap();
    // The next verb may still believe in the old connection; no later one does.
    if let Err(error) = store.read_job("a").await {
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
        assert_eq!(from_store(&error).code, Code::StoreUnavailable);
    }
    assert!(store.read_job("a").await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_that_may_not_be_written_says_so() {
    let url = Server::shared().database();
    drop(Postgres::connect(&url).await.unwrap());
    let read_only =
        format!("ALTER DATABASE {} SET default_transaction_read_only TO on", name(&url));
    Server::shared().sql("postgres", &read_only).unwrap();
    let store = Postgres::connect(&url).await.unwrap();
    let error = store.put_job(job("a"), 10, HOUR).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert_eq!(from_store(&error).code, Code::StoreUnwritable);
}

#[tokio::test]
async fn a_database_that_is_locked_is_busy() {
    let url = Server::shared().database();
    let store = Postgres::connect(&url).await.unwrap();
    let other = Postgres::connect(&url).await.unwrap();
    other.put_job(job("a"), 10, HOUR).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("BEGIN; LOCK TABLE trireme.jobs").await.unwrap();
    let error = store.claim_job(vec!["m1".to_owned()], Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert!(store.claim_job(vec!["m1".to_owned()], HOUR).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_that_is_not_there_or_lets_nobody_in_is_named() {
    let url = Server::shared().database();
    let error = Postgres::connect(&url.replace(name(&url), "nowhere")).await.err().unwrap();
    assert!(matches!(error, StoreError::Misconfigured { .. }), "{error:?}");
    let nobody = url.replace("postgres@", "stranger@");
    let error = Postgres::connect(&nobody).await.err().unwrap();
    assert!(matches!(error, StoreError::Misconfigured { .. }), "{error:?}");
    let nowhere = url.replace("?host=", "?host=/nowhere");
    let error = Postgres::connect(&nowhere).await.err().unwrap();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
}
