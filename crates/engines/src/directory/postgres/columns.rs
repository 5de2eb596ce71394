//! How things lie in columns.

use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{Account, Chain, Digest, Invite, Origin, Session};
use tokio_postgres::Row;

use crate::directory::{ROLES, STATES};
use crate::drivers::postgres::columns::{get, number};

/// The value in a column.
pub fn value<T: Copy>(all: &[T], row: &Row, column: &str) -> Result<T, Error> {
    let code: i16 = get(row, column)?;
    let value = usize::try_from(code).ok().and_then(|place| all.get(place).copied());
    value.ok_or_else(|| Error::corrupt(format!("no value of `{column}` has the number {code}")))
}

/// The number of a value as it lies in a column.
pub fn code<T: PartialEq>(all: &[T], value: &T) -> i16 {
    crate::directory::code(all, value) as i16
}

/// The account in a row of them.
pub fn account(row: &Row) -> Result<Account, Error> {
    let origin = get::<Option<String>>(row, "network")?.zip(get::<Option<String>>(row, "origin")?);
    Ok(Account {
        id: user(row, "id")?,
        name: get(row, "name")?,
        display_name: get(row, "display_name")?,
        about: get(row, "about")?,
        role: value(&ROLES, row, "role")?,
        state: value(&STATES, row, "state")?,
        origin: origin.map(|(network, name)| Origin { network, name }),
        created_at: time(row, "created_at")?,
    })
}

/// The session in a row.
pub fn session(row: &Row) -> Result<Session, Error> {
    Ok(Session {
        device: device(row, "device")?,
        user: user(row, "account")?,
        name: get(row, "name")?,
        created_at: time(row, "created_at")?,
        last_used_at: time(row, "last_used_at")?,
    })
}

/// The chain of tokens in the row of a session.
pub fn chain(row: &Row) -> Result<Chain, Error> {
    Ok(Chain {
        secret: digest(row, "secret")?,
        generation: u32::try_from(number(row, "generation")?).map_err(Error::corrupt)?,
        rotated_at: time(row, "rotated_at")?,
    })
}

/// The invite in a row.
pub fn invite(row: &Row) -> Result<Invite, Error> {
    let [uses_left, expires_at] = [get::<Option<i64>>(row, "uses_left")?, get(row, "expires_at")?];
    Ok(Invite {
        id: get(row, "id")?,
        token: digest(row, "token")?,
        made_by: user(row, "made_by")?,
        created_at: time(row, "created_at")?,
        uses_left: uses_left.map(u32::try_from).transpose().map_err(Error::corrupt)?,
        expires_at: expires_at.map(u64::try_from).transpose().map_err(Error::corrupt)?.map(Timestamp),
    })
}

pub fn user(row: &Row, column: &str) -> Result<UserId, Error> {
    get(row, column).map(UserId)
}

pub fn device(row: &Row, column: &str) -> Result<DeviceId, Error> {
    get(row, column).map(DeviceId)
}

pub fn digest(row: &Row, column: &str) -> Result<Digest, Error> {
    get::<&[u8]>(row, column)?.try_into().map(Digest).map_err(Error::corrupt)
}

pub fn time(row: &Row, column: &str) -> Result<Timestamp, Error> {
    number(row, column).map(Timestamp)
}
