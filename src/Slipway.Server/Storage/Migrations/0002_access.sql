CREATE TABLE principals (
  id TEXT PRIMARY KEY,
  document TEXT NOT NULL
);

-- The hash is SHA-256 of the whole token, which is 256 bits of chance: it needs no salt and no stretching.
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  principal TEXT NOT NULL REFERENCES principals (id),
  label TEXT NOT NULL,
  scope TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  known_to TEXT NOT NULL,
  made_with TEXT REFERENCES tokens (id),
  expires_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT
);
CREATE INDEX tokens_of_principal ON tokens (principal);
CREATE INDEX tokens_made_with ON tokens (made_with);

CREATE TABLE trusted_keys (
  id TEXT PRIMARY KEY,
  owner TEXT REFERENCES principals (id),
  document TEXT NOT NULL
);
CREATE INDEX trusted_keys_of_owner ON trusted_keys (owner);
