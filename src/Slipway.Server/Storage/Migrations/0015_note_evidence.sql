-- What was known when an alert fired again: the document IncidentEvidence; null for other notes, and once an incident has enough of them.
ALTER TABLE incident_notes ADD COLUMN evidence TEXT;
