//! A state of any earlier version is brought up to date with all that is in it; a newer one is left
//! alone.

use futures_util::future::join_all;
use trireme_domain::jobs::Status;
use trireme_service::store::{Held, StoreError};
use trireme_store::{LATEST, Postgres, Sqlite};

use crate::places::{HOUR, Place, claim, ending, job, results, try_notice};

/// A job in the columns that the first version had.
const OLD: &str = "INSERT INTO jobs (id, owner, request_digest, answerer, wanted, texts, turned_at,
    created_at, expires_at) VALUES ('old', 'shop', 'd', 'm1', '{}', 1, 0, 0, 99999999999999)";

#[tokio::test]
async fn every_earlier_version_is_brought_up_to_date_and_keeps_what_it_had() {
    for version in 1..LATEST {
        for place in Place::both() {
            println!("{} from version {version}:", place.name());
            drop(place.open_at(version).await);
            place.sql(OLD);
            let store = place.open().await;
            let kept = store.read_job("old").await.unwrap().unwrap();
            assert_eq!((kept.status, kept.texts), (Status::Processing, 1));
            let held = claim(&*store, HOUR).await.hold;
            assert_eq!(held.id, "old");
            let appended = store.append_results(held.clone(), 0, results(&["1"]), HOUR).await;
            assert_eq!(appended, Ok(Held::Still));
            assert_eq!(store.end_job(held, ending(Status::Completed)).await, Ok(Held::Still));
            assert_eq!(try_notice(&*store, HOUR).await, None);
        }
    }
}

#[tokio::test]
async fn an_upgraded_state_and_a_new_one_are_laid_out_alike() {
    let layout = "SELECT coalesce(sql, '') FROM sqlite_schema ORDER BY name";
    let columns = "SELECT table_name, column_name, data_type, is_nullable, column_default
        FROM information_schema.columns WHERE table_schema = 'trireme' ORDER BY 1, 2";
    let mut seen = Vec::new();
    for from in 0..=LATEST {
        for place in Place::both() {
            drop(place.open_at(from).await);
            drop(place.open().await);
            seen.push(match &place {
                Place::Database(_) => place.sql(columns),
                Place::File(_) => {
                    let file = rusqlite::Connection::open(place.path().unwrap()).unwrap();
                    let mut rows = file.prepare(layout).unwrap();
                    let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
                    rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
                }
            });
        }
    }
    for pair in seen.chunks(2) {
        assert_eq!(pair, &seen[..2]);
    }
}

#[tokio::test]
async fn a_state_that_a_newer_program_wrote_is_refused_by_name_and_left_as_it_is() {
    let newer = StoreError::Newer { found: LATEST + 1, known: LATEST };
    let [file, database] = Place::both();
    drop(file.open().await);
    file.sql(&format!("PRAGMA user_version = {}", LATEST + 1));
    let path = file.path().unwrap();
    assert_eq!(Sqlite::open(&path).err(), Some(newer.clone()));
    assert_eq!(Sqlite::join(&path).err(), Some(newer.clone()));
    assert_eq!(Sqlite::check(&path), Err(newer.clone()));
    drop(database.open().await);
    let Place::Database(url) = &database else { unreachable!() };
    database.sql(&format!("UPDATE state SET version = {}", LATEST + 1));
    assert_eq!(Postgres::connect(url).await.err(), Some(newer.clone()));
    assert_eq!(Postgres::join(url).await.err(), Some(newer.clone()));
    assert_eq!(Postgres::check(url).await, Err(newer));
    assert_eq!(database.sql("SELECT version FROM state"), (LATEST + 1).to_string());
}

#[tokio::test]
async fn hosts_that_begin_at_the_same_time_lay_one_state_out() {
    for place in Place::both() {
        println!("{}:", place.name());
        let stores = join_all((0..6).map(|_| place.open())).await;
        stores[0].put_job(job("a"), 10, HOUR).await.unwrap();
        for store in &stores {
            assert!(store.read_job("a").await.unwrap().is_some());
        }
    }
}
