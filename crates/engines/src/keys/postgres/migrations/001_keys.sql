-- PostgreSQL leaves a row that was changed or deleted where it was, and vacuum does not wipe its bytes. So the tables that keys lie
-- in are small, and to destroy a key is to write all others of its table into a new file and to remove the old one.
CREATE TABLE keys (
    user_id uuid PRIMARY KEY,
    wrapped bytea NOT NULL,
    is_destroyed boolean NOT NULL
) PARTITION BY HASH (user_id);

-- Never in a table of its own, of which the above would not be true.
ALTER TABLE keys ALTER wrapped SET STORAGE PLAIN;

CREATE INDEX ON keys (user_id) WHERE is_destroyed;

DO $$
BEGIN
    FOR n IN 0..63 LOOP
        EXECUTE format('CREATE TABLE keys_%s PARTITION OF keys FOR VALUES WITH (MODULUS 64, REMAINDER %s)', n, n);
    END LOOP;
END $$;

CREATE TABLE secrets (
    name text PRIMARY KEY,
    value bytea NOT NULL
);

-- Destroys the keys of those people whose keys lie in this table. Only this table is locked, so no two wait for each other. Whoever
-- waits for the lock is in the way of everybody behind, so that is given up soon; the caller may try again.
CREATE FUNCTION destroy_keys(place int, users uuid[]) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    name text := 'keys_' || place;
    doomed uuid[] := array(
        SELECT DISTINCT user_id FROM unnest(users) AS user_id
        WHERE satisfies_hash_partition('keys'::regclass, 64, place, user_id));
    gone bigint;
    kept keys[];
BEGIN
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', name);
    EXECUTE format('SELECT count(*) FROM %I WHERE user_id = ANY ($1) AND is_destroyed', name) INTO gone USING doomed;
    IF gone = cardinality(doomed) THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT array_agg(kept::keys) FROM %I AS kept WHERE user_id <> ALL ($1)', name) INTO kept USING doomed;
    EXECUTE format('TRUNCATE %I', name);
    EXECUTE format('INSERT INTO %I SELECT * FROM unnest($1)', name) USING kept;
    EXECUTE format('INSERT INTO %I SELECT user_id, '''', true FROM unnest($1) AS user_id', name) USING doomed;
END $$;
