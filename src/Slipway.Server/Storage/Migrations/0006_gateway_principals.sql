-- Whose token a gateway reported with: nobody else speaks under its name while it is live.
ALTER TABLE gateways ADD COLUMN principal TEXT NOT NULL DEFAULT '';
