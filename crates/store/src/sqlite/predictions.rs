//! Records of predictions, as statements.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use trireme_service::store::{KeptPrediction, NewPrediction};

use super::now;
use crate::failure::Failure;
use crate::rows::millis;

type Done<T> = Result<T, Failure>;

pub fn put(connection: &mut Connection, all: &[NewPrediction], keep: Duration) -> Done<()> {
    let batch = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let expires = now() + millis(keep);
    let mut one = batch.prepare_cached(
        "INSERT INTO predictions (id, owner, record, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?;
    for new in all {
        one.execute(params![new.id, new.owner, new.record, expires])?;
    }
    drop(one);
    Ok(batch.commit()?)
}

pub fn read(connection: &Connection, id: &str) -> Done<Option<KeptPrediction>> {
    let kept = connection
        .prepare_cached("SELECT owner, record FROM predictions WHERE id = ?1")?
        .query_row([id], |row| Ok(KeptPrediction { owner: row.get(0)?, record: row.get(1)? }))
        .optional()?;
    Ok(kept)
}

pub fn delete(connection: &Connection, id: &str, owner: &str) -> Done<bool> {
    let gone = connection
        .prepare_cached("DELETE FROM predictions WHERE id = ?1 AND owner = ?2")?
        .execute([id, owner])?;
    if gone > 0 {
        settle(connection)?;
    }
    Ok(gone > 0)
}

pub fn forget(connection: &mut Connection, ids: &[String]) -> Done<()> {
    let batch = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for id in ids {
        batch.execute("DELETE FROM predictions WHERE id = ?1", [id])?;
    }
    Ok(batch.commit()?)
}

/// Writes the journal back, which still has what was there before a deletion. Where others read at
/// that moment it is done with the next sweep.
pub fn settle(connection: &Connection) -> Done<()> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// So many at once that nobody waits long for the file.
pub fn sweep(connection: &Connection) -> Done<u64> {
    let gone = connection
        .prepare_cached(
            "DELETE FROM predictions WHERE id IN (
               SELECT id FROM predictions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 10000)",
        )?
        .execute([now()])?;
    Ok(gone as u64)
}

pub fn secret(connection: &Connection, name: &str, fresh: &str) -> Done<String> {
    connection.execute(
        "INSERT INTO secrets (name, secret) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        [name, fresh],
    )?;
    let sql = "SELECT secret FROM secrets WHERE name = ?1";
    Ok(connection.query_row(sql, [name], |row| row.get(0))?)
}
