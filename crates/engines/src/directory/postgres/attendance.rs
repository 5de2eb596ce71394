//! Who works for the site. Whoever begins to holds the row of the standing until that is committed: who changes it then sees them.

use async_trait::async_trait;
use klatch_core::ids::Timestamp;
use klatch_ports::Error;
use klatch_ports::directory::Attendance;
use tokio_postgres::types::Type;

use super::Postgres;
use super::columns::time;
use super::site::FIRST_STANDING;
use crate::drivers::postgres::columns::{get, signed};
use crate::drivers::postgres::{Param, step};

#[async_trait]
impl Attendance for Postgres {
    async fn attend(&self, process: &str, now: Timestamp) -> Result<bool, Error> {
        let now = signed(now.0)?;
        let job = self.0.locking(|transaction| {
            let process = process.to_owned();
            Box::pin(async move {
                step(transaction, FIRST_STANDING, &[]).await?;
                let here = "SELECT FROM directory.standing WHERE standing = 0 FOR SHARE";
                if step(transaction, here, &[]).await?.is_empty() {
                    return Ok(false);
                }
                let sql = "INSERT INTO directory.attending (process, at) VALUES ($1, $2)
                    ON CONFLICT (process) DO UPDATE SET at = $2";
                let params: [Param<'_>; 2] = [(&process, Type::TEXT), (&now, Type::INT8)];
                step(transaction, sql, &params).await?;
                Ok(true)
            })
        });
        job.await
    }

    async fn leave(&self, process: &str) -> Result<(), Error> {
        let sql = "DELETE FROM directory.attending WHERE process = $1";
        self.0.query(sql, &[(&process, Type::TEXT)]).await.map(drop)
    }

    async fn attending(&self) -> Result<Vec<(String, Timestamp)>, Error> {
        let rows = self.0.query("SELECT process, at FROM directory.attending ORDER BY process", &[]).await?;
        rows.iter().map(|row| Ok((get(row, "process")?, time(row, "at")?))).collect()
    }
}
