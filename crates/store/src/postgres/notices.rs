//! Notices, as statements.

use std::time::Duration;

use tokio_postgres::{Client, Row};
use trireme_service::store::{DeadNotice, Held, Notice, Sent};

use super::jobs::held;
use crate::failure::Failure;
use crate::rows::{fence, millis, number, times, token};

type Done<T> = Result<T, Failure>;

/// One that is due later than any can be was given its moment before the clock was set back.
pub async fn claim(client: &Client, lease: Duration, longest: Duration) -> Done<Option<Notice>> {
    let row = client
        .query_opt(
            "UPDATE notices SET fence = fence + 1, tries = tries + 1, due_at = now_ms() + $1
             WHERE id = (
               SELECT id FROM notices
               WHERE status = 'waiting' AND (due_at <= now_ms() OR due_at > now_ms() + $2)
               ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING id, fence, url, body, tries",
            &[&millis(lease), &millis(longest)],
        )
        .await?;
    Ok(row.map(|row| Notice {
        id: row.get(0),
        fence: fence(row.get(1)),
        url: row.get(2),
        body: row.get(3),
        tries: times(row.get(4)),
    }))
}

pub async fn settle(client: &Client, id: &str, fence: u64, sent: Sent) -> Done<Held> {
    let (status, due) = match sent {
        Sent::Delivered => ("delivered", 0),
        Sent::Again(pause) => ("waiting", millis(pause)),
        Sent::Dead => ("dead", 0),
    };
    let rows = client
        .execute(
            "UPDATE notices SET status = $3, due_at = now_ms() + $4
             WHERE id = $1 AND fence = $2 AND status = 'waiting'",
            &[&id, &token(fence), &status, &due],
        )
        .await?;
    Ok(held(rows))
}

pub async fn dead(client: &Client, behind: &str, most: usize) -> Done<Vec<DeadNotice>> {
    let sql = "SELECT id, job_id, url, tries FROM notices WHERE status = 'dead' AND id > $1
        ORDER BY id LIMIT $2";
    let rows = client.query(sql, &[&behind, &number(most)]).await?;
    let dead = |row: &Row| {
        let (id, job, url) = (row.get(0), row.get(1), row.get(2));
        DeadNotice { id, job, url, tries: times(row.get(3)) }
    };
    Ok(rows.iter().map(dead).collect())
}

pub async fn revive(client: &Client, ids: &[String]) -> Done<u64> {
    let sql = "UPDATE notices SET status = 'waiting', tries = 0, due_at = now_ms()
        WHERE id = ANY ($1) AND status = 'dead'";
    Ok(client.execute(sql, &[&ids]).await?)
}
