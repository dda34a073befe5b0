//! Jobs whose time is over, as statements.

use rusqlite::{Connection, params};

use super::jobs::batch;
use super::now;
use crate::failure::Failure;
use crate::piece::Piece;
use crate::rows::{count, number};

type Done<T> = Result<T, Failure>;

pub fn late(connection: &Connection, most: usize) -> Done<Vec<String>> {
    let mut late = connection.prepare_cached(
        "SELECT id FROM jobs WHERE status = 'processing' AND expires_at <= ?1
         ORDER BY expires_at, id LIMIT ?2",
    )?;
    let late = late.query_map([now(), number(most)], |row| row.get(0))?;
    Ok(late.collect::<Result<_, _>>()?)
}

/// A job of which a part is forgotten comes first with the next sweep, and is nobody's until then:
/// neither its name nor its key finds it.
pub fn sweep(connection: &mut Connection) -> Done<u64> {
    let batch = batch(connection)?;
    let gone = match Piece::of(due(&batch)?) {
        Piece::Jobs(jobs, rows) => {
            let mut job = batch.prepare_cached("DELETE FROM jobs WHERE id = ?1")?;
            for id in &jobs {
                job.execute([id])?;
            }
            rows
        }
        Piece::Results(id, from) => {
            batch
                .prepare_cached(
                    "UPDATE jobs SET done = ?2, expires_at = 0, request_key = NULL WHERE id = ?1",
                )?
                .execute(params![id, number(from)])?;
            batch
                .prepare_cached("DELETE FROM job_results WHERE job_id = ?1 AND place >= ?2")?
                .execute(params![id, number(from)])?
        }
    };
    batch.commit()?;
    Ok(gone as u64)
}

/// Some of the jobs that are over and were kept long enough, and how many results each has. A
/// notice that still waits would go with its job, so it keeps it.
fn due(connection: &Connection) -> Done<Vec<(String, usize)>> {
    let mut due = connection.prepare_cached(
        "SELECT id, done FROM jobs
         WHERE status <> 'processing' AND expires_at <= ?1 AND NOT EXISTS (
           SELECT 1 FROM notices WHERE job_id = jobs.id AND status = 'waiting')
         ORDER BY expires_at, id LIMIT 1000",
    )?;
    let due = due.query_map([now()], |row| Ok((row.get(0)?, count(row.get(1)?))))?;
    Ok(due.collect::<Result<_, _>>()?)
}
