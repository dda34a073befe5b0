//! Notices, as statements.

use std::time::Duration;

use tokio_postgres::Client;
use trireme_service::store::{Held, Notice, Sent};

use super::jobs::held;
use crate::failure::Failure;
use crate::rows::{fence, millis, times, token};

pub async fn claim(client: &Client, lease: Duration) -> Result<Option<Notice>, Failure> {
    let row = client
        .query_opt(
            "UPDATE notices SET fence = fence + 1, tries = tries + 1, due_at = now_ms() + $1
             WHERE id = (
               SELECT id FROM notices WHERE status = 'waiting' AND due_at <= now_ms()
               ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING id, fence, url, body, tries",
            &[&millis(lease)],
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

pub async fn settle(client: &Client, id: &str, fence: u64, sent: Sent) -> Result<Held, Failure> {
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
