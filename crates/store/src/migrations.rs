//! The layouts of the tables, by number. What was released is never changed: a new file follows.

use trireme_service::store::StoreError;

/// The newest layout that this program knows.
pub const LATEST: u32 = SQLITE.len() as u32;

pub const SQLITE: [&str; 3] = [
    include_str!("../migrations/sqlite/0001_jobs.sql"),
    include_str!("../migrations/sqlite/0002_notices.sql"),
    include_str!("../migrations/sqlite/0003_predictions.sql"),
];

pub const POSTGRES: [&str; SQLITE.len()] = [
    include_str!("../migrations/postgres/0001_jobs.sql"),
    include_str!("../migrations/postgres/0002_notices.sql"),
    include_str!("../migrations/postgres/0003_predictions.sql"),
];

/// What is still to be applied to a state of this version, up to another.
pub fn pending(all: &[&'static str], found: u32, to: u32) -> Result<Vec<&'static str>, StoreError> {
    if found > LATEST {
        return Err(StoreError::Newer { found, known: LATEST });
    }
    let still = all.iter().take(to as usize).skip(found as usize);
    Ok(still.copied().collect())
}

#[test]
fn what_is_pending_is_what_was_not_applied() {
    let count = |found, to| pending(&SQLITE, found, to).map(|files| files.len());
    assert_eq!(count(0, LATEST), Ok(SQLITE.len()));
    assert_eq!(count(0, 1), Ok(1));
    assert_eq!(count(LATEST, LATEST), Ok(0));
    let newer = StoreError::Newer { found: LATEST + 1, known: LATEST };
    assert_eq!(count(LATEST + 1, LATEST), Err(newer));
}
