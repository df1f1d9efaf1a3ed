-- Where events are sent. secret_id and the server's key give the secret, which is not in here; key_id tells which key.
-- failures and next_at are the receiver's: while it fails nothing else of the webhook is tried.
CREATE TABLE webhooks (
  name TEXT PRIMARY KEY,
  secret_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  url TEXT NOT NULL,
  model TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  added_by TEXT NOT NULL,
  failures BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  last_error TEXT
);

-- One row an event and webhook, written in the change that the event tells of. event is the exact body.
CREATE TABLE webhook_deliveries (
  position BIGINT PRIMARY KEY,
  webhook TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL,
  at BIGINT NOT NULL,
  error TEXT,
  event TEXT NOT NULL
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook, state, position);

-- document is the incident as it was opened: without timeline and end, and never changed.
CREATE TABLE incidents (
  number BIGINT PRIMARY KEY,
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  summary TEXT NOT NULL,
  document TEXT NOT NULL,
  closed_at BIGINT,
  cause TEXT
);
CREATE INDEX incidents_of_model ON incidents (model, number);
CREATE INDEX incidents_open ON incidents (closed_at, model, channel, subject);

CREATE TABLE incident_notes (
  incident BIGINT NOT NULL REFERENCES incidents (number),
  position BIGINT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (incident, position)
);

CREATE TABLE alerts (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (model, channel, name)
);

CREATE TABLE retrainings (
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (model, channel, name)
);

-- What triggers started; epoch is of the lease under which it runs.
CREATE TABLE retrain_runs (
  id TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  channel TEXT NOT NULL,
  rule TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  running BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  event TEXT NOT NULL,
  document TEXT NOT NULL
);
CREATE INDEX retrain_runs_of_rule ON retrain_runs (model, channel, rule, started_at);
CREATE INDEX retrain_runs_running ON retrain_runs (running);
