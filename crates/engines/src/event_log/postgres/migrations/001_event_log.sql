-- Events are only ever added; a body is emptied when it is erased. Nothing else is written for an event: no row that all events of
-- a conversation, or all conversations, would meet in.
CREATE TABLE event_log (
    conversation uuid NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    head bytea NOT NULL,
    body bytea NOT NULL,
    entry bytea NOT NULL,
    PRIMARY KEY (conversation, seq),
    UNIQUE (conversation, id)
) PARTITION BY HASH (conversation);

-- Bodies are sealed, so there is nothing to compress.
ALTER TABLE event_log
    ALTER head SET STORAGE EXTERNAL,
    ALTER body SET STORAGE EXTERNAL,
    ALTER entry SET STORAGE EXTERNAL;

-- A row that is dead is a body that was erased: it is cleared away within minutes, however large the table is.
DO $$
BEGIN
    FOR n IN 0..15 LOOP
        EXECUTE format(
            'CREATE TABLE event_log_%s PARTITION OF event_log FOR VALUES WITH (MODULUS 16, REMAINDER %s) WITH (
                autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
                toast.autovacuum_vacuum_threshold = 0, toast.autovacuum_vacuum_scale_factor = 0)', n, n);
    END LOOP;
END $$;

CREATE TABLE event_log_conversations (
    conversation uuid PRIMARY KEY
);

CREATE TABLE event_log_snapshots (
    conversation uuid PRIMARY KEY,
    seq bigint NOT NULL,
    bytes bytea NOT NULL
);
