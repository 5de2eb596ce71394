//! Reading: descriptions, memberships, the inbox and the channel directory.

use klatch_core::conversation::{History, Kind};
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};
use klatch_ports::views::{Cursor, Description, Dump, InboxRow, MENTIONS_COUNTED_MAX, Membership, NUMBER_MAX};
use rusqlite::{Connection, OptionalExtension, Params, Result, Row, params};

use super::columns;

/// The ids of a page of somebody's list, from an index and narrow rows alone.
pub const INBOX: &str = "SELECT heads.conversation FROM members CROSS JOIN heads USING (conversation)
    WHERE user = ?1 AND (at, heads.conversation) < (?2, ?3) ORDER BY at DESC, heads.conversation DESC LIMIT ?4";

/// The ids of a page of the channel directory, from an index alone.
pub const CHANNELS: &str = "SELECT id FROM conversations INDEXED BY channels
    WHERE kind = 2 AND (name, id) > (?1, ?2) AND (instr(name_lower, ?3) OR instr(topic_lower, ?3))
    ORDER BY name, id LIMIT ?4";

/// How lists describe a conversation; `None` until its first event was projected.
pub fn describe(views: &Connection, conversation: ConversationId) -> Result<Option<Description>> {
    let sql = "SELECT * FROM conversations JOIN heads ON conversation = id WHERE id = ?1 AND kind IS NOT NULL";
    views.prepare_cached(sql)?.query_row([conversation.as_bytes()], description).optional()
}

/// Somebody's place in a conversation.
pub fn membership(views: &Connection, user: UserId, conversation: ConversationId) -> Result<Option<Membership>> {
    let sql = "SELECT role, joined FROM members WHERE conversation = ?1 AND user = ?2";
    let key = [conversation.as_bytes(), user.as_bytes()];
    views.prepare_cached(sql)?.query_row(key, columns::membership).optional()
}

/// How many conversations somebody is in.
pub fn memberships(views: &Connection, user: UserId) -> Result<u64> {
    let sql = "SELECT count(*) FROM members WHERE user = ?1";
    views.prepare_cached(sql)?.query_row([user.as_bytes()], |row| row.get(0))
}

/// A page of a conversation's members.
pub fn members(
    views: &Connection,
    conversation: ConversationId,
    after: Option<UserId>,
    limit: usize,
) -> Result<Vec<(UserId, Membership, Cursor)>> {
    // Nothing sorts before no bytes at all.
    let after = after.as_ref().map_or(&[][..], |after| after.as_bytes());
    let sql = "SELECT * FROM members LEFT JOIN own USING (conversation, user, joined)
        WHERE members.conversation = ?1 AND members.user > ?2 ORDER BY members.user LIMIT ?3";
    list(views, sql, params![conversation.as_bytes(), after, limit], |row| {
        Ok((columns::user(row, "user")?, columns::membership(row)?, columns::cursor(row)?))
    })
}

/// A page of somebody's list.
///
/// The activity of a conversation is one row for all its members, so a list is sorted when it is read: from the index of
/// memberships and the narrow heads alone, keeping only the page. Whole rows are then read for the page only.
pub fn inbox(
    views: &Connection,
    user: UserId,
    after: Option<(Timestamp, ConversationId)>,
    limit: usize,
) -> Result<Vec<InboxRow>> {
    let (at, id) = after.map_or((NUMBER_MAX, [0xff; 16]), |(at, id)| (at.0.min(NUMBER_MAX), *id.as_bytes()));
    let page = params![user.as_bytes(), at, id, limit];
    let page = list(views, INBOX, page, |row| columns::conversation(row, "conversation"))?;
    page.into_iter().filter_map(|conversation| inbox_row(views, user, conversation).transpose()).collect()
}

