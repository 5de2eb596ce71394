//! What is a member's own: cursor and settings, one row a membership, made when there is something to keep.

use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::views::{self, Cursor, Settings};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::columns;
use crate::views::Code;

/// What is a member's own.
pub struct Own {
    /// The membership it belongs to, known by the event with which it began.
    joined: Seq,
    cursor: Cursor,
    settings: Settings,
    /// How often they were set.
    set: u64,
    /// The last event that moved the cursor because they wrote it.
    wrote: Seq,
}

/// Moves somebody's cursor as far as it can be moved. `None` if they are no member.
pub fn move_cursor(
    views: &Connection,
    user: UserId,
    conversation: ConversationId,
    to: Cursor,
) -> Result<Option<Cursor>> {
    let Some(own) = load(views, user, conversation)? else { return Ok(None) };
    let cursor = own.cursor.moved(to);
    if cursor != own.cursor {
        save(views, user, conversation, &Own { cursor, ..own })?;
    }
    Ok(Some(cursor))
}

/// Sets somebody's settings. False if they are no member.
pub fn set_settings(
    views: &Connection,
    user: UserId,
    conversation: ConversationId,
    settings: Settings,
) -> Result<bool> {
    let Some(own) = load(views, user, conversation)? else { return Ok(false) };
    save(views, user, conversation, &Own { settings, set: own.set + 1, ..own })?;
    Ok(true)
}

/// Somebody wrote, and so has read up to there.
pub fn wrote(views: &Connection, user: UserId, conversation: ConversationId, seq: Seq, worthy: u64) -> Result<()> {
    match load(views, user, conversation)? {
        Some(own) if own.wrote < seq => {
            let cursor = own.cursor.wrote(seq, worthy);
            save(views, user, conversation, &Own { cursor, wrote: seq, ..own })
        }
        _ => Ok(()),
    }
}

/// A replay says that somebody wrote, and so has read up to there.
pub fn replayed(views: &Connection, user: UserId, conversation: ConversationId, seq: Seq, worthy: u64) -> Result<()> {
    match load(views, user, conversation)? {
        Some(own) if own.wrote < seq => {
            let cursor = own.cursor.replayed(seq, worthy);
            save(views, user, conversation, &Own { cursor, wrote: seq, ..own })
        }
        _ => Ok(()),
    }
}

/// Forgets what a member had, who is about to be none.
pub fn forget(views: &Connection, user: UserId, conversation: ConversationId) -> Result<()> {
    let sql = "DELETE FROM own WHERE conversation = ?1 AND user = ?2
        AND joined = (SELECT joined FROM members WHERE conversation = ?1 AND user = ?2)";
    views.prepare_cached(sql)?.execute([conversation.as_bytes(), user.as_bytes()])?;
    Ok(())
}

/// What is members' own, in order.
pub fn list(db: &Connection, after: Option<(ConversationId, UserId)>, limit: usize) -> Result<Vec<views::Own>> {
    let columns =
        "SELECT conversation, user, delivered, read, read_worthy, version, notify, favourite, times_set FROM own
        JOIN members USING (conversation, user, joined)";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(views::Own {
            conversation: ConversationId::from_bytes(row.get("conversation")?),
            user: UserId::from_bytes(row.get("user")?),
            cursor: columns::cursor(row)?,
            settings: columns::settings(row)?,
            set: row.get("times_set")?,
        })
    };
    let order = "ORDER BY own.conversation, own.user LIMIT";
    let Some((conversation, user)) = after else {
        return db.prepare_cached(&format!("{columns} {order} ?1"))?.query_map([limit], read)?.collect();
    };
    let sql = format!("{columns} WHERE (own.conversation, own.user) > (?1, ?2) {order} ?3");
    db.prepare_cached(&sql)?.query_map(params![conversation.as_bytes(), user.as_bytes(), limit], read)?.collect()
}

/// Sets what is a member's own, whatever there was.
pub fn take(db: &Connection, taken: &views::Own) -> Result<()> {
    let views::Own { conversation, user, cursor, settings, set } = *taken;
    match load(db, user, conversation)? {
        Some(own) => save(db, user, conversation, &Own { cursor, settings, set, ..own }),
        None => Ok(()),
    }
}

/// Takes from a copy of what is a member's own what is later.
pub fn merge(db: &Connection, copy: &views::Own) -> Result<()> {
    let views::Own { conversation, user, cursor, settings, set } = *copy;
    let Some(own) = load(db, user, conversation)? else { return Ok(()) };
    let (settings, set) = if set > own.set { (settings, set) } else { (own.settings, own.set) };
    save(db, user, conversation, &Own { cursor: own.cursor.merged(cursor), settings, set, ..own })
}

fn load(views: &Connection, user: UserId, conversation: ConversationId) -> Result<Option<Own>> {
    let sql =
        "SELECT members.joined, delivered, read, read_worthy, version, wrote, notify, favourite, times_set FROM members
        LEFT JOIN own USING (conversation, user, joined) WHERE members.conversation = ?1 AND members.user = ?2";
    let own = |row: &rusqlite::Row<'_>| {
        Ok(Own {
            joined: Seq(row.get("joined")?),
            cursor: columns::cursor(row)?,
            settings: columns::settings(row)?,
            set: row.get::<_, Option<u64>>("times_set")?.unwrap_or_default(),
            wrote: Seq(row.get::<_, Option<u64>>("wrote")?.unwrap_or_default()),
        })
    };
    views.prepare_cached(sql)?.query_row([conversation.as_bytes(), user.as_bytes()], own).optional()
}

fn save(views: &Connection, user: UserId, conversation: ConversationId, own: &Own) -> Result<()> {
    let Own { joined, cursor, settings, set, wrote } = own;
    let sql = "INSERT OR REPLACE INTO own
        (conversation, user, joined, delivered, read, read_worthy, version, wrote, notify, favourite, times_set)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    views.prepare_cached(sql)?.execute(params![
        conversation.as_bytes(),
        user.as_bytes(),
        joined.0,
        cursor.delivered.0,
        cursor.read.0,
        cursor.read_worthy,
        cursor.version,
        wrote.0,
        settings.notify.code(),
        settings.favourite,
        set,
    ])?;
    Ok(())
}
