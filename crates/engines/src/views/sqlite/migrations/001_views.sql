-- What follows from the log.

-- How lists describe a conversation. `members` counts its members: the triggers below see to it.
CREATE TABLE conversations (
    id BLOB PRIMARY KEY,
    kind INTEGER,
    name TEXT NOT NULL DEFAULT '',
    topic TEXT NOT NULL DEFAULT '',
    -- In lower case, as all scripts have it (SQLite knows only ASCII), for the channel directory.
    name_lower TEXT NOT NULL DEFAULT '',
    topic_lower TEXT NOT NULL DEFAULT '',
    history INTEGER,
    members INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- All that the channel directory looks through, in its order.
CREATE INDEX channels ON conversations (name, id, name_lower, topic_lower) WHERE kind = 2;

-- Where it stands. Apart, because this is all that a plain message changes, and all that an inbox is sorted by: narrow rows.
CREATE TABLE heads (
    conversation BLOB PRIMARY KEY REFERENCES conversations ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    worthy INTEGER NOT NULL,
    at INTEGER NOT NULL,
    message INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
    conversation BLOB NOT NULL REFERENCES conversations ON DELETE CASCADE,
    user BLOB NOT NULL,
    role INTEGER NOT NULL,
    joined INTEGER NOT NULL,
    PRIMARY KEY (conversation, user)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX members_by_user ON members (user, conversation);

CREATE TRIGGER member_came AFTER INSERT ON members BEGIN
    UPDATE conversations SET members = members + 1 WHERE id = new.conversation;
END;

CREATE TRIGGER member_went AFTER DELETE ON members BEGIN
    UPDATE conversations SET members = members - 1 WHERE id = old.conversation;
END;

CREATE TABLE mentions (
    conversation BLOB NOT NULL REFERENCES conversations ON DELETE CASCADE,
    user BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (conversation, user, seq)
) STRICT, WITHOUT ROWID;

-- What a member moves and sets. It does not follow from the log and refers to nothing that a rebuild forgets: the membership it
-- belongs to is known by the event with which it began.
CREATE TABLE own (
    conversation BLOB NOT NULL,
    user BLOB NOT NULL,
    joined INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    read INTEGER NOT NULL,
    read_worthy INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- The last event that moved the cursor because they wrote it.
    wrote INTEGER NOT NULL,
    notify INTEGER NOT NULL,
    favourite INTEGER NOT NULL,
    PRIMARY KEY (conversation, user, joined)
) STRICT, WITHOUT ROWID;
