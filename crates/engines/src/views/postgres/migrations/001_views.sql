-- Ids are UUIDs, times milliseconds since 1970; numbers end at 2^63 - 1. Texts sort by their bytes, whatever the database's locale.
-- Nothing refers to another table: each such reference would lock and write a row that is hot. `project` sees to it instead, which
-- alone writes what follows from the log, and `clear`.

CREATE SCHEMA views;

-- How lists describe a conversation. `members` counts its members.
CREATE TABLE views.conversations (
    id uuid PRIMARY KEY,
    kind smallint,
    name text COLLATE "C" NOT NULL DEFAULT '',
    topic text COLLATE "C" NOT NULL DEFAULT '',
    -- In lower case, as Klatch folds all scripts (PostgreSQL folds as the locale says), for the channel directory.
    name_lower text COLLATE "C" NOT NULL DEFAULT '',
    topic_lower text COLLATE "C" NOT NULL DEFAULT '',
    history smallint,
    members bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 90);

-- The order of the channel directory. A topic may be larger than what an index takes, so it is looked through in the table.
CREATE INDEX channels ON views.conversations (name, id) WHERE kind = 2;

-- Where it stands: all that a plain message changes, and all that an inbox is sorted by. Narrow rows with room beside them, and no
-- index but on what never changes: so a new version lies on the same page and no index is written (HOT).
CREATE TABLE views.heads (
    conversation uuid PRIMARY KEY,
    seq bigint NOT NULL,
    worthy bigint NOT NULL,
    at bigint NOT NULL,
    message bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE views.members (
    conversation uuid NOT NULL,
    person uuid NOT NULL,
    role smallint NOT NULL,
    joined bigint NOT NULL,
    PRIMARY KEY (conversation, person)
);

CREATE UNIQUE INDEX members_by_person ON views.members (person, conversation);

CREATE TABLE views.mentions (
    conversation uuid NOT NULL,
    person uuid NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (conversation, person, seq)
);

-- What a member moves and sets: a row for each member, made and forgotten with the membership, which is known by the event with
-- which it began. It does not follow from the log, so that a rebuild leaves it.
CREATE TABLE views.own (
    conversation uuid NOT NULL,
    person uuid NOT NULL,
    joined bigint NOT NULL,
    delivered bigint NOT NULL DEFAULT 0,
    read bigint NOT NULL DEFAULT 0,
    read_worthy bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    -- The last event that moved the cursor because they wrote it.
    wrote bigint NOT NULL DEFAULT 0,
    notify smallint NOT NULL DEFAULT 0,
    favourite boolean NOT NULL DEFAULT false,
    PRIMARY KEY (conversation, person, joined)
) PARTITION BY HASH (conversation);

-- Whoever writes has read, so there is a row to write for almost every message: in several tables, so that none takes all of them.
-- (Heads are written once for all that waits in a conversation.)
DO $$
BEGIN
    FOR n IN 0..7 LOOP
        EXECUTE format('CREATE TABLE views.own_%s PARTITION OF views.own FOR VALUES WITH (MODULUS 8, REMAINDER %s)
            WITH (fillfactor = 50)', n, n);
    END LOOP;
END $$;
