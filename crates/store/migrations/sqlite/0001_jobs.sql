-- Jobs, with their texts and results. Moments are milliseconds since 1970.
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  request_key TEXT,
  request_digest TEXT NOT NULL,
  answerer TEXT NOT NULL,
  wanted TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'processing'
    CHECK (status IN ('processing', 'completed', 'failed', 'cancelled')),
  texts INTEGER NOT NULL,
  done INTEGER NOT NULL DEFAULT 0 CHECK (done BETWEEN 0 AND texts),
  fence INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  held_until INTEGER NOT NULL DEFAULT 0,
  turned_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  expires_at INTEGER NOT NULL,
  error_code TEXT,
  error_message TEXT
) STRICT;

CREATE UNIQUE INDEX jobs_by_key ON jobs (owner, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX jobs_open ON jobs (turned_at, id) WHERE status = 'processing';
CREATE INDEX jobs_open_by_owner ON jobs (owner) WHERE status = 'processing';
CREATE INDEX jobs_by_expiry ON jobs (expires_at);

CREATE TABLE job_texts (
  job_id TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  place INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (job_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_results (
  job_id TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
  place INTEGER NOT NULL,
  result TEXT NOT NULL,
  PRIMARY KEY (job_id, place)
) STRICT, WITHOUT ROWID;
