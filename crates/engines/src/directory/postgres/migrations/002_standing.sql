-- Whether the site is here: at most one row; none: it is. `crates/engines/src/directory/mod.rs` has the numbers.
CREATE TABLE directory.standing (
    one smallint PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    standing smallint NOT NULL,
    -- Where it moved to, or the move by which it leaves.
    target text
);

-- Which processes work for the site, and when each said so last.
CREATE TABLE directory.attending (
    process text COLLATE "C" PRIMARY KEY,
    at bigint NOT NULL
) WITH (fillfactor = 50);
