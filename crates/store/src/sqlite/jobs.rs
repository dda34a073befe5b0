//! Jobs, as statements.

use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use trireme_domain::jobs::Status;
use trireme_service::store::{Claimed, Ending, Held, Hold, Kept, NewJob, Put, Tally};

use super::now;
use crate::failure::Failure;
use crate::rows::{count, fault, fence, millis, number, status, time, times, token};

type Done<T> = Result<T, Failure>;

/// A batch: it happens whole or not at all.
pub fn batch(connection: &mut Connection) -> Done<Transaction<'_>> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// Whether a statement found its job.
pub fn held(rows: usize) -> Held {
    if rows == 0 { Held::Lost } else { Held::Still }
}

pub fn put(connection: &mut Connection, job: &NewJob, most: usize, keep: Duration) -> Done<Put> {
    let batch = batch(connection)?;
    let known = batch
        .prepare_cached(
            "SELECT id, request_digest FROM jobs WHERE owner = ?1 AND request_key = ?2",
        )?
        .query_row(params![job.owner, job.key], |row| {
            Ok(Put::Known { id: row.get(0)?, digest: row.get(1)? })
        })
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    if open(&batch, &job.owner)? >= most {
        return Ok(Put::Full);
    }
    let (now, keep) = (now(), millis(keep));
    batch
        .prepare_cached(
            "INSERT INTO jobs (id, owner, request_key, request_digest, answerer, wanted, webhook,
               texts, turned_at, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)",
        )?
        .execute(params![
            job.id,
            job.owner,
            job.key,
            job.digest,
            job.answerer,
            job.order,
            job.webhook,
            number(job.texts.len()),
            now,
            now + keep
        ])?;
    let mut text =
        batch.prepare_cached("INSERT INTO job_texts (job_id, place, text) VALUES (?1, ?2, ?3)")?;
    for (place, words) in job.texts.iter().enumerate() {
        text.execute(params![job.id, number(place), words])?;
    }
    drop(text);
    batch.commit()?;
    Ok(Put::Made)
}

/// One of which a part is forgotten is as good as none.
pub fn read(connection: &Connection, id: &str) -> Done<Option<Kept>> {
    let row = connection
        .prepare_cached(
            "SELECT owner, wanted, status, texts, done, started_at, ended_at, error_code,
               error_message
             FROM jobs WHERE id = ?1 AND expires_at > 0",
        )?
        .query_row([id], |row| {
            let (started, ended): (Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?);
            let took = started.map_or(0, |started| ended.unwrap_or_else(now) - started);
            let kept = Kept {
                owner: row.get(0)?,
                order: row.get(1)?,
                status: Status::Processing,
                texts: count(row.get(3)?),
                done: count(row.get(4)?),
                took: time(took),
                error: fault(row.get(7)?, row.get(8)?),
            };
            Ok((kept, row.get::<_, String>(2)?))
        })
        .optional()?;
    let kept = row.map(|(kept, name)| Ok(Kept { status: status(&name)?, ..kept }));
    kept.transpose()
}

/// One column of so many rows of a job, from a place on.
pub fn page(
    connection: &Connection,
    sql: &str,
    (id, from, rows): (&str, usize, usize),
) -> Done<Vec<String>> {
    let mut page = connection.prepare_cached(sql)?;
    let page = page.query_map(params![id, number(from), number(rows)], |row| row.get(0))?;
    Ok(page.collect::<Result<_, _>>()?)
}

pub const TEXTS: &str =
    "SELECT text FROM job_texts WHERE job_id = ?1 AND place >= ?2 ORDER BY place LIMIT ?3";

pub const RESULTS: &str =
    "SELECT result FROM job_results WHERE job_id = ?1 AND place >= ?2 ORDER BY place LIMIT ?3";

pub fn open(connection: &Connection, owner: &str) -> Done<usize> {
    let open = connection
        .prepare_cached("SELECT count(*) FROM jobs WHERE owner = ?1 AND status = 'processing'")?
        .query_row([owner], |row| row.get(0))?;
    Ok(count(open))
}

/// A job whose turn is still to come was turned to before the clock was set back: until when it is
/// held, nobody knows. A minute is left to those who looked at the clock and then had to wait.
pub fn claim(
    connection: &Connection,
    answerers: &[String],
    lease: Duration,
) -> Done<Option<Claimed>> {
    let marks = vec!["?"; answerers.len()].join(", ");
    let now = now();
    // The places of the marks without numbers follow those with.
    let sql = format!(
        "UPDATE jobs SET fence = fence + 1, attempts = attempts + 1, held_until = ?2,
           turned_at = ?1, started_at = coalesce(started_at, ?1)
         WHERE id = (
           SELECT id FROM jobs
           WHERE status = 'processing' AND (held_until <= ?1 OR turned_at > ?1 + 60000)
             AND answerer IN ({marks})
           ORDER BY turned_at, id LIMIT 1)
         RETURNING id, fence, owner, attempts, wanted, texts, done"
    );
    let moments = [Value::from(now), Value::from(now + millis(lease))];
    let values = moments.into_iter().chain(answerers.iter().cloned().map(Value::from));
    let claimed = connection
        .prepare_cached(&sql)?
        .query_row(rusqlite::params_from_iter(values), |row| {
            Ok(Claimed {
                hold: Hold { id: row.get(0)?, fence: fence(row.get(1)?) },
                owner: row.get(2)?,
                attempts: times(row.get(3)?),
                order: row.get(4)?,
                texts: count(row.get(5)?),
                done: count(row.get(6)?),
            })
        })
        .optional()?;
    Ok(claimed)
}

