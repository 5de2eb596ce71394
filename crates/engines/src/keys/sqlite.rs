//! [`Keys`] on SQLite, in a file of its own that no backup of log and views holds. **Embedded**: one process, one disk.
//!
//! A key is destroyed by zeros that are written over it in place; then the write-ahead log, which still holds the page as it
//! was, is emptied. What a file system or a disk keeps of blocks that were overwritten is beyond this engine: the keys are
//! wrapped by a master key that never comes here.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::UserId;
use klatch_ports::Error;
use klatch_ports::keys::{Key, Keys};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::drivers::Fuse;
use crate::drivers::sqlite::{Database, Durability, Schema};

const SCHEMA: Schema =
    Schema { name: "keys", migrations: &[include_str!("sqlite/migrations/001_keys.sql")], secure_delete: true };

/// The engine.
pub struct Sqlite(Database);

impl Sqlite {
    /// Opens the keys in this file, making it if there is none. Blocks: to be called at start.
    ///
    /// # Errors
    /// `Broken`, `Corrupt`, with a sentence that says what to do.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::with_fuse(path, Fuse::default())
    }

    /// The same, stopped together with the other stores of a node.
    ///
    /// # Errors
    /// `Broken`, `Corrupt`, with a sentence that says what to do.
    pub fn with_fuse(path: &Path, fuse: Fuse) -> Result<Self, Error> {
        Database::open(path, &SCHEMA, fuse).map(Self)
    }

    /// Copies the keys, as they are at one moment, to a file that is not there yet. Such a copy must expire: it holds what is
    /// destroyed later. To restore, put it in the place of the keys before they are opened, and destroy again what
    /// [`Keys::destroyed`] listed.
    ///
    /// # Errors
    /// `Conflict`: there is such a file. `Unavailable`, `Corrupt`.
    pub async fn backup(&self, to: PathBuf) -> Result<(), Error> {
        self.0.backup(to).await
    }

    /// Whether the file is sound; reads all of it.
    ///
    /// # Errors
    /// `Corrupt`, with the first complaint. `Unavailable`.
    pub async fn check(&self) -> Result<(), Error> {
        self.0.check().await
    }
}

#[async_trait]
impl Keys for Sqlite {
    async fn get(&self, users: &[UserId]) -> Result<Vec<Option<Key>>, Error> {
        let users = users.to_vec();
        self.0.read(move |keys| users.iter().map(|user| get(keys, *user)).collect()).await
    }

    async fn create(&self, wrapped: Vec<(UserId, Bytes)>) -> Result<Vec<Key>, Error> {
        let job = move |keys: &_| wrapped.iter().map(|(user, wrapped)| create(keys, *user, wrapped)).collect();
        self.0.write(Durability::Now, job).await
    }

    async fn destroy(&self, users: &[UserId]) -> Result<(), Error> {
        let users = users.to_vec();
        self.0.write(Durability::Now, move |keys| users.iter().try_for_each(|user| destroy(keys, *user))).await?;
        self.0.empty_log().await
    }

    async fn destroyed(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserId>, Error> {
        self.0.read(move |keys| destroyed(keys, after, limit)).await
    }

    async fn secret(&self, name: &str, first: Bytes) -> Result<Bytes, Error> {
        let name = name.to_owned();
        self.0.write(Durability::Now, move |keys| secret(keys, &name, &first)).await
    }
}

fn get(keys: &Connection, user: UserId) -> Result<Option<Key>> {
    let key = |row: &Row<'_>| {
        let is_destroyed = row.get("destroyed")?;
        Ok(if is_destroyed { Key::Destroyed } else { Key::Wrapped(Bytes::from(row.get::<_, Vec<u8>>("wrapped")?)) })
    };
    let sql = "SELECT wrapped, destroyed FROM keys WHERE user = ?1";
    keys.prepare_cached(sql)?.query_row([user.as_bytes()], key).optional()
}

fn create(keys: &Connection, user: UserId, wrapped: &[u8]) -> Result<Key> {
    let sql = "INSERT INTO keys (user, wrapped, destroyed) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING";
    keys.prepare_cached(sql)?.execute(params![user.as_bytes(), wrapped])?;
    get(keys, user)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn destroy(keys: &Connection, user: UserId) -> Result<()> {
    let sql = "INSERT INTO keys (user, wrapped, destroyed) VALUES (?1, x'', 1)
        ON CONFLICT DO UPDATE SET wrapped = zeroblob(length(wrapped)), destroyed = 1";
    keys.prepare_cached(sql)?.execute([user.as_bytes()])?;
    Ok(())
}

fn destroyed(keys: &Connection, after: Option<UserId>, limit: usize) -> Result<Vec<UserId>> {
    // Nothing sorts before no bytes at all.
    let after = after.as_ref().map_or(&[][..], |after| after.as_bytes());
    let sql = "SELECT user FROM keys WHERE destroyed = 1 AND user > ?1 ORDER BY user LIMIT ?2";
    let user = |row: &Row<'_>| Ok(UserId::from_bytes(row.get(0)?));
    keys.prepare_cached(sql)?.query_map(params![after, limit], user)?.collect()
}

fn secret(keys: &Connection, name: &str, first: &[u8]) -> Result<Bytes> {
    let sql = "INSERT INTO secrets (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    keys.prepare_cached(sql)?.execute(params![name, first])?;
    let sql = "SELECT value FROM secrets WHERE name = ?1";
    Ok(Bytes::from(keys.prepare_cached(sql)?.query_row([name], |row| row.get::<_, Vec<u8>>(0))?))
}

#[cfg(test)]
mod tests;
