-- What is kept of predictions, each as JSON, and secrets that belong to what is kept.
CREATE TABLE predictions (
  id text PRIMARY KEY,
  owner text NOT NULL,
  record text NOT NULL,
  expires_at bigint NOT NULL
);

CREATE INDEX predictions_by_expiry ON predictions (expires_at);

CREATE TABLE secrets (
  name text PRIMARY KEY,
  secret text NOT NULL
);
