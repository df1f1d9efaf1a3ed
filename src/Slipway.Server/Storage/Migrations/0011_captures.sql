-- Captured requests, sealed for a key that no server has. id is the gateway's own: what comes twice is stored once.
CREATE TABLE captures (
  id TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  gateway TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  requests BIGINT NOT NULL,
  size BIGINT NOT NULL,
  recipient TEXT NOT NULL,
  kept_until BIGINT NOT NULL,
  content {bytes} NOT NULL
);
CREATE INDEX captures_of_model ON captures (model, channel, from_at);
CREATE INDEX captures_kept_until ON captures (kept_until);
