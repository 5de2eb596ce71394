//! Whom people have blocked.

use async_trait::async_trait;
use klatch_core::ids::{Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::directory::{BLOCKS_PER_ACCOUNT_MAX, Blocks};
use tokio_postgres::types::Type;

use super::columns::user;
use super::{Postgres, lock};
use crate::drivers::postgres::columns::{get, signed};
use crate::drivers::postgres::{Param, step};

#[async_trait]
impl Blocks for Postgres {
    async fn block(&self, user: UserId, other: UserId, now: Timestamp) -> Result<bool, Error> {
        let sql =
            "WITH room AS (SELECT count(*) < $4 AS is_there FROM directory.blocks WHERE account = $1 AND other <> $2),
            made AS (INSERT INTO directory.blocks SELECT $1, $2, $3 FROM room WHERE is_there ON CONFLICT DO NOTHING)
            SELECT is_there FROM room";
        let job = self.0.locking(|transaction| {
            Box::pin(async move {
                lock(transaction, user).await?;
                let (now, most) = (signed(now.0)?, BLOCKS_PER_ACCOUNT_MAX as i64);
                let params: [Param<'_>; 4] =
                    [(&user.0, Type::UUID), (&other.0, Type::UUID), (&now, Type::INT8), (&most, Type::INT8)];
                let rows = step(transaction, sql, &params).await?;
                Ok(rows.first().map_or(Ok(false), |row| get(row, "is_there"))?)
            })
        });
        job.await
    }

    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Error> {
        let sql = "DELETE FROM directory.blocks WHERE account = $1 AND other = $2";
        self.0.query(sql, &[(&user.0, Type::UUID), (&other.0, Type::UUID)]).await.map(drop)
    }

    async fn blocks(&self, of: UserId) -> Result<Vec<UserId>, Error> {
        let sql = "SELECT other FROM directory.blocks WHERE account = $1 ORDER BY other";
        self.0.query(sql, &[(&of.0, Type::UUID)]).await?.iter().map(|row| user(row, "other")).collect()
    }

    async fn blocked(&self, one: UserId, other: UserId) -> Result<bool, Error> {
        let sql = "SELECT FROM directory.blocks WHERE (account = $1 AND other = $2) OR (account = $2 AND other = $1)";
        Ok(!self.0.query(sql, &[(&one.0, Type::UUID), (&other.0, Type::UUID)]).await?.is_empty())
    }
}
