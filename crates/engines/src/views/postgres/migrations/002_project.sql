-- What is done to many rows in one round trip. Each statement of a function sees what others committed before it, and all of them are
-- one transaction. Their plans are made once: left to itself, PostgreSQL plans each statement on what lies in several tables anew, which
-- costs four times as much as doing it.
--
-- Rows are locked in one order by all: heads in order of conversation, then what is people's own in order of (conversation, person).
-- So two that change the same wait, and never for each other.

-- Projects a batch, which is in order of conversation: for each projection NULL if it was projected, otherwise how far the views go.
-- Rows are in order of (conversation, person); `row_places` tells to which projection each belongs.
CREATE FUNCTION views.project(
    conversations uuid[], afters bigint[], seqs bigint[], worthies bigint[], ats bigint[], messages bigint[],
    kinds smallint[], histories smallint[], names text[], names_lower text[], topics text[], topics_lower text[],
    row_places int[], sorts smallint[], persons uuid[], numbers bigint[], others bigint[]
) RETURNS bigint[] LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    upto bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(conversations)]);
    came bigint[] := array_fill(0::bigint, ARRAY[cardinality(conversations)]);
    p record;
    r record;
    room uuid;
    is_next boolean;
BEGIN
    FOR p IN SELECT * FROM unnest(conversations, afters, seqs, worthies, ats, messages, kinds, histories,
            names, names_lower, topics, topics_lower) WITH ORDINALITY AS p (conversation, after, seq, worthy, at,
            message, kind, history, name, name_lower, topic, topic_lower, place) LOOP
        IF p.after = 0 AND p.seq > 0 THEN
            INSERT INTO views.heads VALUES (p.conversation, p.seq, p.worthy, p.at, p.message) ON CONFLICT DO NOTHING;
            is_next := FOUND;
            IF is_next THEN
                INSERT INTO views.conversations (id, kind, history, name, name_lower, topic, topic_lower)
                    VALUES (p.conversation, p.kind, p.history, coalesce(p.name, ''), coalesce(p.name_lower, ''),
                        coalesce(p.topic, ''), coalesce(p.topic_lower, ''));
            END IF;
        ELSE
            UPDATE views.heads AS h SET seq = p.seq, worthy = p.worthy, at = p.at, message = greatest(h.message, p.message)
                WHERE h.conversation = p.conversation AND h.seq = p.after AND p.seq > p.after;
            is_next := FOUND;
            IF is_next AND num_nonnulls(p.kind, p.history, p.name, p.topic) > 0 THEN
                UPDATE views.conversations AS c SET
                    kind = coalesce(c.kind, p.kind), history = coalesce(p.history, c.history),
                    name = coalesce(p.name, c.name), name_lower = coalesce(p.name_lower, c.name_lower),
                    topic = coalesce(p.topic, c.topic), topic_lower = coalesce(p.topic_lower, c.topic_lower)
                    WHERE c.id = p.conversation;
            END IF;
        END IF;
        IF NOT is_next THEN
            upto[p.place] := coalesce((SELECT h.seq FROM views.heads AS h WHERE h.conversation = p.conversation), 0);
        END IF;
    END LOOP;

    FOR r IN SELECT * FROM unnest(row_places, sorts, persons, numbers, others)
            AS r (place, sort, person, number, other) LOOP
        CONTINUE WHEN upto[r.place] IS NOT NULL;
        room := conversations[r.place];
        CASE r.sort
        WHEN 1 THEN -- joined
            UPDATE views.members AS m SET role = r.other, joined = r.number
                WHERE m.conversation = room AND m.person = r.person;
            IF NOT FOUND THEN
                INSERT INTO views.members VALUES (room, r.person, r.other, r.number);
                came[r.place] := came[r.place] + 1;
            END IF;
            INSERT INTO views.own (conversation, person, joined) VALUES (room, r.person, r.number) ON CONFLICT DO NOTHING;
        WHEN 2 THEN -- role set
            UPDATE views.members AS m SET role = r.other WHERE m.conversation = room AND m.person = r.person;
        WHEN 3 THEN -- gone
            DELETE FROM views.own AS o USING views.members AS m WHERE m.conversation = room AND m.person = r.person
                AND o.conversation = room AND o.person = r.person AND o.joined = m.joined;
            DELETE FROM views.mentions AS n WHERE n.conversation = room AND n.person = r.person;
            DELETE FROM views.members AS m WHERE m.conversation = room AND m.person = r.person;
            IF FOUND THEN
                came[r.place] := came[r.place] - 1;
            END IF;
        WHEN 4 THEN -- mentioned
            INSERT INTO views.mentions VALUES (room, r.person, r.number) ON CONFLICT DO NOTHING;
        WHEN 5 THEN -- read, by writing: `Cursor::wrote`
            UPDATE views.own AS o SET
                delivered = CASE WHEN r.number > o.read THEN greatest(o.delivered, r.number) ELSE o.delivered END,
                read = greatest(o.read, r.number),
                read_worthy = CASE WHEN r.number > o.read THEN r.other ELSE o.read_worthy END,
                version = CASE WHEN r.number > o.read THEN least(o.version, 9223372036854775806) + 1 ELSE o.version END,
                wrote = r.number
                FROM views.members AS m WHERE m.conversation = room AND m.person = r.person
                AND o.conversation = room AND o.person = r.person AND o.joined = m.joined AND o.wrote < r.number;
        END CASE;
    END LOOP;

    UPDATE views.conversations AS c SET members = c.members + change.members
        FROM (SELECT conversation, sum(number) AS members FROM unnest(conversations, came) AS came (conversation, number)
            GROUP BY conversation HAVING sum(number) <> 0) AS change
        WHERE c.id = change.conversation;
    RETURN upto;
END $$;

-- Moves cursors as `Cursor::moved` says, which are in order of (conversation, person), and returns each with its place as it is then.
-- For those who are no members there is nothing.
CREATE FUNCTION views.move_cursors(
    conversations uuid[], persons uuid[], delivereds bigint[], reads bigint[], reads_worthy bigint[], versions bigint[]
) RETURNS TABLE (place bigint, delivered bigint, read bigint, read_worthy bigint, version bigint) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    w record;
BEGIN
    FOR w IN SELECT * FROM unnest(conversations, persons, delivereds, reads, reads_worthy, versions)
            WITH ORDINALITY AS w (conversation, person, delivered, read, read_worthy, version, place) LOOP
        -- What moves nothing writes nothing.
        RETURN QUERY UPDATE views.own AS o SET
            delivered = greatest(o.delivered, w.delivered, CASE WHEN w.version > o.version THEN w.read END),
            read = CASE WHEN w.version > o.version THEN w.read ELSE o.read END,
            read_worthy = CASE WHEN w.version > o.version THEN w.read_worthy ELSE o.read_worthy END,
            version = greatest(o.version, w.version)
            FROM views.members AS m WHERE m.conversation = w.conversation AND m.person = w.person
            AND o.conversation = w.conversation AND o.person = w.person AND o.joined = m.joined
            AND (w.delivered > o.delivered OR w.version > o.version)
            RETURNING w.place, o.delivered, o.read, o.read_worthy, o.version;
        IF NOT FOUND THEN
            RETURN QUERY SELECT w.place, o.delivered, o.read, o.read_worthy, o.version FROM views.members AS m
                JOIN views.own AS o USING (conversation, person, joined)
                WHERE m.conversation = w.conversation AND m.person = w.person;
        END IF;
    END LOOP;
END $$;
