//! How ids and small enums lie in columns.

use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::views::{Cursor, Head, Membership, Settings};
use tokio_postgres::Row;

use crate::drivers::postgres::columns::{get, number};
use crate::views::Code;

/// An enum's number as it lies in a column.
pub(super) fn code(value: impl Code) -> i16 {
    value.code() as i16
}

/// The enum of this number, or `None` for NULL.
pub(super) fn maybe_enum<T: Code>(row: &Row, column: &str) -> Result<Option<T>, Error> {
    get::<Option<i16>>(row, column)?.map(value).transpose()
}

/// The enum in this column.
pub(super) fn get_enum<T: Code>(row: &Row, column: &str) -> Result<T, Error> {
    value(get(row, column)?)
}

/// The enum of this number.
pub(super) fn value<T: Code>(code: i16) -> Result<T, Error> {
    let value = usize::try_from(code).ok().and_then(|place| T::ALL.get(place).copied());
    value.ok_or_else(|| Error::corrupt(format!("no value has the number {code}")))
}

pub fn conversation(row: &Row, column: &str) -> Result<ConversationId, Error> {
    get(row, column).map(ConversationId)
}

pub fn user(row: &Row, column: &str) -> Result<UserId, Error> {
    get(row, column).map(UserId)
}

pub fn head(row: &Row) -> Result<Head, Error> {
    Ok(Head {
        seq: Seq(number(row, "seq")?),
        worthy: number(row, "worthy")?,
        at: Timestamp(number(row, "at")?),
        message: Seq(number(row, "message")?),
    })
}

pub fn membership(row: &Row) -> Result<Membership, Error> {
    Ok(Membership { role: get_enum(row, "role")?, joined: Seq(number(row, "joined")?) })
}

pub fn cursor(row: &Row) -> Result<Cursor, Error> {
    Ok(Cursor {
        delivered: Seq(number(row, "delivered")?),
        read: Seq(number(row, "read")?),
        read_worthy: number(row, "read_worthy")?,
        version: number(row, "version")?,
    })
}

pub fn settings(row: &Row) -> Result<Settings, Error> {
    Ok(Settings { notify: get_enum(row, "notify")?, favourite: get(row, "favourite")? })
}
