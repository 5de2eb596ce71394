//! [`Directory`] on PostgreSQL. **Distributed**: several processes ask and write at once.
//!
//! A step that must be one is one statement, or one transaction that begins by locking the account that it is about: so steps of an
//! account follow one another, and each is committed and durable before it is answered. Nothing is kept between calls, here or in a
//! session: what was revoked is gone for everybody with the answer, and a pooler such as PgBouncer may stand between. The database
//! must be one of UTF-8.

mod accounts;
mod admission;
mod answers;
mod attendance;
mod blocks;
mod columns;
mod import;
mod moving;
mod sessions;
mod site;

use async_trait::async_trait;
use klatch_core::ids::{Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{ANSWER_KEPT_MS, ATTENDANCE_KEPT_MS, Account, Directory, SESSION_IDLE_MS};
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::drivers::postgres::columns::signed;
use crate::drivers::postgres::{Database, Failure, Param, Schema, step};

/// Rows that are forgotten at a time, so that nobody waits for long.
const PRUNED_MAX: i64 = 5_000;

/// The engine.
pub struct Postgres(Database);

impl Postgres {
    /// The tables that it needs.
    pub const SCHEMA: Schema = Schema {
        name: "directory",
        migrations: &[
            include_str!("postgres/migrations/001_directory.sql"),
            include_str!("postgres/migrations/002_standing.sql"),
        ],
    };

    /// Opens the directory in this database, which was prepared for [`Postgres::SCHEMA`].
    ///
    /// # Errors
    /// `Broken`, with a sentence that says what to do: it was not. `Unavailable`.
    pub async fn open(database: Database) -> Result<Self, Error> {
        database.expect(&Self::SCHEMA).await?;
        Ok(Self(database))
    }

    /// Does this, which deletes at most `$2` rows that are not later than `$1`, until there are none left.
    async fn prune_all(&self, statement: &str, until: u64) -> Result<(), Error> {
        let until = signed(until)?;
        let params: [Param<'_>; 2] = [(&until, Type::INT8), (&PRUNED_MAX, Type::INT8)];
        while self.0.query(statement, &params).await?.len() as i64 == PRUNED_MAX {}
        Ok(())
    }
}

#[async_trait]
impl Directory for Postgres {
    async fn prune(&self, now: Timestamp) -> Result<(), Error> {
        let answers = "DELETE FROM directory.answers WHERE (account, key) IN
            (SELECT account, key FROM directory.answers WHERE begun_at <= $1 LIMIT $2) AND begun_at <= $1 RETURNING 1";
        let resets = "DELETE FROM directory.resets WHERE account IN
            (SELECT account FROM directory.resets WHERE expires_at <= $1 LIMIT $2) AND expires_at <= $1 RETURNING 1";
        let sessions = "DELETE FROM directory.sessions WHERE device IN
            (SELECT device FROM directory.sessions WHERE last_used_at <= $1 LIMIT $2) AND last_used_at <= $1 RETURNING 1";
        let processes = "DELETE FROM directory.attending WHERE process IN
            (SELECT process FROM directory.attending WHERE at <= $1 LIMIT $2) AND at <= $1 RETURNING 1";
        self.prune_all(processes, now.0.saturating_sub(ATTENDANCE_KEPT_MS)).await?;
        self.prune_all(answers, now.0.saturating_sub(ANSWER_KEPT_MS)).await?;
        self.prune_all(resets, now.0).await?;
        self.prune_all(sessions, now.0.saturating_sub(SESSION_IDLE_MS)).await?;
        let now = signed(now.0)?;
        self.0.query(admission::FORGET_USED_UP, &[(&now, Type::INT8)]).await.map(drop)
    }
}

/// Locks an active account until the transaction ends. `None` if there is none.
async fn lock(transaction: &Transaction<'_>, user: UserId) -> Result<Option<Account>, Failure> {
    let sql = "SELECT * FROM directory.accounts WHERE id = $1 AND state = 0 FOR UPDATE";
    let rows = step(transaction, sql, &[(&user.0, Type::UUID)]).await?;
    Ok(rows.first().map(columns::account).transpose()?)
}

#[cfg(test)]
mod tests;
