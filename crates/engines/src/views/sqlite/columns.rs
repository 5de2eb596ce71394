//! How ids and small enums lie in columns.

use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};
use klatch_ports::views::{Cursor, Head, Membership, Settings};
use rusqlite::Row;
use rusqlite::types::Type;

use crate::views::Code;

/// The enum in this column, or `None` for NULL.
pub(super) fn maybe_enum<T: Code>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let Some(code) = row.get::<_, Option<usize>>(column)? else { return Ok(None) };
    T::ALL.get(code).copied().map(Some).ok_or_else(|| unreadable(row, column, Type::Integer))
}

/// The enum in this column.
pub(super) fn get_enum<T: Code>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    maybe_enum(row, column)?.ok_or_else(|| unreadable(row, column, Type::Null))
}

pub fn conversation(row: &Row<'_>, column: &str) -> rusqlite::Result<ConversationId> {
    Ok(ConversationId::from_bytes(row.get(column)?))
}

pub fn user(row: &Row<'_>, column: &str) -> rusqlite::Result<UserId> {
    Ok(UserId::from_bytes(row.get(column)?))
}

pub fn head(row: &Row<'_>) -> rusqlite::Result<Head> {
    Ok(Head {
        seq: Seq(row.get("seq")?),
        worthy: row.get("worthy")?,
        at: Timestamp(row.get("at")?),
        message: Seq(row.get("message")?),
    })
}

pub fn membership(row: &Row<'_>) -> rusqlite::Result<Membership> {
    Ok(Membership { role: get_enum(row, "role")?, joined: Seq(row.get("joined")?) })
}

/// The cursor, which is nowhere yet where there is no row of one's own.
pub fn cursor(row: &Row<'_>) -> rusqlite::Result<Cursor> {
    let get = |column| Ok::<u64, rusqlite::Error>(row.get::<_, Option<u64>>(column)?.unwrap_or_default());
    Ok(Cursor {
        delivered: Seq(get("delivered")?),
        read: Seq(get("read")?),
        read_worthy: get("read_worthy")?,
        version: get("version")?,
    })
}

/// The settings, which are the default where there is no row of one's own.
pub fn settings(row: &Row<'_>) -> rusqlite::Result<Settings> {
    Ok(Settings {
        notify: maybe_enum(row, "notify")?.unwrap_or_default(),
        favourite: row.get::<_, Option<bool>>("favourite")?.unwrap_or_default(),
    })
}

fn unreadable(row: &Row<'_>, column: &str, found: Type) -> rusqlite::Error {
    match row.as_ref().column_index(column) {
        Ok(index) => rusqlite::Error::FromSqlConversionFailure(index, found, "no such value".into()),
        Err(error) => error,
    }
}
