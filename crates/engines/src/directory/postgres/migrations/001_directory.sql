-- Ids are UUIDs, digests of tokens 32 bytes, times milliseconds since 1970; numbers end at 2^63 - 1. Roles, states and registrations
-- are numbers that never change their meaning: `crates/engines/src/directory/mod.rs` has them. Texts sort by their bytes, whatever
-- the database's locale.
--
-- Whoever changes what belongs to an account locks its row first, so nothing refers to it.

CREATE SCHEMA directory;

CREATE TABLE directory.accounts (
    id uuid PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    display_name text NOT NULL,
    about text NOT NULL DEFAULT '',
    -- Name and display name in lower case, as Klatch folds all scripts (PostgreSQL folds as the locale says).
    search text COLLATE "C" NOT NULL,
    role smallint NOT NULL,
    state smallint NOT NULL,
    network text COLLATE "C",
    origin text COLLATE "C",
    created_at bigint NOT NULL,
    password text,
    -- What tells the request that made it.
    request bytea,
    -- Closed, and something outside this database may not be erased yet.
    closing boolean NOT NULL DEFAULT false,
    UNIQUE (network, origin)
) WITH (fillfactor = 80);

CREATE INDEX owners ON directory.accounts (id) WHERE role = 1 AND state = 0;
CREATE INDEX closings ON directory.accounts (id) WHERE closing;

-- No index has what changes with each rotation of a token: so that writes one page and no index (HOT). An account has few sessions.
CREATE TABLE directory.sessions (
    device uuid PRIMARY KEY,
    account uuid NOT NULL,
    name text NOT NULL,
    secret bytea NOT NULL,
    generation bigint NOT NULL,
    rotated_at bigint NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX sessions_by_account ON directory.sessions (account);

CREATE TABLE directory.invites (
    id uuid PRIMARY KEY,
    token bytea NOT NULL UNIQUE,
    made_by uuid NOT NULL,
    created_at bigint NOT NULL,
    -- NULL: any number.
    uses_left bigint,
    -- NULL: until it is taken back.
    expires_at bigint
);

-- At most one row.
CREATE TABLE directory.claims (
    one smallint PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    token bytea NOT NULL,
    expires_at bigint NOT NULL
);

CREATE TABLE directory.resets (
    account uuid PRIMARY KEY,
    token bytea NOT NULL UNIQUE,
    expires_at bigint NOT NULL
);

CREATE TABLE directory.blocks (
    account uuid NOT NULL,
    other uuid NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (account, other)
);

CREATE INDEX blocks_of_other ON directory.blocks (other, account);

-- At most one row.
CREATE TABLE directory.site (
    one smallint PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    workspace uuid NOT NULL,
    name text NOT NULL,
    registration smallint NOT NULL
);

CREATE TABLE directory.answers (
    account uuid NOT NULL,
    key bytea NOT NULL,
    request bytea NOT NULL,
    begun_at bigint NOT NULL,
    -- NULL while it runs.
    kept bytea,
    PRIMARY KEY (account, key)
);

CREATE INDEX answers_by_time ON directory.answers (begun_at);