/// Whatever says until when a job is held says when that was said: without it, nobody could see
/// that the clock was set back since.
pub fn extend(connection: &Connection, hold: &Hold, lease: Duration) -> Done<Held> {
    let now = now();
    let rows = connection
        .prepare_cached(
            "UPDATE jobs SET held_until = ?3, turned_at = ?4
             WHERE id = ?1 AND fence = ?2 AND status = 'processing'",
        )?
        .execute(params![hold.id, token(hold.fence), now + millis(lease), now])?;
    Ok(held(rows))
}

pub fn append(
    connection: &mut Connection,
    hold: &Hold,
    from: usize,
    results: &[String],
    lease: Duration,
) -> Done<Held> {
    let (batch, now) = (batch(connection)?, now());
    let behind = number(from + results.len());
    let rows = batch
        .prepare_cached(
            "UPDATE jobs SET done = ?4, attempts = 0, held_until = ?5, turned_at = ?6
             WHERE id = ?1 AND fence = ?2 AND status = 'processing' AND done = ?3 AND ?4 <= texts",
        )?
        .execute(params![
            hold.id,
            token(hold.fence),
            number(from),
            behind,
            now + millis(lease),
            now
        ])?;
    if rows == 0 {
        return Ok(Held::Lost);
    }
    let mut written = batch
        .prepare_cached("INSERT INTO job_results (job_id, place, result) VALUES (?1, ?2, ?3)")?;
    for (place, result) in (from..).zip(results) {
        written.execute(params![hold.id, number(place), result])?;
    }
    drop(written);
    batch
        .prepare_cached("DELETE FROM job_texts WHERE job_id = ?1 AND place < ?2")?
        .execute(params![hold.id, behind])?;
    batch.commit()?;
    Ok(Held::Still)
}

pub fn release(connection: &Connection, hold: &Hold) -> Done<Held> {
    let rows = connection
        .prepare_cached(
            "UPDATE jobs SET fence = fence + 1, attempts = max(attempts - 1, 0), held_until = ?3,
               turned_at = ?3
             WHERE id = ?1 AND fence = ?2 AND status = 'processing'",
        )?
        .execute(params![hold.id, token(hold.fence), now()])?;
    Ok(held(rows))
}

/// Ends a job, held by this token or by whomever.
pub fn end(
    connection: &mut Connection,
    id: &str,
    fence: Option<u64>,
    ending: &Ending,
) -> Done<Held> {
    let (code, message) =
        ending.error.as_ref().map(|fault| (fault.code.name(), fault.message.as_str())).unzip();
    let (batch, now) = (batch(connection)?, now());
    let rows = batch
        .prepare_cached(
            "UPDATE jobs SET status = ?3, error_code = ?4, error_message = ?5, ended_at = ?6,
               expires_at = ?7
             WHERE id = ?1 AND coalesce(fence = ?2, true) AND status = 'processing'",
        )?
        .execute(params![
            id,
            fence.map(token),
            ending.status.name(),
            code,
            message,
            now,
            now + millis(ending.keep)
        ])?;
    if rows == 0 {
        return Ok(Held::Lost);
    }
    batch.prepare_cached("DELETE FROM job_texts WHERE job_id = ?1")?.execute([id])?;
    let (notice, body) = &ending.notice;
    batch
        .prepare_cached(
            "INSERT INTO notices (id, job_id, url, body, due_at)
             SELECT ?2, id, webhook, ?3, ?4 FROM jobs WHERE id = ?1 AND webhook IS NOT NULL",
        )?
        .execute(params![id, notice, body, now])?;
    batch.commit()?;
    Ok(Held::Still)
}

pub fn tally(connection: &Connection) -> Done<Tally> {
    let mut tally = Tally::default();
    let mut jobs = connection
        .prepare_cached("SELECT status, count(*), min(created_at) FROM jobs GROUP BY 1")?;
    let mut rows = jobs.query([])?;
    while let Some(row) = rows.next()? {
        let status = status(&row.get::<_, String>(0)?)?;
        tally.jobs[status as usize] = fence(row.get(1)?);
        if status == Status::Processing {
            tally.oldest = time(now() - row.get::<_, i64>(2)?);
        }
    }
    let mut notices =
        connection.prepare_cached("SELECT status, count(*) FROM notices GROUP BY 1")?;
    let mut rows = notices.query([])?;
    while let Some(row) = rows.next()? {
        match row.get::<_, String>(0)?.as_str() {
            "waiting" => tally.notices = fence(row.get(1)?),
            "dead" => tally.dead = fence(row.get(1)?),
            _ => {}
        }
    }
    Ok(tally)
}
