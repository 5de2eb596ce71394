//! Who works for the site: one process, if it says so.

use async_trait::async_trait;
use klatch_core::ids::Timestamp;
use klatch_ports::Error;
use klatch_ports::directory::{Attendance, Standing};
use rusqlite::{Connection, params};

use super::Sqlite;
use super::site::standing;
use crate::drivers::sqlite::Durability::Now;

#[async_trait]
impl Attendance for Sqlite {
    async fn attend(&self, process: &str, now: Timestamp) -> Result<bool, Error> {
        let process = process.to_owned();
        let job = move |db: &Connection| {
            let is_here = standing(db)? == Standing::Here;
            if is_here {
                db.execute("INSERT OR REPLACE INTO attending (process, at) VALUES (?1, ?2)", params![process, now.0])?;
            }
            Ok(is_here)
        };
        self.0.write(Now, job).await
    }

    async fn leave(&self, process: &str) -> Result<(), Error> {
        let process = process.to_owned();
        let job = move |db: &Connection| db.execute("DELETE FROM attending WHERE process = ?1", [process]).map(drop);
        self.0.write(Now, job).await
    }

    async fn attending(&self) -> Result<Vec<(String, Timestamp)>, Error> {
        let job = |db: &Connection| {
            db.prepare_cached("SELECT process, at FROM attending ORDER BY process")?
                .query_map([], |row| Ok((row.get(0)?, Timestamp(row.get(1)?))))?
                .collect()
        };
        self.0.read(job).await
    }
}
