//! Jobs, as statements. A verb is one of them where it can be: no other connection sees its middle.

use std::time::Duration;

use tokio_postgres::{Client, Row};
use trireme_domain::jobs::Status;
use trireme_service::store::{Claimed, Ending, Held, Hold, Kept, NewJob, Put, Tally};

use crate::failure::Failure;
use crate::rows::{count, fault, fence, millis, number, status, time, times, token};

type Done<T> = Result<T, Failure>;

/// Whether a statement found its job.
pub fn held(rows: u64) -> Held {
    if rows == 0 { Held::Lost } else { Held::Still }
}

/// The owner's jobs are counted under a lock of the owner's, so that two requests at once are not
/// both the last that fits.
pub async fn put(client: &mut Client, job: &NewJob, most: usize, keep: Duration) -> Done<Put> {
    let batch = client.transaction().await?;
    batch.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[&job.owner]).await?;
    let known = batch
        .query_opt(
            "SELECT id, request_digest FROM jobs WHERE owner = $1 AND request_key = $2",
            &[&job.owner, &job.key],
        )
        .await?;
    if let Some(known) = known {
        return Ok(Put::Known { id: known.get(0), digest: known.get(1) });
    }
    let open = batch.query_one(OPEN, &[&job.owner]).await?;
    if count(open.get(0)) >= most {
        return Ok(Put::Full);
    }
    let texts: Vec<&[u8]> = job.texts.iter().map(String::as_bytes).collect();
    batch
        .execute(
            "WITH job AS (
               INSERT INTO jobs (id, owner, request_key, request_digest, answerer, wanted, webhook,
                 texts, turned_at, created_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, cardinality($8::bytea[]), now_ms(), now_ms(),
                 now_ms() + $9)
               RETURNING id)
             INSERT INTO job_texts (job_id, place, text)
             SELECT job.id, place - 1, text
             FROM job, unnest($8::bytea[]) WITH ORDINALITY AS texts (text, place)",
            &[
                &job.id,
                &job.owner,
                &job.key,
                &job.digest,
                &job.answerer,
                &job.order,
                &job.webhook,
                &texts,
                &millis(keep),
            ],
        )
        .await?;
    batch.commit().await?;
    Ok(Put::Made)
}

/// One of which a part is forgotten is as good as none.
pub async fn read(client: &Client, id: &str) -> Done<Option<Kept>> {
    let row = client
        .query_opt(
            "SELECT owner, wanted, status, texts, done,
               coalesce(coalesce(ended_at, now_ms()) - started_at, 0), error_code, error_message
             FROM jobs WHERE id = $1 AND expires_at > 0",
            &[&id],
        )
        .await?;
    let kept = |row: Row| {
        Ok(Kept {
            owner: row.get(0),
            order: row.get(1),
            status: status(row.get(2))?,
            texts: count(row.get(3)),
            done: count(row.get(4)),
            took: time(row.get(5)),
            error: fault(row.get(6), row.get(7)),
        })
    };
    row.map(kept).transpose()
}

pub async fn texts(client: &Client, id: &str, from: usize, rows: usize) -> Done<Vec<String>> {
    let sql = "SELECT text FROM job_texts
        WHERE job_id = $1 AND place >= $2 ORDER BY place LIMIT $3";
    let rows = client.query(sql, &[&id, &number(from), &number(rows)]).await?;
    let text = |row: &Row| String::from_utf8_lossy(row.get(0)).into_owned();
    Ok(rows.iter().map(text).collect())
}

