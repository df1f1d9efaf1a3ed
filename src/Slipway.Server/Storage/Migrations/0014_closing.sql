-- Who closed an incident, and why then: the document IncidentClosing; null while it is open.
ALTER TABLE incidents ADD COLUMN closing TEXT;
