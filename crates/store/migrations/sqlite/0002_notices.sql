-- Who is told that a job ended, and what is still to be sent.
ALTER TABLE jobs ADD COLUMN webhook TEXT;

CREATE TABLE notices (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  url TEXT NOT NULL,
  body TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'dead')),
  fence INTEGER NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL
) STRICT;

CREATE INDEX notices_due ON notices (due_at, id) WHERE status = 'waiting';
CREATE INDEX notices_by_job ON notices (job_id);
