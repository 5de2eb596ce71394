-- What devices are to be told that were away when their site came here: `crates/engines/src/mailboxes/sqlite.rs`.
CREATE TABLE mailboxes (
    device BLOB NOT NULL,
    id BLOB NOT NULL,
    conversation BLOB NOT NULL,
    payload BLOB NOT NULL,
    -- Seconds since 1970.
    put_at INTEGER NOT NULL DEFAULT (unixepoch()),
    PRIMARY KEY (device, id, conversation)
) STRICT, WITHOUT ROWID;

CREATE INDEX mailboxes_by_conversation ON mailboxes (conversation);
