//! [`Keys`] on PostgreSQL, in a database of its own. **Distributed**: any number of processes, one server that takes writes.
//!
//! A key is destroyed together with the file that it lay in: the other keys of its table, a 64th of all, are written into a new
//! one. So when `destroy` returns, it is in no file that tables are read from. It may still be, wrapped by a master key that never
//! comes here, where PostgreSQL keeps what was written before, for as long as it keeps that: in the write-ahead log, its archive,
//! and backups of the whole server. A server of its own has all of these to itself (`docs/operating/postgresql.md`).

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{UserId, Uuid};
use klatch_ports::Error;
use klatch_ports::keys::{Key, Keys};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::drivers::postgres::columns::{bytes, column, to_bigint};
use crate::drivers::postgres::{Database, Param, Schema};

/// The tables of the keys.
pub const SCHEMA: Schema = Schema { name: "keys", migrations: &[include_str!("postgres/migrations/001_keys.sql")] };

const GET: &str = "SELECT user_id, wrapped, is_destroyed FROM keys WHERE user_id = ANY($1)";

/// In order of people, so that no two who create keys wait for one another.
const CREATE: &str = "
    INSERT INTO keys (user_id, wrapped, is_destroyed)
    SELECT DISTINCT ON (user_id) user_id, wrapped, false
    FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS new (user_id, wrapped, place) ORDER BY user_id, place
    ON CONFLICT DO NOTHING";

/// The tables that the keys of these people lie in.
const PLACES: &str = "
    SELECT place FROM generate_series(0, 63) AS place WHERE EXISTS (
        SELECT FROM unnest($1::uuid[]) AS user_id WHERE satisfies_hash_partition('keys'::regclass, 64, place, user_id))";

const DESTROY: &str = "SELECT destroy_keys($1, $2)";

const DESTROYED: &str = "
    SELECT user_id FROM keys WHERE is_destroyed AND ($1::uuid IS NULL OR user_id > $1) ORDER BY user_id LIMIT $2";

const PUT_SECRET: &str = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";

const SECRET: &str = "SELECT value FROM secrets WHERE name = $1";

/// The keys in a database.
pub struct Postgres(Database);

impl Postgres {
    /// The keys in this database, whose tables are prepared.
    ///
    /// # Errors
    /// `Broken` with a sentence: the tables are others, or the server may lose what it confirmed. `Unavailable`.
    pub async fn open(database: Database) -> Result<Self, Error> {
        database.expect(&SCHEMA).await?;
        database.expect_durable().await?;
        Ok(Self(database))
    }
}

#[async_trait]
impl Keys for Postgres {
    async fn get(&self, users: &[UserId]) -> Result<Vec<Option<Key>>, Error> {
        let users = uuids(users);
        let rows = self.0.query(GET, &[(&users, Type::UUID_ARRAY)]).await?;
        let keys: HashMap<Uuid, Key> = rows.iter().map(key).collect::<Result<_, _>>()?;
        Ok(users.iter().map(|user| keys.get(user).cloned()).collect())
    }

    async fn create(&self, keys: Vec<(UserId, Bytes)>) -> Result<Vec<Key>, Error> {
        let users: Vec<UserId> = keys.iter().map(|(user, _)| *user).collect();
        let (ids, wrapped) = (uuids(&users), keys.iter().map(|(_, wrapped)| &**wrapped).collect::<Vec<_>>());
        self.0.query(CREATE, &[(&ids, Type::UUID_ARRAY), (&wrapped, Type::BYTEA_ARRAY)]).await?;
        // Another statement, since the first does not see what others made while it ran.
        let there = self.get(&users).await?.into_iter();
        there.map(|key| key.ok_or_else(|| Error::corrupt("a key that was just made is not there"))).collect()
    }

    async fn destroy(&self, users: &[UserId]) -> Result<(), Error> {
        let users = uuids(users);
        // One table after the other, so that each is soon read again, however many people there are.
        for row in self.0.query(PLACES, &[(&users, Type::UUID_ARRAY)]).await? {
            let place: i32 = column(&row, 0)?;
            self.0.query(DESTROY, &[(&place, Type::INT4), (&users, Type::UUID_ARRAY)]).await?;
        }
        Ok(())
    }

    async fn destroyed(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserId>, Error> {
        let after = after.map(|after| after.0);
        let params: [Param<'_>; 2] = [(&after, Type::UUID), (&to_bigint(limit as u64), Type::INT8)];
        self.0.query(DESTROYED, &params).await?.iter().map(|row| column(row, 0).map(UserId)).collect()
    }

    async fn secret(&self, name: &str, first: Bytes) -> Result<Bytes, Error> {
        let params: [Param<'_>; 2] = [(&name, Type::TEXT), (&&*first, Type::BYTEA)];
        self.0.query(PUT_SECRET, &params).await?;
        let rows = self.0.query(SECRET, &params[..1]).await?;
        let row = rows.first().ok_or_else(|| Error::corrupt("a secret that was just kept is not there"))?;
        bytes(row, 0)
    }
}

fn uuids(users: &[UserId]) -> Vec<Uuid> {
    users.iter().map(|user| user.0).collect()
}

fn key(row: &Row) -> Result<(Uuid, Key), Error> {
    let key = if column(row, 2)? { Key::Destroyed } else { Key::Wrapped(bytes(row, 1)?) };
    Ok((column(row, 0)?, key))
}

#[cfg(test)]
mod tests;
