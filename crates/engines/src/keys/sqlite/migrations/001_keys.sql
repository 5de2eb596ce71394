-- A destroyed key must be nowhere in the file, so no cell that holds one may ever be copied to another place in it, where the
-- copy would stay when the original is overwritten. Hence a table whose rows only ever come at its end (a full page is then
-- left as it is) and are never deleted, moved or made longer: a key is destroyed by writing as many zeros over it, in place.
CREATE TABLE keys (
    n INTEGER PRIMARY KEY,
    user BLOB NOT NULL UNIQUE,
    wrapped BLOB NOT NULL,
    destroyed INTEGER NOT NULL
) STRICT;

CREATE INDEX destroyed_keys ON keys (user) WHERE destroyed = 1;

CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
