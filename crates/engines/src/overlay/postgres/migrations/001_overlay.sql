CREATE TABLE overlay (
    conversation uuid NOT NULL,
    seq bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (conversation, seq)
);

-- How far a conversation's rows go. Written with every change, so there is room for the next version of a row beside it.
CREATE TABLE overlay_applied (
    conversation uuid PRIMARY KEY,
    upto bigint NOT NULL
) WITH (fillfactor = 50);
