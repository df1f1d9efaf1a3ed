-- Who brought a blob here: whoever did may make it part of a bundle, and nobody else until it belongs to one that they may read.
CREATE TABLE uploads (
  digest TEXT NOT NULL,
  principal TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (digest, principal)
);

-- A bundle belongs to one model, and is one version of it for ever.
CREATE TABLE versions (
  model TEXT NOT NULL,
  number BIGINT NOT NULL,
  bundle TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL,
  evidence TEXT NOT NULL,
  PRIMARY KEY (model, number)
);

-- Everyone who pushed it: none of them may approve it. may_be are those who have held the token that it was done with.
CREATE TABLE version_pushes (
  bundle TEXT NOT NULL REFERENCES versions (bundle),
  principal TEXT NOT NULL,
  may_be TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (bundle, principal)
);

-- What verified, and by whose signature.
CREATE TABLE attestations (
  bundle TEXT NOT NULL REFERENCES versions (bundle),
  manifest TEXT NOT NULL,
  predicate_type TEXT NOT NULL,
  key_id TEXT NOT NULL,
  PRIMARY KEY (bundle, manifest)
);

-- Every blob of a bundle and of its attestations: these are never collected.
CREATE TABLE bundle_blobs (
  bundle TEXT NOT NULL REFERENCES versions (bundle),
  digest TEXT NOT NULL,
  size BIGINT NOT NULL,
  media_type TEXT NOT NULL,
  PRIMARY KEY (bundle, digest)
);
CREATE INDEX bundle_blobs_by_digest ON bundle_blobs (digest);

CREATE TABLE plans (
  model TEXT NOT NULL,
  number BIGINT NOT NULL,
  document TEXT NOT NULL,
  may_be TEXT NOT NULL,
  PRIMARY KEY (model, number)
);

CREATE TABLE policies (
  number BIGINT PRIMARY KEY,
  document TEXT NOT NULL
);

CREATE TABLE promotions (
  model TEXT NOT NULL,
  number BIGINT NOT NULL,
  version BIGINT NOT NULL,
  channel TEXT NOT NULL,
  plan_number BIGINT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_by_name TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (model, number)
);
CREATE INDEX promotions_of_version ON promotions (model, version, channel, number);

CREATE TABLE votes (
  model TEXT NOT NULL,
  promotion BIGINT NOT NULL,
  position BIGINT NOT NULL,
  principal TEXT NOT NULL,
  may_be TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (model, promotion, position)
);
