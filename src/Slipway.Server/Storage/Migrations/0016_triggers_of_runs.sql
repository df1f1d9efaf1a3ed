-- What a run started: cool-down and daily bound hold for it, whatever the rule is called. Null for runs from before.
ALTER TABLE retrain_runs ADD COLUMN starts TEXT;
