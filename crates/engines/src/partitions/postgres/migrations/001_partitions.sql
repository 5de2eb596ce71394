-- Into how many partitions commands go: one row, read each second by every process that sends, and written while that changes.
CREATE TABLE partition_map (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    partitions int NOT NULL CHECK (partitions > 0),
    -- The last change that was begun, and what it makes of the map as long as it lasts.
    attempt bigint NOT NULL DEFAULT 0,
    next int CHECK (next > 0),
    driven_at bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Who sends. One row a process, written each second.
CREATE TABLE partition_senders (
    sender text PRIMARY KEY,
    at bigint NOT NULL,
    -- The attempt for which it holds commands back.
    holds bigint
) WITH (fillfactor = 50);

CREATE TABLE partitions_drained (
    attempt bigint NOT NULL,
    partition int NOT NULL,
    PRIMARY KEY (attempt, partition)
);
