//! [`Owners`] on PostgreSQL. **Distributed**: one statement a call.

use async_trait::async_trait;
use klatch_core::ids::Timestamp;
use klatch_ports::Error;
use klatch_ports::owners::{CLAIM_MS, Owner, Owners};
use tokio_postgres::types::Type;

use crate::drivers::postgres::{Database, Schema};

/// The tables that it needs.
pub const SCHEMA: Schema = Schema { name: "owners", migrations: &[include_str!("postgres/migrations/001_owners.sql")] };

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
}

#[async_trait]
impl Owners for Postgres {
    async fn claim(&self, partitions: &[usize], address: &str, now: Timestamp) -> Result<(), Error> {
        let (partitions, now) = (numbers(partitions)?, i64::try_from(now.0).map_err(Error::corrupt)?);
        // In one order, so that two who claim the same do not wait for each other.
        let statement = "INSERT INTO owners SELECT partition, $2, $3 FROM unnest($1) AS partition ORDER BY partition
            ON CONFLICT (partition) DO UPDATE SET address = EXCLUDED.address, claimed_at = EXCLUDED.claimed_at";
        let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
            [(&partitions, Type::INT4_ARRAY), (&address, Type::TEXT), (&now, Type::INT8)];
        self.0.query(statement, &params).await.map(drop)
    }

    async fn owners(&self, now: Timestamp) -> Result<Vec<Owner>, Error> {
        let since = i64::try_from(now.0.saturating_sub(CLAIM_MS)).map_err(Error::corrupt)?;
        let statement = "SELECT partition, address FROM owners WHERE claimed_at >= $1 ORDER BY partition";
        let rows = self.0.query(statement, &[(&since, Type::INT8)]).await?;
        let owner = |row: tokio_postgres::Row| {
            let partition = usize::try_from(row.get::<_, i32>(0)).map_err(Error::corrupt)?;
            Ok(Owner { partition, address: row.get(1) })
        };
        rows.into_iter().map(owner).collect()
    }
}

fn numbers(partitions: &[usize]) -> Result<Vec<i32>, Error> {
    partitions.iter().map(|partition| i32::try_from(*partition).map_err(Error::corrupt)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drivers::postgres::bench;

    klatch_ports::owners_contract!({
        let database = bench::database().await;
        database.migrate(&SCHEMA).await.unwrap();
        async move || Arc::new(Postgres::open(database.clone()).await.unwrap())
    });
}
