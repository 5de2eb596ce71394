//! Sessions.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{
    Chain, Digest, NewSession, Opened, Presented, Rotation, SESSIONS_PER_ACCOUNT_MAX, Session, Sessions,
};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::Sqlite;
use super::columns::{chain, device, session};
use crate::drivers::sqlite::Durability::Now;

#[async_trait]
impl Sessions for Sqlite {
    async fn open_session(&self, new: NewSession) -> Result<Opened, Error> {
        self.0.write(Now, move |db| open(db, &new)).await
    }

    async fn session(&self, device: DeviceId) -> Result<Option<Session>, Error> {
        let sql = "SELECT * FROM sessions WHERE device = ?1";
        self.0.read(move |db| db.prepare_cached(sql)?.query_row([device.as_bytes()], session).optional()).await
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, Error> {
        let sql = "SELECT * FROM sessions WHERE user = ?1 ORDER BY last_used_at DESC, device DESC";
        self.0.read(move |db| db.prepare_cached(sql)?.query_map([user.as_bytes()], session)?.collect()).await
    }

    async fn rotate(
        &self,
        device: DeviceId,
        secret: Digest,
        generation: u32,
        now: Timestamp,
    ) -> Result<Rotation, Error> {
        self.0.write(Now, move |db| rotate(db, device, secret, generation, now)).await
    }

    async fn end_session(&self, user: UserId, device: DeviceId) -> Result<bool, Error> {
        let sql = "DELETE FROM sessions WHERE device = ?1 AND user = ?2";
        let job = move |db: &Connection| {
            Ok(db.prepare_cached(sql)?.execute([device.as_bytes().as_slice(), user.as_bytes().as_slice()])? > 0)
        };
        self.0.write(Now, job).await
    }
}

fn open(db: &Connection, new: &NewSession) -> Result<Opened> {
    let sql = "SELECT 1 FROM accounts WHERE id = ?1 AND state = 0";
    if !db.prepare_cached(sql)?.exists([new.user.as_bytes()])? {
        return Ok(Opened::NotActive);
    }
    let sql = "DELETE FROM sessions WHERE device IN (
            SELECT device FROM sessions WHERE user = ?1 ORDER BY last_used_at DESC, device DESC LIMIT -1 OFFSET ?2
        ) RETURNING device";
    let rested = db
        .prepare_cached(sql)?
        .query_map(params![new.user.as_bytes(), SESSIONS_PER_ACCOUNT_MAX - 1], |row| device(row, "device"))?
        .collect::<Result<_>>()?;
    let Chain { secret, generation, rotated_at } = Chain::new(new.secret, new.at);
    let sql = "INSERT INTO sessions (device, user, name, secret, generation, rotated_at, created_at, last_used_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
    db.prepare_cached(sql)?.execute(params![
        new.device.as_bytes(),
        new.user.as_bytes(),
        new.name,
        secret.0,
        generation,
        rotated_at.0,
        new.at.0
    ])?;
    Ok(Opened::Now(rested))
}

fn rotate(db: &Connection, device: DeviceId, secret: Digest, generation: u32, now: Timestamp) -> Result<Rotation> {
    let sql = "SELECT * FROM sessions WHERE device = ?1";
    let found = db.prepare_cached(sql)?.query_row([device.as_bytes()], |row| Ok((session(row)?, chain(row)?)));
    let Some((mut session, mut chain)) = found.optional()? else { return Ok(Rotation::Unknown) };
    Ok(match chain.present(secret, generation, now) {
        Presented::Current | Presented::Before => {
            session.last_used_at = now;
            let sql = "UPDATE sessions SET generation = ?2, rotated_at = ?3, last_used_at = ?4 WHERE device = ?1";
            let values = params![device.as_bytes(), chain.generation, chain.rotated_at.0, now.0];
            db.prepare_cached(sql)?.execute(values)?;
            Rotation::Current { session, generation: chain.generation }
        }
        Presented::Foreign => Rotation::Unknown,
        Presented::Reused => {
            db.prepare_cached("DELETE FROM sessions WHERE device = ?1")?.execute([device.as_bytes()])?;
            Rotation::Reused(session)
        }
    })
}

/// Ends all sessions of an account but one; those that ended.
pub fn end_all(db: &Connection, user: UserId, keep: Option<DeviceId>) -> Result<Vec<DeviceId>> {
    // No device has an id of no bytes.
    let keep = keep.as_ref().map_or(&[][..], |device| device.as_bytes());
    let sql = "DELETE FROM sessions WHERE user = ?1 AND device != ?2 RETURNING device";
    db.prepare_cached(sql)?.query_map(params![user.as_bytes(), keep], |row| device(row, "device"))?.collect()
}
