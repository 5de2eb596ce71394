//! How things lie in columns.

use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::directory::{Account, Chain, Digest, Invite, Origin, Session};
use rusqlite::types::Type;
use rusqlite::{Result, Row};
use uuid::Uuid;

use crate::directory::{ROLES, STATES};

/// The value in a column.
pub fn value<T: Copy>(all: &[T], row: &Row<'_>, column: &str) -> Result<T> {
    let code: usize = row.get(column)?;
    let index = row.as_ref().column_index(column)?;
    let unreadable = || rusqlite::Error::FromSqlConversionFailure(index, Type::Integer, "no such value".into());
    all.get(code).copied().ok_or_else(unreadable)
}

/// What of an account makes an [`Account`].
pub const ACCOUNT: &str = "id, name, display_name, about, role, state, network, origin, created_at";

/// The account in a row of [`ACCOUNT`].
pub fn account(row: &Row<'_>) -> Result<Account> {
    let origin = row.get::<_, Option<String>>("network")?.zip(row.get::<_, Option<String>>("origin")?);
    Ok(Account {
        id: user(row, "id")?,
        name: row.get("name")?,
        display_name: row.get("display_name")?,
        about: row.get("about")?,
        role: value(&ROLES, row, "role")?,
        state: value(&STATES, row, "state")?,
        origin: origin.map(|(network, name)| Origin { network, name }),
        created_at: time(row, "created_at")?,
    })
}

/// The session in a row.
pub fn session(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        device: device(row, "device")?,
        user: user(row, "user")?,
        name: row.get("name")?,
        created_at: time(row, "created_at")?,
        last_used_at: time(row, "last_used_at")?,
    })
}

/// The chain of tokens in the row of a session.
pub fn chain(row: &Row<'_>) -> Result<Chain> {
    Ok(Chain {
        secret: Digest(row.get("secret")?),
        generation: row.get("generation")?,
        rotated_at: time(row, "rotated_at")?,
    })
}

/// The invite in a row.
pub fn invite(row: &Row<'_>) -> Result<Invite> {
    Ok(Invite {
        id: Uuid::from_bytes(row.get("id")?),
        token: Digest(row.get("token")?),
        made_by: user(row, "made_by")?,
        created_at: time(row, "created_at")?,
        uses_left: row.get("uses_left")?,
        expires_at: row.get::<_, Option<u64>>("expires_at")?.map(Timestamp),
    })
}

pub fn user(row: &Row<'_>, column: &str) -> Result<UserId> {
    Ok(UserId::from_bytes(row.get(column)?))
}

pub fn device(row: &Row<'_>, column: &str) -> Result<DeviceId> {
    Ok(DeviceId::from_bytes(row.get(column)?))
}

fn time(row: &Row<'_>, column: &str) -> Result<Timestamp> {
    Ok(Timestamp(row.get(column)?))
}
