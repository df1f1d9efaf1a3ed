-- A boot tells of one channel; whoever borrowed it on another would silence it. Null for boots from before.
ALTER TABLE event_cursors ADD COLUMN channel TEXT;
