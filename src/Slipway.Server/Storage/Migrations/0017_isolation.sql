-- What a builder's provenance says of the isolation that stages ran in; null where it does not tell, and of other statements.
ALTER TABLE attestations ADD COLUMN isolation TEXT;
