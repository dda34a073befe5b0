-- What is kept of predictions, each as JSON, and secrets that belong to what is kept.
CREATE TABLE predictions (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  record TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX predictions_by_expiry ON predictions (expires_at);

CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  secret TEXT NOT NULL
) STRICT, WITHOUT ROWID;
