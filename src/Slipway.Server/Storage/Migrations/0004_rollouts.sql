-- What serves a channel of a model. warm_* is the version before, kept loaded until then.
CREATE TABLE live_versions (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  live TEXT NOT NULL,
  since BIGINT NOT NULL,
  previous TEXT,
  warm TEXT,
  warm_until BIGINT,
  latency_budget TEXT,
  PRIMARY KEY (model, channel)
);

-- Every version that was ever live on a channel, with the one that it replaced when it was released: where the way back leads.
CREATE TABLE live_before (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  number BIGINT NOT NULL,
  version TEXT NOT NULL,
  previous TEXT,
  latency_budget TEXT,
  PRIMARY KEY (model, channel, number)
);

-- state, report and fold are documents; fold is what of the events is in the report.
CREATE TABLE rollouts (
  id TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  running BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  state TEXT NOT NULL,
  report TEXT,
  fold TEXT
);
CREATE UNIQUE INDEX rollouts_running ON rollouts (model, channel) WHERE running = 1;
CREATE INDEX rollouts_of_model ON rollouts (model, started_at);

CREATE TABLE channel_history (
  position BIGINT PRIMARY KEY,
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  entry TEXT NOT NULL
);
CREATE INDEX channel_history_of_model ON channel_history (model, channel, position);

CREATE TABLE desired_states (
  channel TEXT PRIMARY KEY,
  epoch BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  document TEXT NOT NULL
);

-- The latest report of every gateway.
CREATE TABLE gateways (
  channel TEXT NOT NULL,
  gateway TEXT NOT NULL,
  seen_at BIGINT NOT NULL,
  report TEXT NOT NULL,
  PRIMARY KEY (channel, gateway)
);

-- The highest sequence that was taken in, by boot: what is at or below it is a repeat.
CREATE TABLE event_cursors (
  gateway TEXT NOT NULL,
  boot TEXT NOT NULL,
  taken BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (gateway, boot)
);

-- Batches that wait to be folded; a folded one is deleted. put_off counts the tries at which something had to come first.
CREATE TABLE event_batches (
  position BIGINT PRIMARY KEY,
  put_off BIGINT NOT NULL,
  batch TEXT NOT NULL
);
