//! [`Views`] on PostgreSQL. **Distributed**: several processes read, project and move cursors at once.
//!
//! Every call is one statement, in one round trip, that is committed and durable before it is answered; whatever must be done to many
//! rows is done by the functions in `postgres/migrations`. Nothing is kept between calls, here or in a session, so a
//! pooler such as PgBouncer may stand between. The database must be one of UTF-8.

mod columns;
mod lists;
mod mend;
mod own;
mod project;

use async_trait::async_trait;
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::views::{
    Cursor, Description, InboxRow, Membership, Own, Projected, Projection, Replayed, Settings, Views,
};

use crate::drivers::postgres::{Database, Schema};

/// The engine.
pub struct Postgres(Database);

impl Postgres {
    /// The tables and functions that it needs.
    pub const SCHEMA: Schema = Schema {
        name: "views",
        migrations: &[
            include_str!("postgres/migrations/001_views.sql"),
            include_str!("postgres/migrations/002_project.sql"),
            include_str!("postgres/migrations/003_mend.sql"),
        ],
    };

    /// Opens the views in this database, which was prepared for [`Postgres::SCHEMA`].
    ///
    /// # Errors
    /// `Broken`, with a sentence that says what to do: it was not. `Unavailable`.
    pub async fn open(database: Database) -> Result<Self, Error> {
        database.expect(&Self::SCHEMA).await?;
        Ok(Self(database))
    }
}

#[async_trait]
impl Views for Postgres {
    async fn project(&self, batch: Vec<Projection>) -> Result<Vec<Projected>, Error> {
        project::project(&self.0, &batch).await
    }

    async fn sync(&self) -> Result<(), Error> {
        // Whatever was answered is durable.
        Ok(())
    }

    async fn projected(&self, conversation: ConversationId) -> Result<Seq, Error> {
        project::projected(&self.0, conversation).await
    }

    async fn describe(&self, conversations: &[ConversationId]) -> Result<Vec<Option<Description>>, Error> {
        lists::describe(&self.0, conversations).await
    }

    async fn membership(&self, user: UserId, conversation: ConversationId) -> Result<Option<Membership>, Error> {
        lists::membership(&self.0, user, conversation).await
    }

    async fn memberships(&self, user: UserId) -> Result<u64, Error> {
        lists::memberships(&self.0, user).await
    }

    async fn members(
        &self,
        conversation: ConversationId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Membership, Cursor)>, Error> {
        lists::members(&self.0, conversation, after, limit).await
    }

    async fn inbox(
        &self,
        user: UserId,
        after: Option<(Timestamp, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<InboxRow>, Error> {
        lists::inbox(&self.0, user, after, limit).await
    }

    async fn inbox_row(&self, user: UserId, conversation: ConversationId) -> Result<Option<InboxRow>, Error> {
        lists::inbox_row(&self.0, user, conversation).await
    }

    async fn channels(
        &self,
        query: &str,
        after: Option<(String, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<Description>, Error> {
        lists::channels(&self.0, &query.to_lowercase(), after, limit).await
    }

    async fn move_cursors(&self, moves: Vec<(UserId, ConversationId, Cursor)>) -> Result<Vec<Option<Cursor>>, Error> {
        own::move_cursors(&self.0, &moves).await
    }

    async fn set_settings(
        &self,
        user: UserId,
        conversation: ConversationId,
        settings: Settings,
    ) -> Result<bool, Error> {
        own::set_settings(&self.0, user, conversation, settings).await
    }

    async fn own(&self, after: Option<(ConversationId, UserId)>, limit: usize) -> Result<Vec<Own>, Error> {
        own::list(&self.0, after, limit).await
    }

    async fn take_own(&self, own: Vec<Own>) -> Result<(), Error> {
        own::take(&self.0, own).await
    }

    async fn merge_own(&self, own: Vec<Own>) -> Result<(), Error> {
        own::merge(&self.0, own).await
    }

    async fn mend(&self, conversation: ConversationId, at: Seq, to: Replayed) -> Result<bool, Error> {
        mend::mend(&self.0, conversation, at, &to).await
    }

    async fn clear(&self, conversation: ConversationId) -> Result<(), Error> {
        project::clear(&self.0, conversation).await
    }

    async fn dump(&self, conversation: ConversationId) -> Result<String, Error> {
        lists::dump(&self.0, conversation).await
    }
}

#[cfg(test)]
mod tests;
