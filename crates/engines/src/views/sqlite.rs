//! [`Views`] on SQLite. **Embedded**: one process, one disk.
//!
//! Projections are committed before they are answered but reach the disk with the next cursor or checkpoint (loss of power
//! takes a suffix of them, which the log still has); cursors and settings are on disk before they are answered.

mod columns;
mod lists;
mod own;
mod project;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::views::{
    Cursor, Description, InboxRow, Membership, Own, Projected, Projection, Replayed, Settings, Views,
};

use crate::drivers::Fuse;
use crate::drivers::sqlite::{Database, Durability, Schema};

const SCHEMA: Schema = Schema {
    name: "views",
    migrations: &[
        include_str!("sqlite/migrations/001_views.sql"),
        include_str!("sqlite/migrations/002_synced.sql"),
        include_str!("sqlite/migrations/003_times_set.sql"),
    ],
    secure_delete: false,
};

/// The engine.
pub struct Sqlite(Database);

impl Sqlite {
    /// Opens the views in this file, making it if there is none. Blocks: to be called at start.
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

    /// Copies the views, as they are at one moment, to a file that is not there yet. Work goes on meanwhile. To restore, put
    /// the copy in the place of the views before they are opened.
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
impl Views for Sqlite {
    async fn project(&self, batch: Vec<Projection>) -> Result<Vec<Projected>, Error> {
        let job = move |views: &_| batch.iter().map(|projection| project::project(views, projection)).collect();
        self.0.write(Durability::Later, job).await
    }

    async fn sync(&self) -> Result<(), Error> {
        // Only what writes is synced, and with it everything that was written before.
        let job = |views: &rusqlite::Connection| views.execute("UPDATE synced SET count = count + 1", []).map(drop);
        self.0.write(Durability::Now, job).await
    }

    async fn projected(&self, conversation: ConversationId) -> Result<Seq, Error> {
        self.0.read(move |views| project::projected(views, conversation)).await
    }

    async fn describe(&self, conversations: &[ConversationId]) -> Result<Vec<Option<Description>>, Error> {
        let conversations = conversations.to_vec();
        self.0.read(move |views| conversations.iter().map(|id| lists::describe(views, *id)).collect()).await
    }

    async fn membership(&self, user: UserId, conversation: ConversationId) -> Result<Option<Membership>, Error> {
        self.0.read(move |views| lists::membership(views, user, conversation)).await
    }

    async fn memberships(&self, user: UserId) -> Result<u64, Error> {
        self.0.read(move |views| lists::memberships(views, user)).await
    }

    async fn members(
        &self,
        conversation: ConversationId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Membership, Cursor)>, Error> {
        self.0.read(move |views| lists::members(views, conversation, after, limit)).await
    }

    async fn inbox(
        &self,
        user: UserId,
        after: Option<(Timestamp, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<InboxRow>, Error> {
        self.0.read(move |views| lists::inbox(views, user, after, limit)).await
    }

    async fn inbox_row(&self, user: UserId, conversation: ConversationId) -> Result<Option<InboxRow>, Error> {
        self.0.read(move |views| lists::inbox_row(views, user, conversation)).await
    }

    async fn channels(
        &self,
        query: &str,
        after: Option<(String, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<Description>, Error> {
        let query = query.to_lowercase();
        self.0.read(move |views| lists::channels(views, &query, after.as_ref(), limit)).await
    }

    async fn move_cursors(&self, moves: Vec<(UserId, ConversationId, Cursor)>) -> Result<Vec<Option<Cursor>>, Error> {
        let job =
            move |views: &_| moves.iter().map(|(user, room, to)| own::move_cursor(views, *user, *room, *to)).collect();
        self.0.write(Durability::Now, job).await
    }

    async fn set_settings(
        &self,
        user: UserId,
        conversation: ConversationId,
        settings: Settings,
    ) -> Result<bool, Error> {
        self.0.write(Durability::Now, move |views| own::set_settings(views, user, conversation, settings)).await
    }

    async fn own(&self, after: Option<(ConversationId, UserId)>, limit: usize) -> Result<Vec<Own>, Error> {
        self.0.read(move |views| own::list(views, after, limit)).await
    }

    async fn take_own(&self, own: Vec<Own>) -> Result<(), Error> {
        self.0.write(Durability::Now, move |views| own.iter().try_for_each(|own| own::take(views, own))).await
    }

    async fn merge_own(&self, own: Vec<Own>) -> Result<(), Error> {
        self.0.write(Durability::Now, move |views| own.iter().try_for_each(|own| own::merge(views, own))).await
    }

    async fn mend(&self, conversation: ConversationId, at: Seq, to: Replayed) -> Result<bool, Error> {
        self.0.write(Durability::Later, move |views| project::mend(views, conversation, at, &to)).await
    }

    async fn clear(&self, conversation: ConversationId) -> Result<(), Error> {
        self.0.write(Durability::Later, move |views| project::clear(views, conversation)).await
    }

    async fn dump(&self, conversation: ConversationId) -> Result<String, Error> {
        self.0.read(move |views| lists::dump(views, conversation)).await
    }
}

#[cfg(test)]
mod tests;
