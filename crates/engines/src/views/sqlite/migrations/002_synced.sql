-- A row to write when everything before is to be durable: SQLite syncs nothing for a transaction that writes nothing.
CREATE TABLE synced (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL) STRICT;
INSERT INTO synced VALUES (1, 0);
