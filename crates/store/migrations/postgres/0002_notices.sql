-- Who is told that a job ended, and what is still to be sent.
ALTER TABLE jobs ADD COLUMN webhook text;

CREATE TABLE notices (
  id text PRIMARY KEY,
  job_id text NOT NULL REFERENCES jobs ON DELETE CASCADE,
  url text NOT NULL,
  body text NOT NULL,
  status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'dead')),
  fence bigint NOT NULL DEFAULT 0,
  tries bigint NOT NULL DEFAULT 0,
  due_at bigint NOT NULL
);

CREATE INDEX notices_due ON notices (due_at, id) WHERE status = 'waiting';
CREATE INDEX notices_by_job ON notices (job_id);
