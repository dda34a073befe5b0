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
    known(found)?;
    let still = all.iter().take(to as usize).skip(found as usize);
    Ok(still.copied().collect())
}

/// Whether this program knows a layout.
pub fn known(found: u32) -> Result<(), StoreError> {
    if found > LATEST { Err(StoreError::Newer { found, known: LATEST }) } else { Ok(()) }
}

/// Whether a layout is the one of this program: whoever only looks at it brings none up to date.
pub fn newest(found: u32) -> Result<(), StoreError> {
    match found {
        0 => Err(missing()),
        older if older < LATEST => {
            let reason = format!(
                "its tables are of version {older}, and those of this program of version {LATEST}; \
                 a server that is started on it brings them up to date"
            );
            Err(StoreError::Misconfigured { reason })
        }
        found => known(found),
    }
}

/// There is no layout at all.
pub fn missing() -> StoreError {
    let reason = "there are no tables of ours; a server that is started on it lays them out";
    StoreError::Damaged { reason: reason.to_owned() }
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
