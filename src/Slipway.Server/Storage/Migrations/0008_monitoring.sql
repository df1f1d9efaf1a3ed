-- What live traffic is measured by: the sealed reference, the signature and the task.
ALTER TABLE versions ADD COLUMN profile TEXT;

-- What happened in a window of time, by version and arm. requests and bad repeat data, for cheap sums.
CREATE TABLE windows (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  length BIGINT NOT NULL,
  start BIGINT NOT NULL,
  version BIGINT NOT NULL,
  arm BIGINT NOT NULL,
  requests BIGINT NOT NULL,
  bad BIGINT NOT NULL,
  data {bytes} NOT NULL,
  PRIMARY KEY (model, channel, length, start, version, arm)
);
CREATE INDEX windows_by_age ON windows (length, start, model, channel, version, arm, requests, bad);

-- How good the answers of a window were, by version: predictions that were kept, and those that have their label.
CREATE TABLE quality (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  length BIGINT NOT NULL,
  start BIGINT NOT NULL,
  version BIGINT NOT NULL,
  data {bytes} NOT NULL,
  PRIMARY KEY (model, channel, length, start, version)
);
CREATE INDEX quality_by_age ON quality (length, start);

-- Windows that start before are deleted, by their length.
CREATE TABLE window_horizons (
  length BIGINT PRIMARY KEY,
  before BIGINT NOT NULL
);

-- The highest sequence that was taken in, by boot, and what that batch said of its host.
CREATE TABLE telemetry_sources (
  gateway TEXT NOT NULL,
  boot TEXT NOT NULL,
  channel TEXT NOT NULL,
  taken BIGINT NOT NULL,
  at BIGINT NOT NULL,
  clock_off BIGINT,
  load TEXT NOT NULL,
  PRIMARY KEY (gateway, boot)
);
CREATE INDEX telemetry_sources_of_channel ON telemetry_sources (channel, at);

-- Requests that were counted and could not be told, by minute. The empty model stands for any.
CREATE TABLE telemetry_losses (
  channel TEXT NOT NULL,
  model TEXT NOT NULL,
  minute BIGINT NOT NULL,
  lost BIGINT NOT NULL,
  PRIMARY KEY (channel, model, minute)
);
CREATE INDEX telemetry_losses_by_age ON telemetry_losses (minute);

-- Answers that wait for their label. score and label are the bits of an IEEE 754 double.
CREATE TABLE predictions (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  key {bytes} NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  score BIGINT NOT NULL,
  label BIGINT,
  PRIMARY KEY (model, channel, key, version)
);
CREATE INDEX predictions_by_age ON predictions (model, channel, at);

-- Labels whose prediction is not known yet.
CREATE TABLE waiting_labels (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  key {bytes} NOT NULL,
  label BIGINT NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (model, channel, key)
);
CREATE INDEX waiting_labels_by_age ON waiting_labels (until);

-- Traces of the latest bad requests. seconds are the bits of an IEEE 754 double.
CREATE TABLE exemplars (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  version BIGINT NOT NULL,
  trace TEXT NOT NULL,
  kind BIGINT NOT NULL,
  at BIGINT NOT NULL,
  seconds BIGINT NOT NULL,
  PRIMARY KEY (model, channel, version, trace)
);
CREATE INDEX exemplars_by_age ON exemplars (model, channel, at);

-- How many rows predictions and waiting_labels have: counted as they come and go, so that asking costs nothing.
CREATE TABLE prediction_counts (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  predictions BIGINT NOT NULL,
  waiting BIGINT NOT NULL,
  PRIMARY KEY (model, channel)
);
