//! Jobs whose time is over, as statements.

use tokio_postgres::Client;

use crate::failure::Failure;
use crate::piece::Piece;
use crate::rows::{count, number};

type Done<T> = Result<T, Failure>;

pub async fn late(client: &Client, most: usize) -> Done<Vec<String>> {
    let sql = "SELECT id FROM jobs WHERE status = 'processing' AND expires_at <= now_ms()
        ORDER BY expires_at, id LIMIT $1";
    let rows = client.query(sql, &[&number(most)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Some of the jobs that are over and were kept long enough, and how many results each has. A
/// notice that still waits would go with its job, so it keeps it. Those that another host forgets
/// at this moment are passed over.
const DUE: &str = "SELECT id, done FROM jobs
    WHERE status <> 'processing' AND expires_at <= now_ms() AND NOT EXISTS (
      SELECT 1 FROM notices WHERE job_id = jobs.id AND status = 'waiting')
    ORDER BY expires_at, id LIMIT 1000 FOR UPDATE SKIP LOCKED";

/// A job of which a part is forgotten comes first with the next sweep, and is nobody's until then:
/// neither its name nor its key finds it.
pub async fn sweep(client: &mut Client) -> Done<u64> {
    let batch = client.transaction().await?;
    let due = batch.query(DUE, &[]).await?;
    let due = due.iter().map(|row| (row.get(0), count(row.get(1)))).collect();
    let gone = match Piece::of(due) {
        Piece::Jobs(jobs, rows) => {
            batch.execute("DELETE FROM jobs WHERE id = ANY ($1)", &[&jobs]).await?;
            rows as u64
        }
        Piece::Results(id, from) => {
            let part =
                "UPDATE jobs SET done = $2, expires_at = 0, request_key = NULL WHERE id = $1";
            batch.execute(part, &[&id, &number(from)]).await?;
            let results = "DELETE FROM job_results WHERE job_id = $1 AND place >= $2";
            batch.execute(results, &[&id, &number(from)]).await?
        }
    };
    batch.commit().await?;
    Ok(gone)
}
