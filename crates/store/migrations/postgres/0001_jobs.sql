-- Jobs, with their texts and results. Moments are milliseconds since 1970, by the clock of the
-- database: those of its clients may differ.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE
  AS $$ SELECT (extract(epoch FROM statement_timestamp()) * 1000)::bigint $$;

CREATE TABLE jobs (
  id text PRIMARY KEY,
  owner text NOT NULL,
  request_key text,
  request_digest text NOT NULL,
  answerer text NOT NULL,
  wanted text NOT NULL,
  status text NOT NULL DEFAULT 'processing'
    CHECK (status IN ('processing', 'completed', 'failed', 'cancelled')),
  texts bigint NOT NULL,
  done bigint NOT NULL DEFAULT 0 CHECK (done BETWEEN 0 AND texts),
  fence bigint NOT NULL DEFAULT 0,
  attempts bigint NOT NULL DEFAULT 0,
  held_until bigint NOT NULL DEFAULT 0,
  turned_at bigint NOT NULL,
  created_at bigint NOT NULL,
  started_at bigint,
  ended_at bigint,
  expires_at bigint NOT NULL,
  error_code text,
  error_message text
);

CREATE UNIQUE INDEX jobs_by_key ON jobs (owner, request_key) WHERE request_key IS NOT NULL;
CREATE INDEX jobs_open ON jobs (turned_at, id) WHERE status = 'processing';
CREATE INDEX jobs_open_by_owner ON jobs (owner) WHERE status = 'processing';
CREATE INDEX jobs_by_expiry ON jobs (expires_at);

-- Bytes, for text in PostgreSQL can't hold every character that a text may.
CREATE TABLE job_texts (
  job_id text NOT NULL REFERENCES jobs ON DELETE CASCADE,
  place bigint NOT NULL,
  text bytea NOT NULL,
  PRIMARY KEY (job_id, place)
);

CREATE TABLE job_results (
  job_id text NOT NULL REFERENCES jobs ON DELETE CASCADE,
  place bigint NOT NULL,
  result text NOT NULL,
  PRIMARY KEY (job_id, place)
);
