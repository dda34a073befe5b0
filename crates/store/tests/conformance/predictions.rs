//! Records of predictions: kept whole, found by their ids, and gone when they should be.

use std::time::Duration;

use trireme_service::store::{KeptPrediction, NewPrediction, PredictionStore as _};
use trireme_store::Sqlite;

use crate::places::{HOUR, Place, each};

fn new(id: &str) -> NewPrediction {
    let record = format!("{{\"prediction_id\":\"{id}\",\"text\":\"\\u0000 \u{1f6f6}\"}}");
    NewPrediction { id: id.to_owned(), owner: "shop".to_owned(), record }
}

fn kept(id: &str) -> KeptPrediction {
    let NewPrediction { owner, record, .. } = new(id);
    KeptPrediction { owner, record }
}

#[tokio::test]
async fn what_was_kept_is_found_by_its_id_and_stays_as_it_was() {
    each(async |store| {
        let many: Vec<_> = (0..600).map(|at| new(&format!("p{at}"))).collect();
        store.put_predictions(many, HOUR).await.unwrap();
        for id in ["p0", "p599"] {
            assert_eq!(store.read_prediction(id).await, Ok(Some(kept(id))));
        }
        assert_eq!(store.read_prediction("p600").await, Ok(None));
        let other = NewPrediction { owner: "thief".to_owned(), ..new("p0") };
        store.put_predictions(vec![other, new("p600")], HOUR).await.unwrap();
        assert_eq!(store.read_prediction("p0").await, Ok(Some(kept("p0"))), "it was there first");
        assert_eq!(store.read_prediction("p600").await, Ok(Some(kept("p600"))), "beside it");
        store.put_predictions(Vec::new(), HOUR).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn only_its_owner_deletes_a_record_and_only_once() {
    each(async |store| {
        store.put_predictions(vec![new("a"), new("b")], HOUR).await.unwrap();
        assert_eq!(store.delete_prediction("a", "thief").await, Ok(false));
        assert_eq!(store.delete_prediction("a", "shop").await, Ok(true));
        assert_eq!(store.delete_prediction("a", "shop").await, Ok(false));
        assert_eq!(store.read_prediction("a").await, Ok(None));
        assert_eq!(store.read_prediction("b").await, Ok(Some(kept("b"))));
    })
    .await;
}

#[tokio::test]
async fn what_was_kept_long_enough_is_forgotten_and_nothing_else() {
    each(async |store| {
        store.put_predictions(vec![new("old")], Duration::ZERO).await.unwrap();
        store.put_predictions(vec![new("young")], HOUR).await.unwrap();
        assert_eq!(store.sweep_predictions().await, Ok(1));
        assert_eq!(store.read_prediction("old").await, Ok(None));
        assert_eq!(store.read_prediction("young").await, Ok(Some(kept("young"))));
        assert_eq!(store.sweep_predictions().await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_the_first_that_was_brought_also_for_another_host() {
    for place in Place::both() {
        println!("{}:", place.name());
        let (first, second) = (place.open().await, place.open().await);
        assert_eq!(first.secret("k", "one".to_owned()).await.as_deref(), Ok("one"));
        assert_eq!(second.secret("k", "two".to_owned()).await.as_deref(), Ok("one"));
        assert_eq!(second.secret("other", "three".to_owned()).await.as_deref(), Ok("three"));
    }
}

#[tokio::test]
async fn what_was_deleted_is_in_no_byte_of_any_file() {
    let [file, _] = Place::both();
    let store = file.open().await;
    let planted = NewPrediction { record: "\"planted\"".to_owned(), ..new("a") };
    store.put_predictions(vec![planted, new("b")], HOUR).await.unwrap();
    store.delete_prediction("a", "shop").await.unwrap();
    let path = file.path().unwrap();
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"planted"), "{}", path.display());
    }
}

#[tokio::test]
async fn records_are_taken_out_of_a_copy_and_others_stay() {
    let [file, _] = Place::both();
    let store = file.open().await;
    store.put_predictions(vec![new("a"), new("b")], HOUR).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = Sqlite::file(folder.path());
    Sqlite::copy(&file.path().unwrap(), &copy).unwrap();
    Sqlite::forget_predictions(&copy, &["a".to_owned(), "unknown".to_owned()]).unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "all of it is in one file, which may be moved");
    let copied = Sqlite::open(&copy).unwrap();
    assert_eq!(copied.read_prediction("a").await, Ok(None));
    assert_eq!(copied.read_prediction("b").await, Ok(Some(kept("b"))));
}
