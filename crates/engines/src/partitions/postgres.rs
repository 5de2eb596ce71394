//! [`Partitions`] on PostgreSQL. **Distributed**: senders share the lock of the map's row for as long as they are told it, so that whoever
//! begins a change sees each of them, or is seen.

use async_trait::async_trait;
use klatch_core::ids::Timestamp;
use klatch_ports::partitions::{COUNTED_MS, Change, DRIVEN_MS, Map, Partitions, Sender};
use klatch_ports::{Error, ErrorKind};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::drivers::postgres::columns::{get, number, signed};
use crate::drivers::postgres::{Database, Param, Schema};

/// The tables that it needs.
pub const SCHEMA: Schema =
    Schema { name: "partitions", migrations: &[include_str!("postgres/migrations/001_partitions.sql")] };

/// A change that nobody drives ends before anybody is told the map: who was told can send by it.
const END: &str = "UPDATE partition_map SET next = NULL WHERE next IS NOT NULL AND driven_at < $1";
const MAP: &str = "SELECT partitions, attempt, next FROM partition_map";
/// The map, unless such a change is to be ended first; and then a sender is noted, while it cannot change. Each process that sends asks
/// this each second.
const SEND: &str = "WITH map AS MATERIALIZED (
        SELECT partitions, attempt, next FROM partition_map WHERE next IS NULL OR driven_at >= $4 FOR SHARE
    ), noted AS (
        INSERT INTO partition_senders (sender, at, holds) SELECT $1, $2, $3 FROM map
        ON CONFLICT (sender) DO UPDATE SET at = $2, holds = $3
    )
    SELECT partitions, attempt, next FROM map";

/// The engine.
pub struct Postgres(Database);

impl Postgres {
    /// Opens it in a database that was prepared.
    ///
    /// # Errors
    /// `Broken`, with a sentence that says what to do; `Unavailable`.
    pub async fn open(database: Database) -> Result<Self, Error> {
        database.expect(&SCHEMA).await?;
        Ok(Self(database))
    }

    /// Makes the first map. False where there is one, which stays as it is.
    ///
    /// # Errors
    /// `Broken`, `Unavailable`.
    pub async fn found(&self, partitions: usize) -> Result<bool, Error> {
        let sql = "INSERT INTO partition_map (partitions) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1";
        Ok(!self.0.query(sql, &[(&int(partitions)?, Type::INT4)]).await?.is_empty())
    }

    /// How many there are, if a first map was made.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn said(&self) -> Result<Option<usize>, Error> {
        let rows = self.0.query(MAP, &[]).await?;
        rows.first().map(|row| count(get(row, "partitions")?)).transpose()
    }

    /// Does this where the change lasts. Otherwise `Conflict`.
    async fn change(&self, set: &str, attempt: u64, now: Timestamp) -> Result<(), Error> {
        let sql = format!(
            "UPDATE partition_map SET {set} WHERE attempt = $1 AND next IS NOT NULL AND driven_at >= $2 RETURNING $3"
        );
        let params: [Param<'_>; 3] =
            [(&signed(attempt)?, Type::INT8), (&undriven(now)?, Type::INT8), (&signed(now.0)?, Type::INT8)];
        let rows = self.0.query(&sql, &params).await?;
        rows.first().map(drop).ok_or_else(|| Error::conflict("the change of partitions is over"))
    }
}

#[async_trait]
impl Partitions for Postgres {
    async fn map(&self, now: Timestamp) -> Result<Map, Error> {
        self.0.query(END, &[(&undriven(now)?, Type::INT8)]).await?;
        map(&self.0.query(MAP, &[]).await?)
    }

