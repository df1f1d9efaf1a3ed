-- One row an entry: the exact bytes of the leaf, and beside it what may be erased.
CREATE TABLE ledger_entries (
  position BIGINT PRIMARY KEY,
  leaf {bytes} NOT NULL,
  payload TEXT
);
