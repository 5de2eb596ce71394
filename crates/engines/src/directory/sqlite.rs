//! [`Directory`] on SQLite. **Embedded**: one process, one disk. A step that must be one is one transaction of the one thread
//! that writes; it is on disk before it is answered.

mod accounts;
mod admission;
mod answers;
mod attendance;
mod blocks;
mod columns;
mod moving;
mod sessions;
mod site;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use klatch_core::ids::Timestamp;
use klatch_ports::Error;
use klatch_ports::directory::{ANSWER_KEPT_MS, ATTENDANCE_KEPT_MS, Directory, SESSION_IDLE_MS};
use klatch_ports::mailboxes::KEPT_S;

use crate::drivers::Fuse;
use crate::drivers::sqlite::{Database, Durability, Schema};

const SCHEMA: Schema = Schema {
    name: "directory",
    migrations: &[
        include_str!("sqlite/migrations/001_directory.sql"),
        include_str!("sqlite/migrations/002_standing.sql"),
        include_str!("sqlite/migrations/003_mailboxes.sql"),
    ],
    // Password hashes and profiles of closed accounts do not stay behind in free pages.
    secure_delete: true,
};

/// The engine.
pub struct Sqlite(Arc<Database>);

impl Sqlite {
    /// Opens the directory in this file, making it if there is none. Blocks: to be called at start.
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
        Database::open(path, &SCHEMA, fuse).map(|database| Self(Arc::new(database)))
    }

    /// Its file, in which mailboxes lie as well.
    pub(crate) const fn database(&self) -> &Arc<Database> {
        &self.0
    }

    /// Copies the directory, as it is at one moment, to a file that is not there yet. Work goes on meanwhile. To restore, put the
    /// copy in the place of the directory before it is opened: nobody is signed out by that, and who signed out since is in again.
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
impl Directory for Sqlite {
    async fn prune(&self, now: Timestamp) -> Result<(), Error> {
        let job = move |db: &rusqlite::Connection| {
            db.execute("DELETE FROM answers WHERE begun_at <= ?1", [now.0.saturating_sub(ANSWER_KEPT_MS)])?;
            db.execute("DELETE FROM resets WHERE expires_at <= ?1", [now.0])?;
            db.execute("DELETE FROM sessions WHERE last_used_at <= ?1", [now.0.saturating_sub(SESSION_IDLE_MS)])?;
            let forgotten = (now.0 / 1_000).saturating_sub(KEPT_S.into());
            db.execute("DELETE FROM mailboxes WHERE put_at < ?1", [forgotten])?;
            db.execute("DELETE FROM attending WHERE at <= ?1", [now.0.saturating_sub(ATTENDANCE_KEPT_MS)])?;
            admission::forget_used_up(db, now)
        };
        self.0.write(Durability::Now, job).await
    }
}

#[cfg(test)]
mod tests;
