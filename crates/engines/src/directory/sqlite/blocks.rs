//! Whom people have blocked.

use async_trait::async_trait;
use klatch_core::ids::{Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{BLOCKS_PER_ACCOUNT_MAX, Blocks};
use rusqlite::{Connection, Result, params};

use super::Sqlite;
use super::columns::user;
use crate::drivers::sqlite::Durability::Now;

#[async_trait]
impl Blocks for Sqlite {
    async fn block(&self, user: UserId, other: UserId, now: Timestamp) -> Result<bool, Error> {
        self.0.write(Now, move |db| block(db, user, other, now)).await
    }

    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Error> {
        let sql = "DELETE FROM blocks WHERE user = ?1 AND other = ?2";
        self.0.write(Now, move |db| db.execute(sql, [user.as_bytes(), other.as_bytes()]).map(drop)).await
    }

    async fn blocks(&self, of: UserId) -> Result<Vec<UserId>, Error> {
        let sql = "SELECT other FROM blocks WHERE user = ?1 ORDER BY other";
        let job = move |db: &Connection| {
            db.prepare_cached(sql)?.query_map([of.as_bytes()], |row| user(row, "other"))?.collect()
        };
        self.0.read(job).await
    }

    async fn blocked(&self, one: UserId, other: UserId) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM blocks WHERE (user = ?1 AND other = ?2) OR (user = ?2 AND other = ?1)";
        self.0.read(move |db| db.prepare_cached(sql)?.exists([one.as_bytes(), other.as_bytes()])).await
    }
}

fn block(db: &Connection, user: UserId, other: UserId, now: Timestamp) -> Result<bool> {
    let pair = [user.as_bytes(), other.as_bytes()];
    if db.prepare_cached("SELECT 1 FROM blocks WHERE user = ?1 AND other = ?2")?.exists(pair)? {
        return Ok(true);
    }
    let sql = "SELECT count(*) FROM blocks WHERE user = ?1";
    let count: usize = db.prepare_cached(sql)?.query_row([user.as_bytes()], |row| row.get(0))?;
    if count >= BLOCKS_PER_ACCOUNT_MAX {
        return Ok(false);
    }
    let sql = "INSERT INTO blocks (user, other, at) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![user.as_bytes(), other.as_bytes(), now.0])?;
    Ok(true)
}
