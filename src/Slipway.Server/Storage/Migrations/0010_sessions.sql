-- Who is signed in with a browser. The hash is SHA-256 of the cookie, which is 256 bits of chance.
-- token is what it was made with; an identity provider's token is stored nowhere, provided is what it said of groups and roles.
CREATE TABLE sessions (
  hash TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  token TEXT,
  provided TEXT,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_of_principal ON sessions (principal, created_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- How a rollout's evidence grew: fewer points the older it is.
CREATE TABLE rollout_evidence (
  rollout TEXT NOT NULL REFERENCES rollouts (id),
  at BIGINT NOT NULL,
  point TEXT NOT NULL,
  PRIMARY KEY (rollout, at)
);

-- What is sealed in a bundle and only people ask for: signature, data, environments.
CREATE TABLE model_cards (
  bundle TEXT PRIMARY KEY REFERENCES versions (bundle),
  card TEXT NOT NULL
);
CREATE INDEX rollouts_of_channel ON rollouts (model, channel, started_at);

ALTER TABLE channel_history ADD COLUMN rollout TEXT NOT NULL DEFAULT '';
CREATE INDEX channel_history_of_rollout ON channel_history (rollout, position);
