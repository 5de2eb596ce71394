//! Reading: descriptions, memberships, the inbox and the channel directory. Each is one statement, so it sees one moment.

use std::collections::HashMap;

use klatch_core::conversation::{History, Kind, Role};
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::views::{Cursor, Description, Dump, InboxRow, MENTIONS_COUNTED_MAX, Membership, NUMBER_MAX};
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::columns;
use crate::drivers::postgres::columns::{findable, get, number, page_after, signed};
use crate::drivers::postgres::{Database, Param};

/// A page of somebody's list, from the index of memberships and the narrow heads: the activity of a conversation is one row for all
/// its members, so a list is sorted when it is read.
pub const PAGE: &str = "SELECT h.*, m.joined, m.role FROM views.members AS m JOIN views.heads AS h USING (conversation)
    WHERE m.person = $1 AND (h.at, h.conversation) < ($3, $4) ORDER BY h.at DESC, h.conversation DESC LIMIT $5";

/// The page that has one conversation.
const ONE: &str = "SELECT h.*, m.joined, m.role FROM views.members AS m JOIN views.heads AS h USING (conversation)
    WHERE m.person = $1 AND m.conversation = $3";

/// A page of the channel directory, in the order of its index.
pub const CHANNELS: &str =
    "SELECT c.*, h.* FROM views.conversations AS c JOIN views.heads AS h ON h.conversation = c.id
    WHERE c.kind = 2 AND ($1 IS NULL OR (c.name, c.id) > ($1, $2))
    AND (position($3 IN c.name_lower) > 0 OR position($3 IN c.topic_lower) > 0) ORDER BY c.name, c.id LIMIT $4";

/// How lists describe conversations; `None` until the first event was projected.
pub async fn describe(
    database: &Database,
    conversations: &[ConversationId],
) -> Result<Vec<Option<Description>>, Error> {
    let ids: Vec<Uuid> = conversations.iter().map(|id| id.0).collect();
    let sql = "SELECT c.*, h.* FROM views.conversations AS c JOIN views.heads AS h ON h.conversation = c.id
        WHERE c.id = ANY($1) AND c.kind IS NOT NULL";
    let rows = database.query(sql, &[(&ids, Type::UUID_ARRAY)]).await?;
    let found = rows.iter().map(|row| Ok((columns::conversation(row, "id")?, description(row)?)));
    let found: HashMap<_, _> = found.collect::<Result<_, Error>>()?;
    Ok(conversations.iter().map(|id| found.get(id).cloned()).collect())
}

/// Somebody's place in a conversation.
pub async fn membership(
    database: &Database,
    user: UserId,
    conversation: ConversationId,
) -> Result<Option<Membership>, Error> {
    let sql = "SELECT role, joined FROM views.members WHERE conversation = $1 AND person = $2";
    let rows = database.query(sql, &[(&conversation.0, Type::UUID), (&user.0, Type::UUID)]).await?;
    rows.first().map(columns::membership).transpose()
}

/// How many conversations somebody is in.
pub async fn memberships(database: &Database, user: UserId) -> Result<u64, Error> {
    let sql = "SELECT count(*) AS count FROM views.members WHERE person = $1";
    let rows = database.query(sql, &[(&user.0, Type::UUID)]).await?;
    rows.first().map_or(Ok(0), |row| number(row, "count"))
}

