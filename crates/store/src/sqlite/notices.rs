//! Notices, as statements.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use trireme_service::store::{DeadNotice, Held, Notice, Sent};

use super::jobs::{batch, held};
use super::now;
use crate::failure::Failure;
use crate::rows::{fence, millis, number, times, token};

type Done<T> = Result<T, Failure>;

/// One that is due later than any can be was given its moment before the clock was set back.
pub fn claim(connection: &Connection, lease: Duration, longest: Duration) -> Done<Option<Notice>> {
    let now = now();
    let notice = connection
        .prepare_cached(
            "UPDATE notices SET fence = fence + 1, tries = tries + 1, due_at = ?2
             WHERE id = (
               SELECT id FROM notices
               WHERE status = 'waiting' AND (due_at <= ?1 OR due_at > ?3)
               ORDER BY due_at, id LIMIT 1)
             RETURNING id, fence, url, body, tries",
        )?
        .query_row(params![now, now + millis(lease), now + millis(longest)], |row| {
            Ok(Notice {
                id: row.get(0)?,
                fence: fence(row.get(1)?),
                url: row.get(2)?,
                body: row.get(3)?,
                tries: times(row.get(4)?),
            })
        })
        .optional()?;
    Ok(notice)
}

pub fn settle(connection: &Connection, id: &str, fence: u64, sent: Sent) -> Done<Held> {
    let (status, due) = match sent {
        Sent::Delivered => ("delivered", 0),
        Sent::Again(pause) => ("waiting", millis(pause)),
        Sent::Dead => ("dead", 0),
    };
    let rows = connection
        .prepare_cached(
            "UPDATE notices SET status = ?3, due_at = ?4
             WHERE id = ?1 AND fence = ?2 AND status = 'waiting'",
        )?
        .execute(params![id, token(fence), status, now() + due])?;
    Ok(held(rows))
}

pub fn dead(connection: &Connection, behind: &str, most: usize) -> Done<Vec<DeadNotice>> {
    let mut dead = connection.prepare_cached(
        "SELECT id, job_id, url, tries FROM notices WHERE status = 'dead' AND id > ?1
         ORDER BY id LIMIT ?2",
    )?;
    let dead = dead.query_map(params![behind, number(most)], |row| {
        let (id, job, url) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(DeadNotice { id, job, url, tries: times(row.get(3)?) })
    })?;
    Ok(dead.collect::<Result<_, _>>()?)
}

pub fn revive(connection: &mut Connection, ids: &[String]) -> Done<u64> {
    let (batch, now, mut revived) = (batch(connection)?, now(), 0);
    let mut one = batch.prepare_cached(
        "UPDATE notices SET status = 'waiting', tries = 0, due_at = ?2
         WHERE id = ?1 AND status = 'dead'",
    )?;
    for id in ids {
        revived += one.execute(params![id, now])? as u64;
    }
    drop(one);
    batch.commit()?;
    Ok(revived)
}
