-- Ids are 16 bytes, digests of tokens 32, times milliseconds since 1970. Roles, states and registrations are numbers that never
-- change their meaning: `columns.rs` has them.

CREATE TABLE accounts (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    about TEXT NOT NULL DEFAULT '',
    -- Name and display name in lower case, as all scripts have it (SQLite knows only ASCII).
    search TEXT NOT NULL,
    role INTEGER NOT NULL,
    state INTEGER NOT NULL,
    network TEXT,
    origin TEXT,
    created_at INTEGER NOT NULL,
    password TEXT,
    -- What tells the request that made it.
    request BLOB,
    -- Closed, and something outside this file may not be erased yet.
    closing INTEGER NOT NULL DEFAULT 0,
    UNIQUE (network, origin)
) STRICT, WITHOUT ROWID;

-- All that a search looks at, in the order of its answer, so that it reads no other page for who is not found.
CREATE INDEX account_search ON accounts (name, state, search, id);
CREATE INDEX owners ON accounts (id) WHERE role = 1 AND state = 0;
CREATE INDEX closings ON accounts (id) WHERE closing = 1;

CREATE TABLE sessions (
    device BLOB PRIMARY KEY,
    user BLOB NOT NULL REFERENCES accounts,
    name TEXT NOT NULL,
    secret BLOB NOT NULL,
    generation INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user, last_used_at, device);
CREATE INDEX sessions_by_rest ON sessions (last_used_at);

CREATE TABLE invites (
    id BLOB PRIMARY KEY,
    token BLOB NOT NULL UNIQUE,
    made_by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    -- NULL: any number.
    uses_left INTEGER,
    -- NULL: until it is taken back.
    expires_at INTEGER
) STRICT, WITHOUT ROWID;

-- At most one row.
CREATE TABLE claims (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    token BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE resets (
    user BLOB PRIMARY KEY REFERENCES accounts,
    token BLOB NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
    user BLOB NOT NULL,
    other BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX blocks_of_other ON blocks (other, user);

-- At most one row.
CREATE TABLE site (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    workspace BLOB NOT NULL,
    name TEXT NOT NULL,
    registration INTEGER NOT NULL
) STRICT;

CREATE TABLE answers (
    user BLOB NOT NULL,
    key BLOB NOT NULL,
    request BLOB NOT NULL,
    begun_at INTEGER NOT NULL,
    -- NULL while it runs.
    kept BLOB,
    PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_by_age ON answers (user, begun_at, key);
CREATE INDEX answers_by_time ON answers (begun_at);