/// A page of a conversation's members.
pub async fn members(
    database: &Database,
    conversation: ConversationId,
    after: Option<UserId>,
    limit: usize,
) -> Result<Vec<(UserId, Membership, Cursor)>, Error> {
    let sql = "SELECT * FROM views.members JOIN views.own USING (conversation, person, joined)
        WHERE conversation = $1 AND ($2 IS NULL OR person > $2) ORDER BY person LIMIT $3";
    let (after, limit) = (after.map(|after| after.0), limit_of(limit));
    let params: [Param<'_>; 3] = [(&conversation.0, Type::UUID), (&after, Type::UUID), (&limit, Type::INT8)];
    let rows = database.query(sql, &params).await?;
    let member = |row| Ok((columns::user(row, "person")?, columns::membership(row)?, columns::cursor(row)?));
    rows.iter().map(member).collect()
}

/// A page of somebody's list.
pub async fn inbox(
    database: &Database,
    user: UserId,
    after: Option<(Timestamp, ConversationId)>,
    limit: usize,
) -> Result<Vec<InboxRow>, Error> {
    let (at, id) = after.map_or((NUMBER_MAX, Uuid::max()), |(at, id)| (at.0.min(NUMBER_MAX), id.0));
    let (at, limit, counted) = (signed(at)?, limit_of(limit), signed(MENTIONS_COUNTED_MAX)?);
    let params: [Param<'_>; 5] =
        [(&user.0, Type::UUID), (&counted, Type::INT8), (&at, Type::INT8), (&id, Type::UUID), (&limit, Type::INT8)];
    database.query(&inbox_rows(PAGE), &params).await?.iter().map(inbox_line).collect()
}

/// One line of somebody's list.
pub async fn inbox_row(
    database: &Database,
    user: UserId,
    conversation: ConversationId,
) -> Result<Option<InboxRow>, Error> {
    let counted = signed(MENTIONS_COUNTED_MAX)?;
    let params: [Param<'_>; 3] = [(&user.0, Type::UUID), (&counted, Type::INT8), (&conversation.0, Type::UUID)];
    database.query(&inbox_rows(ONE), &params).await?.first().map(inbox_line).transpose()
}

/// The whole lines of a page of somebody's list ($1), with mentions counted up to $2.
pub fn inbox_rows(page: &str) -> String {
    format!(
        "WITH page AS ({page})
        SELECT c.*, page.*, own.*,
            (SELECT count(*) FROM (SELECT FROM views.mentions AS n WHERE n.conversation = page.conversation
                AND n.person = $1 AND n.seq > own.read LIMIT $2) AS counted) AS mentions,
            CASE WHEN c.kind = 0 THEN (SELECT o.person FROM views.members AS o
                WHERE o.conversation = page.conversation AND o.person <> $1 ORDER BY o.person LIMIT 1) END AS other
        FROM page JOIN views.conversations AS c ON c.id = page.conversation AND c.kind IS NOT NULL
        JOIN views.own ON own.conversation = page.conversation AND own.person = $1 AND own.joined = page.joined
        ORDER BY page.at DESC, page.conversation DESC"
    )
}

/// A page of the channels whose name or topic holds `query`, which is in lower case.
pub async fn channels(
    database: &Database,
    query: &str,
    after: Option<(String, ConversationId)>,
    limit: usize,
) -> Result<Vec<Description>, Error> {
    let Some(query) = findable(query) else { return Ok(Vec::new()) };
    let name = after.as_ref().map(|(name, _)| page_after(name));
    // After a name that no channel can have come all channels of the name that it was cut to.
    let id = after.as_ref().map(|(name, id)| if findable(name).is_some() { id.0 } else { Uuid::max() });
    let limit = limit_of(limit);
    let params: [Param<'_>; 4] = [(&name, Type::TEXT), (&id, Type::UUID), (&query, Type::TEXT), (&limit, Type::INT8)];
    database.query(CHANNELS, &params).await?.iter().map(description).collect()
}

/// Everything that was projected of a conversation.
pub async fn dump(database: &Database, conversation: ConversationId) -> Result<String, Error> {
    // Who has no row of their own would not find the conversation in their list.
    let sql =
        "WITH m AS (SELECT person, role, joined FROM views.members JOIN views.own USING (conversation, person, joined)
            WHERE conversation = $1)
        SELECT c.*, h.*,
        ARRAY(SELECT person FROM m ORDER BY person) AS people,
        ARRAY(SELECT role FROM m ORDER BY person) AS roles,
        ARRAY(SELECT joined FROM m ORDER BY person) AS joined,
        ARRAY(SELECT person FROM views.mentions WHERE conversation = $1 ORDER BY person, seq) AS mentioned,
        ARRAY(SELECT seq FROM views.mentions WHERE conversation = $1 ORDER BY person, seq) AS mentions
        FROM views.conversations AS c JOIN views.heads AS h ON h.conversation = c.id WHERE c.id = $1";
    let rows = database.query(sql, &[(&conversation.0, Type::UUID)]).await?;
    let Some(row) = rows.first() else { return Ok(Dump::default().to_string()) };
    let seq = |number: i64| u64::try_from(number).map(Seq).map_err(Error::corrupt);
    let people = get::<Vec<Uuid>>(row, "people")?.into_iter().map(UserId);
    let roles = get::<Vec<i16>>(row, "roles")?.into_iter().map(columns::value::<Role>);
    let joined = get::<Vec<i64>>(row, "joined")?.into_iter().map(seq);
    let places = roles.zip(joined).map(|(role, joined)| Ok::<_, Error>(Membership { role: role?, joined: joined? }));
    let mentioned = get::<Vec<Uuid>>(row, "mentioned")?.into_iter().map(UserId);
    let mentions = get::<Vec<i64>>(row, "mentions")?.into_iter().map(seq);
    let dump = Dump {
        kind: columns::maybe_enum::<Kind>(row, "kind")?,
        texts: [get(row, "name")?, get(row, "topic")?],
        history: columns::maybe_enum::<History>(row, "history")?,
        head: columns::head(row)?,
        members: people.zip(places).map(|(user, place)| Ok((user, place?))).collect::<Result<_, Error>>()?,
        mentions: mentioned.zip(mentions).map(|(user, seq)| Ok((user, seq?))).collect::<Result<_, Error>>()?,
    };
    Ok(dump.to_string())
}

fn description(row: &Row) -> Result<Description, Error> {
    Ok(Description {
        conversation: columns::conversation(row, "id")?,
        kind: columns::get_enum(row, "kind")?,
        name: get(row, "name")?,
        topic: get(row, "topic")?,
        history: columns::maybe_enum(row, "history")?.unwrap_or(History::All),
        members: number(row, "members")?,
        head: columns::head(row)?,
    })
}

fn inbox_line(row: &Row) -> Result<InboxRow, Error> {
    Ok(InboxRow {
        description: description(row)?,
        membership: columns::membership(row)?,
        cursor: columns::cursor(row)?,
        settings: columns::settings(row)?,
        mentions: number(row, "mentions")?,
        with: get::<Option<Uuid>>(row, "other")?.map(UserId),
    })
}

/// A limit as a statement takes it.
fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
