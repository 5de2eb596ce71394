//! What is a member's own: cursor and settings, one row a membership, made when there is something to keep.

use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::views::{Cursor, Settings};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::columns::{self, Code};

/// What is a member's own.
pub struct Own {
    /// The membership it belongs to, known by the event with which it began.
    joined: Seq,
    cursor: Cursor,
    settings: Settings,
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
    save(views, user, conversation, &Own { settings, ..own })?;
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

/// Forgets what a member had, who is about to be none.
pub fn forget(views: &Connection, user: UserId, conversation: ConversationId) -> Result<()> {
    let sql = "DELETE FROM own WHERE conversation = ?1 AND user = ?2
        AND joined = (SELECT joined FROM members WHERE conversation = ?1 AND user = ?2)";
    views.prepare_cached(sql)?.execute([conversation.as_bytes(), user.as_bytes()])?;
    Ok(())
}

fn load(views: &Connection, user: UserId, conversation: ConversationId) -> Result<Option<Own>> {
    let sql = "SELECT members.joined, delivered, read, read_worthy, version, wrote, notify, favourite FROM members
        LEFT JOIN own USING (conversation, user, joined) WHERE members.conversation = ?1 AND members.user = ?2";
    let own = |row: &rusqlite::Row<'_>| {
        Ok(Own {
            joined: Seq(row.get("joined")?),
            cursor: columns::cursor(row)?,
            settings: columns::settings(row)?,
            wrote: Seq(row.get::<_, Option<u64>>("wrote")?.unwrap_or_default()),
        })
    };
    views.prepare_cached(sql)?.query_row([conversation.as_bytes(), user.as_bytes()], own).optional()
}

fn save(views: &Connection, user: UserId, conversation: ConversationId, own: &Own) -> Result<()> {
    let Own { joined, cursor, settings, wrote } = own;
    let sql = "INSERT OR REPLACE INTO own
        (conversation, user, joined, delivered, read, read_worthy, version, wrote, notify, favourite)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
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
    ])?;
    Ok(())
}
