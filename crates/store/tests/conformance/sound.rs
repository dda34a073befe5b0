//! Whoever checks a state hears what is wrong with it, and changes nothing.

use trireme_domain::Code;
use trireme_domain::jobs::Status;
use trireme_service::from_store;
use trireme_service::store::{Ending, Held, NewJob, StoreError};
use trireme_store::{LATEST, Postgres, Sqlite};

use crate::places::{HOUR, Place, claim, ending, job, results};

/// A job that is under way, one that is over, and one that was called off.
async fn fill(place: &Place) {
    let store = place.open().await;
    for (id, texts) in [("over", 3), ("off", 2), ("open", 1)] {
        let webhook = Some("https://hooks.example/x".to_owned());
        let new = NewJob { webhook, ..job(id) };
        store.put_job(new, 10, HOUR).await.unwrap();
        let held = claim(&*store, HOUR).await.hold;
        assert_eq!(held.id, id);
        let rows = results(&["1", "2", "3"][..texts]);
        store.append_results(held.clone(), 0, rows, HOUR).await.unwrap();
        let notice = (format!("n-{id}"), "{}".to_owned());
        let end = |status| Ending { notice: notice.clone(), ..ending(status) };
        let ended = match id {
            "over" => store.end_job(held, end(Status::Completed)).await,
            "off" => store.cancel_job(id, end(Status::Cancelled)).await,
            _ => Ok(Held::Still),
        };
        assert_eq!(ended, Ok(Held::Still));
    }
}

/// Does what neither program nor database allows.
fn damage(place: &Place, sql: &str) {
    let lawless = match place {
        Place::File(_) => "PRAGMA foreign_keys = OFF",
        Place::Database(_) => "SET session_replication_role TO replica",
    };
    place.sql(&format!("{lawless}; {sql}"));
}

#[tokio::test]
async fn a_row_that_is_missing_or_too_many_is_said_of_its_job() {
    for (sql, id) in [
        ("DELETE FROM job_results WHERE job_id = 'over' AND place = 1", "over"),
        ("UPDATE job_results SET place = 7 WHERE job_id = 'over' AND place = 1", "over"),
        ("INSERT INTO job_results VALUES ('open', 1, '2')", "open"),
        ("UPDATE jobs SET done = 0 WHERE id = 'off'", "off"),
        ("DELETE FROM job_texts WHERE job_id = 'open' AND place = 2", "open"),
        ("UPDATE job_texts SET place = 0 WHERE job_id = 'open' AND place = 2", "open"),
        ("INSERT INTO job_texts VALUES ('off', 2, 'three')", "off"),
        ("UPDATE jobs SET status = 'completed' WHERE id = 'off'", "off"),
        ("DELETE FROM jobs WHERE id = 'open'", "open"),
        ("DELETE FROM job_results; DELETE FROM jobs WHERE id = 'over'", "over"),
    ] {
        for place in Place::both() {
            println!("{}: {sql}", place.name());
            fill(&place).await;
            assert_eq!(place.check().await, Ok(LATEST));
            damage(&place, sql);
            let error = place.check().await.unwrap_err();
            assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
            assert!(error.to_string().contains(&format!("job {id}: ")), "{error}");
            assert_eq!(from_store(&error).code, Code::InvalidState);
        }
    }
}

#[tokio::test]
async fn a_place_where_nothing_is_laid_out_is_said_to_be_none_and_stays_as_it_is() {
    for place in Place::both() {
        println!("{}:", place.name());
        if let Place::File(_) = &place {
            std::fs::write(place.path().unwrap(), []).unwrap();
        }
        for error in [place.check().await.unwrap_err(), joined(&place).await.unwrap()] {
            assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
            assert!(error.to_string().contains("a server that is started on it"), "{error}");
        }
        match &place {
            Place::File(folder) => {
                let mut left = std::fs::read_dir(folder.path()).unwrap();
                let length = left.next().map(|entry| entry.unwrap().metadata().unwrap().len());
                assert_eq!((length, left.count()), (Some(0), 0));
            }
            Place::Database(_) => {
                let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'trireme'";
                assert_eq!(place.sql(schemas), "0");
            }
        }
    }
}

/// Why it is not looked at by whoever lays nothing out.
async fn joined(place: &Place) -> Option<StoreError> {
    match place {
        Place::File(_) => Sqlite::join(&place.path().unwrap()).err(),
        Place::Database(url) => Postgres::join(url).await.err(),
    }
}

#[tokio::test]
async fn a_layout_of_an_earlier_version_is_not_brought_up_to_date_by_whoever_looks() {
    for version in 1..LATEST {
        for place in Place::both() {
            println!("{} of version {version}:", place.name());
            drop(place.open_at(version).await);
            let error = joined(&place).await.unwrap();
            assert!(matches!(error, StoreError::Misconfigured { .. }), "{error:?}");
            let named = error.to_string();
            assert!(named.contains(&format!("of version {version},")), "{named}");
            assert!(named.contains("a server that is started on it"), "{named}");
            match &place {
                // A copy may be older, and is sound all the same.
                Place::File(_) => assert_eq!(place.check().await, Ok(version)),
                Place::Database(_) => {
                    assert_eq!(place.check().await, Err(error));
                    assert_eq!(place.sql("SELECT version FROM state"), version.to_string());
                }
            }
            place.open().await;
            assert_eq!(place.check().await, Ok(LATEST));
            assert_eq!(joined(&place).await, None);
        }
    }
}
