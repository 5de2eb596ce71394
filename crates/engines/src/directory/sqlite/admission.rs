//! What lets somebody in who has no password yet, or no longer.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{Admission, Admissions, Digest, INVITES_MAX, Invite, PasswordHash};
use rusqlite::{Connection, OptionalExtension, Result, params};
use uuid::Uuid;

use super::columns::{invite, user};
use super::{Sqlite, accounts};
use crate::drivers::sqlite::Durability::Now;

#[async_trait]
impl Admissions for Sqlite {
    async fn add_invite(&self, invite: Invite) -> Result<bool, Error> {
        self.0.write(Now, move |db| add_invite(db, &invite)).await
    }

    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>, Error> {
        let sql = "SELECT * FROM invites ORDER BY created_at DESC, id DESC";
        let job = move |db: &Connection| db.prepare_cached(sql)?.query_map([], invite)?.collect::<Result<Vec<_>>>();
        let mut invites = self.0.read(job).await?;
        invites.retain(|invite| invite.is_good(now));
        Ok(invites)
    }

    async fn remove_invite(&self, id: Uuid) -> Result<bool, Error> {
        let job = move |db: &Connection| Ok(db.execute("DELETE FROM invites WHERE id = ?1", [id.as_bytes()])? > 0);
        self.0.write(Now, job).await
    }

    async fn admits(&self, admission: Admission, now: Timestamp) -> Result<bool, Error> {
        self.0.read(move |db| admits(db, admission, now)).await
    }

    async fn set_claim(&self, claim: Digest, expires_at: Timestamp) -> Result<(), Error> {
        let sql = "INSERT OR REPLACE INTO claims (only, token, expires_at) VALUES (1, ?1, ?2)";
        self.0.write(Now, move |db| db.execute(sql, params![claim.0, expires_at.0]).map(drop)).await
    }

    async fn set_reset(&self, user: UserId, token: Digest, expires_at: Timestamp) -> Result<bool, Error> {
        let sql = "INSERT OR REPLACE INTO resets (user, token, expires_at)
            SELECT id, ?2, ?3 FROM accounts WHERE id = ?1 AND state = 0";
        let job = move |db: &Connection| Ok(db.execute(sql, params![user.as_bytes(), token.0, expires_at.0])? > 0);
        self.0.write(Now, job).await
    }

    async fn reset(&self, token: Digest, now: Timestamp) -> Result<Option<UserId>, Error> {
        self.0.read(move |db| reset(db, token, now)).await
    }

    async fn redeem_reset(
        &self,
        token: Digest,
        password: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<(UserId, Vec<DeviceId>)>, Error> {
        self.0.write(Now, move |db| redeem_reset(db, token, &password, now)).await
    }
}

fn add_invite(db: &Connection, invite: &Invite) -> Result<bool> {
    forget_used_up(db, invite.created_at)?;
    let count: usize = db.query_row("SELECT count(*) FROM invites", [], |row| row.get(0))?;
    if count >= INVITES_MAX {
        return Ok(false);
    }
    let sql =
        "INSERT INTO invites (id, token, made_by, created_at, uses_left, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.execute(
        sql,
        params![
            invite.id.as_bytes(),
            invite.token.0,
            invite.made_by.as_bytes(),
            invite.created_at.0,
            invite.uses_left,
            invite.expires_at.map(|at| at.0)
        ],
    )?;
    Ok(true)
}

/// Forgets invites that let nobody in any more.
pub fn forget_used_up(db: &Connection, now: Timestamp) -> Result<()> {
    db.execute("DELETE FROM invites WHERE uses_left = 0 OR expires_at <= ?1", [now.0]).map(drop)
}

pub fn admits(db: &Connection, admission: Admission, now: Timestamp) -> Result<bool> {
    match admission {
        Admission::Open => Ok(true),
        Admission::Invite(token) => {
            let found = db.prepare_cached("SELECT * FROM invites WHERE token = ?1")?.query_row([token.0], invite);
            Ok(found.optional()?.is_some_and(|invite| invite.is_good(now)))
        }
        Admission::Claim(token) => {
            let sql = "SELECT 1 FROM claims WHERE token = ?1 AND expires_at > ?2";
            db.prepare_cached(sql)?.exists(params![token.0, now.0])
        }
    }
}

/// Uses up what has just let somebody in.
pub fn use_up(db: &Connection, admission: Admission) -> Result<()> {
    match admission {
        Admission::Open => Ok(()),
        Admission::Invite(token) => {
            let sql = "UPDATE invites SET uses_left = uses_left - 1 WHERE token = ?1 AND uses_left > 0";
            db.prepare_cached(sql)?.execute([token.0]).map(drop)
        }
        Admission::Claim(_) => db.execute("DELETE FROM claims", []).map(drop),
    }
}

fn reset(db: &Connection, token: Digest, now: Timestamp) -> Result<Option<UserId>> {
    let sql = "SELECT user FROM resets WHERE token = ?1 AND expires_at > ?2";
    db.prepare_cached(sql)?.query_row(params![token.0, now.0], |row| user(row, "user")).optional()
}

fn redeem_reset(
    db: &Connection,
    token: Digest,
    password: &PasswordHash,
    now: Timestamp,
) -> Result<Option<(UserId, Vec<DeviceId>)>> {
    let Some(user) = reset(db, token, now)? else { return Ok(None) };
    db.execute("DELETE FROM resets WHERE user = ?1", [user.as_bytes()])?;
    Ok(Some((user, accounts::set_password(db, user, password, None)?)))
}
