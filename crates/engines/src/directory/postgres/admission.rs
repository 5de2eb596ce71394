//! What lets somebody in who has no password yet, or no longer.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{Admission, Admissions, Digest, INVITES_MAX, Invite, PasswordHash};
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::columns::{invite, user};
use super::{Postgres, accounts};
use crate::drivers::postgres::columns::signed;
use crate::drivers::postgres::{Failure, Param, step};

/// Forgets invites that let nobody in any more, at the time `$1`.
pub const FORGET_USED_UP: &str = "DELETE FROM directory.invites WHERE uses_left = 0 OR expires_at <= $1";

#[async_trait]
impl Admissions for Postgres {
    async fn add_invite(&self, invite: Invite) -> Result<bool, Error> {
        let job = self.0.locking(|transaction| {
            let invite = invite.clone();
            Box::pin(async move { add_invite(transaction, &invite).await })
        });
        job.await
    }

    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>, Error> {
        let sql = "SELECT * FROM directory.invites ORDER BY created_at DESC, id DESC";
        let invites: Result<Vec<_>, _> = self.0.query(sql, &[]).await?.iter().map(invite).collect();
        let mut invites = invites?;
        invites.retain(|invite| invite.is_good(now));
        Ok(invites)
    }

    async fn remove_invite(&self, id: Uuid) -> Result<bool, Error> {
        let sql = "DELETE FROM directory.invites WHERE id = $1 RETURNING 1";
        Ok(!self.0.query(sql, &[(&id, Type::UUID)]).await?.is_empty())
    }

    async fn admits(&self, admission: Admission, now: Timestamp) -> Result<bool, Error> {
        let (sql, token) = match admission {
            Admission::Open => return Ok(true),
            Admission::Invite(token) => (
                "SELECT FROM directory.invites WHERE token = $1 AND uses_left IS DISTINCT FROM 0
                    AND (expires_at IS NULL OR expires_at > $2)",
                token,
            ),
            Admission::Claim(token) => ("SELECT FROM directory.claims WHERE token = $1 AND expires_at > $2", token),
        };
        let now = signed(now.0)?;
        Ok(!self.0.query(sql, &[(&&token.0[..], Type::BYTEA), (&now, Type::INT8)]).await?.is_empty())
    }

    async fn set_claim(&self, claim: Digest, expires_at: Timestamp) -> Result<(), Error> {
        let sql = "INSERT INTO directory.claims (token, expires_at) VALUES ($1, $2)
            ON CONFLICT (one) DO UPDATE SET token = $1, expires_at = $2";
        let expires_at = signed(expires_at.0)?;
        self.0.query(sql, &[(&&claim.0[..], Type::BYTEA), (&expires_at, Type::INT8)]).await.map(drop)
    }

    async fn set_reset(&self, user: UserId, token: Digest, expires_at: Timestamp) -> Result<bool, Error> {
        // The lock is waited for, and the account looked at again then: it may have been closed meanwhile.
        let sql = "WITH active AS (SELECT id FROM directory.accounts WHERE id = $1 AND state = 0 FOR UPDATE)
            INSERT INTO directory.resets (account, token, expires_at) SELECT id, $2, $3 FROM active
            ON CONFLICT (account) DO UPDATE SET token = $2, expires_at = $3 RETURNING 1";
        let expires_at = signed(expires_at.0)?;
        let params: [Param<'_>; 3] = [(&user.0, Type::UUID), (&&token.0[..], Type::BYTEA), (&expires_at, Type::INT8)];
        Ok(!self.0.query(sql, &params).await?.is_empty())
    }

    async fn reset(&self, token: Digest, now: Timestamp) -> Result<Option<UserId>, Error> {
        let sql = "SELECT account FROM directory.resets WHERE token = $1 AND expires_at > $2";
        let now = signed(now.0)?;
        let rows = self.0.query(sql, &[(&&token.0[..], Type::BYTEA), (&now, Type::INT8)]).await?;
        rows.first().map(|row| user(row, "account")).transpose()
    }

    async fn redeem_reset(
        &self,
        token: Digest,
        password: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<(UserId, Vec<DeviceId>)>, Error> {
        let job = self.0.locking(|transaction| {
            let password = password.clone();
            Box::pin(async move { redeem_reset(transaction, token, &password, now).await })
        });
        job.await
    }
}

async fn add_invite(transaction: &Transaction<'_>, invite: &Invite) -> Result<bool, Failure> {
    // One at a time, so that they can be counted; nobody is kept from reading.
    step(transaction, "LOCK TABLE directory.invites IN SHARE ROW EXCLUSIVE MODE", &[]).await?;
    let at = signed(invite.created_at.0)?;
    step(transaction, FORGET_USED_UP, &[(&at, Type::INT8)]).await?;
    let sql = "INSERT INTO directory.invites (id, token, made_by, created_at, uses_left, expires_at)
        SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM directory.invites) < $7 RETURNING 1";
    let (token, uses_left, most) = (&invite.token.0[..], invite.uses_left.map(i64::from), INVITES_MAX as i64);
    let expires_at = invite.expires_at.map(|at| signed(at.0)).transpose()?;
    let params: [Param<'_>; 7] = [
        (&invite.id, Type::UUID),
        (&token, Type::BYTEA),
        (&invite.made_by.0, Type::UUID),
        (&at, Type::INT8),
        (&uses_left, Type::INT8),
        (&expires_at, Type::INT8),
        (&most, Type::INT8),
    ];
    Ok(!step(transaction, sql, &params).await?.is_empty())
}

/// Uses up what is to let somebody in. False if it does not.
pub async fn use_up(transaction: &Transaction<'_>, admission: Admission, now: Timestamp) -> Result<bool, Failure> {
    let (sql, token) = match admission {
        Admission::Open => return Ok(true),
        Admission::Invite(token) => (
            "UPDATE directory.invites SET uses_left = uses_left - 1 WHERE token = $1 AND uses_left IS DISTINCT FROM 0
                AND (expires_at IS NULL OR expires_at > $2) RETURNING 1",
            token,
        ),
        Admission::Claim(token) => {
            ("DELETE FROM directory.claims WHERE token = $1 AND expires_at > $2 RETURNING 1", token)
        }
    };
    let now = signed(now.0)?;
    Ok(!step(transaction, sql, &[(&&token.0[..], Type::BYTEA), (&now, Type::INT8)]).await?.is_empty())
}

async fn redeem_reset(
    transaction: &Transaction<'_>,
    token: Digest,
    password: &PasswordHash,
    now: Timestamp,
) -> Result<Option<(UserId, Vec<DeviceId>)>, Failure> {
    let (token, now) = (&token.0[..], signed(now.0)?);
    let params: [Param<'_>; 2] = [(&token, Type::BYTEA), (&now, Type::INT8)];
    // Whose it is, to lock the account; then, as it is now, the token is used up.
    let sql = "SELECT account FROM directory.resets WHERE token = $1 AND expires_at > $2";
    let found = step(transaction, sql, &params).await?;
    let Some(user) = found.first().map(|row| user(row, "account")).transpose()? else { return Ok(None) };
    if super::lock(transaction, user).await?.is_none() {
        return Ok(None);
    }
    let sql = "DELETE FROM directory.resets WHERE token = $1 AND expires_at > $2 RETURNING 1";
    if step(transaction, sql, &params).await?.is_empty() {
        return Ok(None);
    }
    Ok(Some((user, accounts::replace_password(transaction, user, password, None).await?)))
}
