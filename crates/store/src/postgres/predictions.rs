//! Records of predictions, as statements.

use std::time::Duration;

use tokio_postgres::Client;
use trireme_service::store::{KeptPrediction, NewPrediction};

use crate::failure::Failure;
use crate::rows::millis;

type Done<T> = Result<T, Failure>;

pub async fn put(client: &Client, all: &[NewPrediction], keep: Duration) -> Done<()> {
    let ids: Vec<&str> = all.iter().map(|new| new.id.as_str()).collect();
    let owners: Vec<&str> = all.iter().map(|new| new.owner.as_str()).collect();
    let records: Vec<&str> = all.iter().map(|new| new.record.as_str()).collect();
    client
        .execute(
            "INSERT INTO predictions (id, owner, record, expires_at)
             SELECT id, owner, record, now_ms() + $4
             FROM unnest($1::text[], $2::text[], $3::text[]) AS new (id, owner, record)
             ON CONFLICT DO NOTHING",
            &[&ids, &owners, &records, &millis(keep)],
        )
        .await?;
    Ok(())
}

pub async fn read(client: &Client, id: &str) -> Done<Option<KeptPrediction>> {
    let sql = "SELECT owner, record FROM predictions WHERE id = $1";
    let row = client.query_opt(sql, &[&id]).await?;
    Ok(row.map(|row| KeptPrediction { owner: row.get(0), record: row.get(1) }))
}

pub async fn delete(client: &Client, id: &str, owner: &str) -> Done<bool> {
    let sql = "DELETE FROM predictions WHERE id = $1 AND owner = $2";
    Ok(client.execute(sql, &[&id, &owner]).await? > 0)
}

/// So many at once that nobody waits long for the table.
pub async fn sweep(client: &Client) -> Done<u64> {
    let sql = "DELETE FROM predictions WHERE id IN (
          SELECT id FROM predictions WHERE expires_at <= now_ms()
          ORDER BY expires_at LIMIT 10000 FOR UPDATE SKIP LOCKED)";
    Ok(client.execute(sql, &[]).await?)
}

pub async fn secret(client: &Client, name: &str, fresh: &str) -> Done<String> {
    let put = "INSERT INTO secrets (name, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    client.execute(put, &[&name, &fresh]).await?;
    let sql = "SELECT secret FROM secrets WHERE name = $1";
    Ok(client.query_one(sql, &[&name]).await?.get(0))
}
