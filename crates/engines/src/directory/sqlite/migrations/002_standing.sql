-- Whether the site is here; no row: it is. `crates/engines/src/directory/mod.rs` has the numbers.
CREATE TABLE standing (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    standing INTEGER NOT NULL,
    -- Where it moved to, or the move by which it leaves.
    target TEXT
) STRICT;

-- Which processes work for the site, and when each said so last.
CREATE TABLE attending (process TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
