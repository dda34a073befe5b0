//! Notices, as statements.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use trireme_service::store::{Held, Notice, Sent};

use super::jobs::held;
use super::now;
use crate::failure::Failure;
use crate::rows::{fence, millis, times, token};

pub fn claim(connection: &Connection, lease: Duration) -> Result<Option<Notice>, Failure> {
    let now = now();
    let notice = connection
        .prepare_cached(
            "UPDATE notices SET fence = fence + 1, tries = tries + 1, due_at = ?2
             WHERE id = (
               SELECT id FROM notices WHERE status = 'waiting' AND due_at <= ?1
               ORDER BY due_at, id LIMIT 1)
             RETURNING id, fence, url, body, tries",
        )?
        .query_row(params![now, now + millis(lease)], |row| {
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

pub fn settle(connection: &Connection, id: &str, fence: u64, sent: Sent) -> Result<Held, Failure> {
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