/// One line of somebody's list.
pub fn inbox_row(views: &Connection, user: UserId, conversation: ConversationId) -> Result<Option<InboxRow>> {
    let Some(description) = describe(views, conversation)? else { return Ok(None) };
    let key = [conversation.as_bytes(), user.as_bytes()];
    let sql = "SELECT * FROM members LEFT JOIN own USING (conversation, user, joined)
        WHERE members.conversation = ?1 AND members.user = ?2";
    let place = |row: &Row<'_>| Ok((columns::membership(row)?, columns::cursor(row)?, columns::settings(row)?));
    let Some((membership, cursor, settings)) = views.prepare_cached(sql)?.query_row(key, place).optional()? else {
        return Ok(None);
    };
    let mentions = mentions(views, user, conversation, cursor.read)?;
    let with = if description.kind == Kind::Direct { other(views, user, conversation)? } else { None };
    Ok(Some(InboxRow { description, membership, cursor, settings, mentions, with }))
}

/// A page of the channels whose name or topic holds `query`, which is in lower case.
pub fn channels(
    views: &Connection,
    query: &str,
    after: Option<&(String, ConversationId)>,
    limit: usize,
) -> Result<Vec<Description>> {
    let (name, id) = after.map_or(("", &[][..]), |(name, id)| (name, id.as_bytes()));
    let page = list(views, CHANNELS, params![name, id, query, limit], |row| columns::conversation(row, "id"))?;
    page.into_iter().filter_map(|conversation| describe(views, conversation).transpose()).collect()
}

/// Everything that was projected of a conversation.
pub fn dump(views: &Connection, conversation: ConversationId) -> Result<String> {
    let id = [conversation.as_bytes()];
    let sql = "SELECT * FROM conversations JOIN heads ON conversation = id WHERE id = ?1";
    let dump = views.prepare_cached(sql)?.query_row(id, |row| {
        Ok(Dump {
            kind: columns::maybe_enum(row, "kind")?,
            texts: [row.get("name")?, row.get("topic")?],
            history: columns::maybe_enum(row, "history")?,
            head: columns::head(row)?,
            members: list(views, "SELECT * FROM members WHERE conversation = ?1 ORDER BY user", id, |row| {
                Ok((columns::user(row, "user")?, columns::membership(row)?))
            })?,
            mentions: list(views, "SELECT * FROM mentions WHERE conversation = ?1 ORDER BY user, seq", id, |row| {
                Ok((columns::user(row, "user")?, Seq(row.get("seq")?)))
            })?,
        })
    });
    Ok(dump.optional()?.unwrap_or_default().to_string())
}

fn description(row: &Row<'_>) -> Result<Description> {
    Ok(Description {
        conversation: columns::conversation(row, "id")?,
        kind: columns::get_enum(row, "kind")?,
        name: row.get("name")?,
        topic: row.get("topic")?,
        history: columns::maybe_enum(row, "history")?.unwrap_or(History::All),
        members: row.get("members")?,
        head: columns::head(row)?,
    })
}

fn mentions(views: &Connection, user: UserId, conversation: ConversationId, read: Seq) -> Result<u64> {
    let sql = "SELECT count(*) FROM
        (SELECT 1 FROM mentions WHERE conversation = ?1 AND user = ?2 AND seq > ?3 LIMIT ?4)";
    let after = params![conversation.as_bytes(), user.as_bytes(), read.0, MENTIONS_COUNTED_MAX];
    views.prepare_cached(sql)?.query_row(after, |row| row.get(0))
}

fn other(views: &Connection, user: UserId, conversation: ConversationId) -> Result<Option<UserId>> {
    let sql = "SELECT user FROM members WHERE conversation = ?1 AND user <> ?2 ORDER BY user LIMIT 1";
    let key = [conversation.as_bytes(), user.as_bytes()];
    views.prepare_cached(sql)?.query_row(key, |row| columns::user(row, "user")).optional()
}

fn list<T>(
    views: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    views.prepare_cached(sql)?.query_map(params, read)?.collect()
}
