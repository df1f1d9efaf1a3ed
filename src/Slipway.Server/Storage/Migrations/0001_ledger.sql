-- Which log this is, and where it stands. One row.
CREATE TABLE ledger_log (
  id BIGINT PRIMARY KEY,
  verifier TEXT NOT NULL,         -- origin and public key, NAME+ID+KEY
  checkpoint TEXT NOT NULL,       -- the latest, signed
  peaks {bytes} NOT NULL,         -- hashes of the complete subtrees that the tree is made of, largest first, 32 bytes each
  last_time BIGINT NOT NULL
);

-- One row an entry: the exact bytes of the leaf, and beside it what may be erased. The other columns repeat the leaf, to search by.
CREATE TABLE ledger_entries (
  position BIGINT PRIMARY KEY,
  leaf {bytes} NOT NULL,
  payload TEXT,
  time BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  intent BIGINT
);
CREATE INDEX ledger_entries_actor ON ledger_entries (actor, position);
CREATE INDEX ledger_entries_action ON ledger_entries (action, position);
CREATE INDEX ledger_entries_intent ON ledger_entries (intent);

CREATE TABLE ledger_subjects (
  position BIGINT NOT NULL REFERENCES ledger_entries (position),
  ordinal BIGINT NOT NULL,
  name TEXT NOT NULL,
  model TEXT,
  digest TEXT,
  PRIMARY KEY (position, ordinal)
);
CREATE INDEX ledger_subjects_name ON ledger_subjects (name, position);
CREATE INDEX ledger_subjects_model ON ledger_subjects (model, position);
CREATE INDEX ledger_subjects_digest ON ledger_subjects (digest, position);

-- The hashes that tiles are made of: level 0 of the leaves, each of level n over 256 of the level below.
CREATE TABLE ledger_hashes (
  level BIGINT NOT NULL,
  position BIGINT NOT NULL,
  hash {bytes} NOT NULL,
  PRIMARY KEY (level, position)
);
