-- How often somebody set their settings here: of two copies, the one that was set more often is the later.
ALTER TABLE own ADD COLUMN times_set INTEGER NOT NULL DEFAULT 0;