    async fn send(&self, sender: &str, holds: Option<u64>, now: Timestamp) -> Result<Map, Error> {
        let (undriven, now, holds) = (undriven(now)?, signed(now.0)?, holds.map(signed).transpose()?);
        let params: [Param<'_>; 4] =
            [(&sender, Type::TEXT), (&now, Type::INT8), (&holds, Type::INT8), (&undriven, Type::INT8)];
        let mut rows = self.0.query(SEND, &params).await?;
        if rows.is_empty() {
            self.0.query(END, &[(&undriven, Type::INT8)]).await?;
            rows = self.0.query(SEND, &params).await?;
        }
        map(&rows)
    }

    async fn leave(&self, sender: &str) -> Result<(), Error> {
        let sql = "DELETE FROM partition_senders WHERE sender = $1";
        self.0.query(sql, &[(&sender, Type::TEXT)]).await.map(drop)
    }

    async fn senders(&self, now: Timestamp) -> Result<Vec<Sender>, Error> {
        let since = signed(now.0.saturating_sub(COUNTED_MS))?;
        let silent = "DELETE FROM partition_senders WHERE at < $1";
        self.0.query(silent, &[(&since, Type::INT8)]).await?;
        let sql = "SELECT sender, at, holds FROM partition_senders ORDER BY sender COLLATE \"C\"";
        let sender = |row: &Row| {
            let holds = get::<Option<i64>>(row, "holds")?.map(u64::try_from).transpose().map_err(Error::corrupt)?;
            Ok(Sender { name: get(row, "sender")?, at: Timestamp(number(row, "at")?), holds })
        };
        self.0.query(sql, &[]).await?.iter().map(sender).collect()
    }

    async fn begin(&self, partitions: usize, now: Timestamp) -> Result<u64, Error> {
        let sql = "UPDATE partition_map SET attempt = attempt + 1, next = $1, driven_at = $2
            WHERE next IS NULL OR driven_at < $3 RETURNING attempt";
        let params: [Param<'_>; 3] =
            [(&int(partitions)?, Type::INT4), (&signed(now.0)?, Type::INT8), (&undriven(now)?, Type::INT8)];
        let rows = self.0.query(sql, &params).await?;
        let Some(row) = rows.first() else {
            self.map(now).await?;
            return Err(Error::conflict("another change of partitions lasts"));
        };
        let attempt = number(row, "attempt")?;
        let former = "DELETE FROM partitions_drained WHERE attempt < $1";
        self.0.query(former, &[(&signed(attempt)?, Type::INT8)]).await?;
        Ok(attempt)
    }

    async fn drive(&self, attempt: u64, now: Timestamp) -> Result<Vec<usize>, Error> {
        self.change("driven_at = $3", attempt, now).await?;
        let sql = "SELECT partition FROM partitions_drained WHERE attempt = $1 ORDER BY partition";
        let rows = self.0.query(sql, &[(&signed(attempt)?, Type::INT8)]).await?;
        rows.iter().map(|row| count(get(row, "partition")?)).collect()
    }

    async fn drained(&self, attempt: u64, partition: usize) -> Result<(), Error> {
        let sql = "INSERT INTO partitions_drained (attempt, partition) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let params: [Param<'_>; 2] = [(&signed(attempt)?, Type::INT8), (&int(partition)?, Type::INT4)];
        self.0.query(sql, &params).await.map(drop)
    }

    async fn finish(&self, attempt: u64, now: Timestamp) -> Result<(), Error> {
        self.change("partitions = next, next = NULL", attempt, now).await
    }

    async fn abandon(&self, attempt: u64) -> Result<(), Error> {
        let sql = "UPDATE partition_map SET next = NULL WHERE attempt = $1";
        self.0.query(sql, &[(&signed(attempt)?, Type::INT8)]).await.map(drop)
    }
}

/// A change that was driven last before this is over.
fn undriven(now: Timestamp) -> Result<i64, Error> {
    signed(now.0.saturating_sub(DRIVEN_MS))
}

fn map(rows: &[Row]) -> Result<Map, Error> {
    let none = || Error::new(ErrorKind::Broken, "it is not said how many partitions there are: run `klatch migrate`");
    let row = rows.first().ok_or_else(none)?;
    let attempt = number(row, "attempt")?;
    let change = |next| count(next).map(|partitions| Change { attempt, partitions });
    Ok(Map {
        partitions: count(get(row, "partitions")?)?,
        change: get::<Option<i32>>(row, "next")?.map(change).transpose()?,
    })
}

fn count(number: i32) -> Result<usize, Error> {
    usize::try_from(number).map_err(Error::corrupt)
}

fn int(number: usize) -> Result<i32, Error> {
    i32::try_from(number).map_err(|error| Error::new(ErrorKind::Broken, error))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drivers::postgres::bench;

    klatch_ports::partitions_contract!({
        let database = bench::database().await;
        database.migrate(&SCHEMA).await.unwrap();
        let first = Postgres::open(database.clone()).await.unwrap();
        assert_eq!(first.map(Timestamp(0)).await.unwrap_err().kind, ErrorKind::Broken, "there is none yet");
        assert_eq!([first.found(12).await.unwrap(), first.found(13).await.unwrap()], [true, false]);
        async move || Arc::new(Postgres::open(database.clone()).await.unwrap())
    });
}
