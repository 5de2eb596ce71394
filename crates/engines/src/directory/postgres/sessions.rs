//! Sessions.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{
    Chain, Digest, NewSession, Opened, Presented, Rotation, SESSIONS_PER_ACCOUNT_MAX, Session, Sessions,
};
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::columns::{chain, device, session};
use super::{Postgres, lock};
use crate::drivers::postgres::columns::signed;
use crate::drivers::postgres::{Failure, Param, step};

#[async_trait]
impl Sessions for Postgres {
    async fn open_session(&self, new: NewSession) -> Result<Opened, Error> {
        let job = self.0.locking(|transaction| {
            let new = new.clone();
            Box::pin(async move { open(transaction, &new).await })
        });
        job.await
    }

    async fn session(&self, device: DeviceId) -> Result<Option<Session>, Error> {
        let sql = "SELECT * FROM directory.sessions WHERE device = $1";
        self.0.query(sql, &[(&device.0, Type::UUID)]).await?.first().map(session).transpose()
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, Error> {
        let sql = "SELECT * FROM directory.sessions WHERE account = $1 ORDER BY last_used_at DESC, device DESC";
        self.0.query(sql, &[(&user.0, Type::UUID)]).await?.iter().map(session).collect()
    }

    async fn rotate(
        &self,
        device: DeviceId,
        secret: Digest,
        generation: u32,
        now: Timestamp,
    ) -> Result<Rotation, Error> {
        let job = self
            .0
            .locking(|transaction| Box::pin(async move { rotate(transaction, device, secret, generation, now).await }));
        job.await
    }

    async fn end_session(&self, user: UserId, device: DeviceId) -> Result<bool, Error> {
        let sql = "DELETE FROM directory.sessions WHERE device = $1 AND account = $2 RETURNING 1";
        Ok(!self.0.query(sql, &[(&device.0, Type::UUID), (&user.0, Type::UUID)]).await?.is_empty())
    }
}

async fn open(transaction: &Transaction<'_>, new: &NewSession) -> Result<Opened, Failure> {
    if lock(transaction, new.user).await?.is_none() {
        return Ok(Opened::NotActive);
    }
    let sql = "DELETE FROM directory.sessions WHERE device IN (SELECT device FROM directory.sessions
        WHERE account = $1 ORDER BY last_used_at DESC, device DESC OFFSET $2) RETURNING device";
    let kept = SESSIONS_PER_ACCOUNT_MAX as i64 - 1;
    let rested = step(transaction, sql, &[(&new.user.0, Type::UUID), (&kept, Type::INT8)]).await?;
    let Chain { secret, generation, rotated_at } = Chain::new(new.secret, new.at);
    let sql = "INSERT INTO directory.sessions (device, account, name, secret, generation, rotated_at, created_at, last_used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6, $6)";
    let (secret, generation, at) = (&secret.0[..], i64::from(generation), signed(rotated_at.0)?);
    let params: [Param<'_>; 6] = [
        (&new.device.0, Type::UUID),
        (&new.user.0, Type::UUID),
        (&new.name, Type::TEXT),
        (&secret, Type::BYTEA),
        (&generation, Type::INT8),
        (&at, Type::INT8),
    ];
    step(transaction, sql, &params).await?;
    Ok(Opened::Now(rested.iter().map(|row| device(row, "device")).collect::<Result<_, _>>()?))
}

async fn rotate(
    transaction: &Transaction<'_>,
    device: DeviceId,
    secret: Digest,
    generation: u32,
    now: Timestamp,
) -> Result<Rotation, Failure> {
    let sql = "SELECT * FROM directory.sessions WHERE device = $1 FOR UPDATE";
    let found = step(transaction, sql, &[(&device.0, Type::UUID)]).await?;
    let Some(row) = found.first() else { return Ok(Rotation::Unknown) };
    let (mut session, mut chain) = (session(row)?, chain(row)?);
    Ok(match chain.present(secret, generation, now) {
        Presented::Current | Presented::Before => {
            session.last_used_at = now;
            let sql =
                "UPDATE directory.sessions SET generation = $2, rotated_at = $3, last_used_at = $4 WHERE device = $1";
            let generation = i64::from(chain.generation);
            let (rotated_at, now) = (signed(chain.rotated_at.0)?, signed(now.0)?);
            let params: [Param<'_>; 4] =
                [(&device.0, Type::UUID), (&generation, Type::INT8), (&rotated_at, Type::INT8), (&now, Type::INT8)];
            step(transaction, sql, &params).await?;
            Rotation::Current { session, generation: chain.generation }
        }
        Presented::Foreign => Rotation::Unknown,
        Presented::Reused => {
            let sql = "DELETE FROM directory.sessions WHERE device = $1";
            step(transaction, sql, &[(&device.0, Type::UUID)]).await?;
            Rotation::Reused(session)
        }
    })
}

/// Ends all sessions of an account, which is locked, but one; those that ended.
pub async fn end_all(
    transaction: &Transaction<'_>,
    user: UserId,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, Failure> {
    let sql = "DELETE FROM directory.sessions WHERE account = $1 AND device IS DISTINCT FROM $2 RETURNING device";
    let keep = keep.map(|device| device.0);
    let ended = step(transaction, sql, &[(&user.0, Type::UUID), (&keep, Type::UUID)]).await?;
    Ok(ended.iter().map(|row| device(row, "device")).collect::<Result<_, _>>()?)
}