pub async fn results(client: &Client, id: &str, from: usize, rows: usize) -> Done<Vec<String>> {
    let sql = "SELECT result FROM job_results
        WHERE job_id = $1 AND place >= $2 ORDER BY place LIMIT $3";
    let rows = client.query(sql, &[&id, &number(from), &number(rows)]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

const OPEN: &str = "SELECT count(*) FROM jobs WHERE owner = $1 AND status = 'processing'";

pub async fn open(client: &Client, owner: &str) -> Done<usize> {
    Ok(count(client.query_one(OPEN, &[&owner]).await?.get(0)))
}

/// Those that other connections are about to take up are passed over. One whose turn is still to
/// come was turned to before the clock was set back: until when it is held, nobody knows. A minute
/// is left to those who looked at the clock and then had to wait.
pub async fn claim(
    client: &Client,
    answerers: &[String],
    lease: Duration,
) -> Done<Option<Claimed>> {
    let row = client
        .query_opt(
            "UPDATE jobs SET fence = fence + 1, attempts = attempts + 1,
               held_until = now_ms() + $2, turned_at = now_ms(),
               started_at = coalesce(started_at, now_ms())
             WHERE id = (
               SELECT id FROM jobs
               WHERE status = 'processing' AND (held_until <= now_ms() OR turned_at > now_ms() + 60000)
                 AND answerer = ANY ($1)
               ORDER BY turned_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING id, fence, owner, attempts, wanted, texts, done",
            &[&answerers, &millis(lease)],
        )
        .await?;
    Ok(row.map(|row| Claimed {
        hold: Hold { id: row.get(0), fence: fence(row.get(1)) },
        owner: row.get(2),
        attempts: times(row.get(3)),
        order: row.get(4),
        texts: count(row.get(5)),
        done: count(row.get(6)),
    }))
}

/// Whatever says until when a job is held says when that was said: without it, nobody could see
/// that the clock was set back since.
pub async fn extend(client: &Client, hold: &Hold, lease: Duration) -> Done<Held> {
    let rows = client
        .execute(
            "UPDATE jobs SET held_until = now_ms() + $3, turned_at = now_ms()
             WHERE id = $1 AND fence = $2 AND status = 'processing'",
            &[&hold.id, &token(hold.fence), &millis(lease)],
        )
        .await?;
    Ok(held(rows))
}

pub async fn append(
    client: &Client,
    hold: &Hold,
    from: usize,
    results: &[String],
    lease: Duration,
) -> Done<Held> {
    let rows = client
        .query_one(
            "WITH job AS (
               UPDATE jobs SET done = done + cardinality($4::text[]), attempts = 0,
                 held_until = now_ms() + $5, turned_at = now_ms()
               WHERE id = $1 AND fence = $2 AND status = 'processing' AND done = $3
                 AND done + cardinality($4::text[]) <= texts
               RETURNING id, done),
             written AS (
               INSERT INTO job_results (job_id, place, result)
               SELECT job.id, $3 + place - 1, result
               FROM job, unnest($4::text[]) WITH ORDINALITY AS results (result, place)),
             answered AS (
               DELETE FROM job_texts USING job WHERE job_id = job.id AND place < job.done)
             SELECT count(*) FROM job",
            &[&hold.id, &token(hold.fence), &number(from), &results, &millis(lease)],
        )
        .await?;
    Ok(held(fence(rows.get(0))))
}

pub async fn release(client: &Client, hold: &Hold) -> Done<Held> {
    let rows = client
        .execute(
            "UPDATE jobs SET fence = fence + 1, attempts = greatest(attempts - 1, 0),
               held_until = now_ms(), turned_at = now_ms()
             WHERE id = $1 AND fence = $2 AND status = 'processing'",
            &[&hold.id, &token(hold.fence)],
        )
        .await?;
    Ok(held(rows))
}

/// Ends a job, held by this token or by whomever.
pub async fn end(client: &Client, id: &str, fence: Option<u64>, ending: &Ending) -> Done<Held> {
    let (code, message) =
        ending.error.as_ref().map(|fault| (fault.code.name(), fault.message.as_str())).unzip();
    let (notice, body) = &ending.notice;
    let rows = client
        .query_one(
            "WITH job AS (
               UPDATE jobs SET status = $3, error_code = $4, error_message = $5,
                 ended_at = now_ms(), expires_at = now_ms() + $6
               WHERE id = $1 AND coalesce(fence = $2, true) AND status = 'processing'
               RETURNING id, webhook),
             unanswered AS (
               DELETE FROM job_texts USING job WHERE job_id = job.id),
             told AS (
               INSERT INTO notices (id, job_id, url, body, due_at)
               SELECT $7, id, webhook, $8, now_ms() FROM job WHERE webhook IS NOT NULL)
             SELECT count(*) FROM job",
            &[
                &id,
                &fence.map(token),
                &ending.status.name(),
                &code,
                &message,
                &millis(ending.keep),
                notice,
                body,
            ],
        )
        .await?;
    Ok(held(crate::rows::fence(rows.get(0))))
}

pub async fn tally(client: &Client) -> Done<Tally> {
    let mut tally = Tally::default();
    let jobs = "SELECT status, count(*), now_ms() - min(created_at) FROM jobs GROUP BY 1";
    for row in client.query(jobs, &[]).await? {
        let status = status(row.get(0))?;
        tally.jobs[status as usize] = fence(row.get(1));
        if status == Status::Processing {
            tally.oldest = time(row.get(2));
        }
    }
    for row in client.query("SELECT status, count(*) FROM notices GROUP BY 1", &[]).await? {
        match row.get(0) {
            "waiting" => tally.notices = fence(row.get(1)),
            "dead" => tally.dead = fence(row.get(1)),
            _ => {}
        }
    }
    Ok(tally)
}
