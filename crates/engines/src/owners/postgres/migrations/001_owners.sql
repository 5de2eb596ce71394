-- Who decides in which partition. One row a partition, written some times a minute.
CREATE TABLE owners (
    partition int PRIMARY KEY,
    address text NOT NULL,
    claimed_at bigint NOT NULL
) WITH (fillfactor = 50);
