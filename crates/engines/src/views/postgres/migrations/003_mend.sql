-- How often somebody set their settings here: of two copies, the one that was set more often is the later.
ALTER TABLE views.own ADD COLUMN times_set bigint NOT NULL DEFAULT 0;

-- Makes what was projected of a conversation what a replay made of it, if it goes as far as `expected`; false if it does not. Whoever
-- projects waits for the head, and then goes on from it. Rows that are right are not written.
CREATE FUNCTION views.mend(
    room uuid, expected bigint, new_seq bigint, new_worthy bigint, new_at bigint, new_message bigint,
    new_kind smallint, new_history smallint, new_name text, new_name_lower text, new_topic text, new_topic_lower text,
    people uuid[], roles smallint[], places bigint[], mentioned uuid[], mentions bigint[],
    readers uuid[], reads bigint[], worthies bigint[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF expected = 0 THEN
        INSERT INTO views.heads AS h (conversation, seq, worthy, at, message)
            VALUES (room, new_seq, new_worthy, new_at, new_message)
            ON CONFLICT (conversation) DO UPDATE SET seq = new_seq, worthy = new_worthy, at = new_at, message = new_message
            WHERE h.seq = 0;
    ELSE
        UPDATE views.heads AS h SET seq = new_seq, worthy = new_worthy, at = new_at, message = new_message
            WHERE h.conversation = room AND h.seq = expected;
    END IF;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO views.conversations AS c (id, kind, history, name, name_lower, topic, topic_lower, members)
        VALUES (room, new_kind, new_history, new_name, new_name_lower, new_topic, new_topic_lower, cardinality(people))
        ON CONFLICT (id) DO UPDATE SET kind = new_kind, history = new_history, name = new_name,
            name_lower = new_name_lower, topic = new_topic, topic_lower = new_topic_lower, members = cardinality(people);
    DELETE FROM views.members AS m WHERE m.conversation = room AND NOT EXISTS (
        SELECT FROM unnest(people, roles, places) AS r (person, role, joined)
        WHERE r.person = m.person AND r.role = m.role AND r.joined = m.joined);
    INSERT INTO views.members (conversation, person, role, joined)
        SELECT room, r.person, r.role, r.joined FROM unnest(people, roles, places) AS r (person, role, joined)
        ORDER BY r.person ON CONFLICT DO NOTHING;
    DELETE FROM views.mentions AS n WHERE n.conversation = room AND NOT EXISTS (
        SELECT FROM unnest(mentioned, mentions) AS r (person, seq) WHERE r.person = n.person AND r.seq = n.seq);
    INSERT INTO views.mentions (conversation, person, seq)
        SELECT room, r.person, r.seq FROM unnest(mentioned, mentions) AS r (person, seq) ON CONFLICT DO NOTHING;
    INSERT INTO views.own (conversation, person, joined)
        SELECT room, r.person, r.joined FROM unnest(people, places) AS r (person, joined)
        ORDER BY r.person ON CONFLICT DO NOTHING;
    -- What they wrote, they have read: `Cursor::replayed`.
    WITH locked AS (
        SELECT o.person, o.joined, r.read, r.worthy FROM unnest(readers, reads, worthies) AS r (person, read, worthy)
        JOIN views.members AS m ON m.conversation = room AND m.person = r.person
        JOIN views.own AS o ON o.conversation = room AND o.person = m.person AND o.joined = m.joined
        WHERE o.wrote < r.read ORDER BY o.person FOR UPDATE OF o
    )
    UPDATE views.own AS o SET
        delivered = CASE WHEN l.read > o.read THEN greatest(o.delivered, l.read) ELSE o.delivered END,
        read = greatest(o.read, l.read),
        read_worthy = CASE WHEN l.read > o.read THEN l.worthy ELSE o.read_worthy END,
        version = CASE WHEN o.version > 0 AND l.read > o.read THEN least(o.version, 9223372036854775806) + 1
            ELSE o.version END,
        wrote = l.read
        FROM locked AS l WHERE o.conversation = room AND o.person = l.person AND o.joined = l.joined;
    RETURN true;
END $$;
