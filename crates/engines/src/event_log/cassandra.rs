//! `EventLog` on Cassandra or ScyllaDB. **Distributed**: any number of processes write the same log.
//!
//! The rows of a conversation lie in **buckets** of 4,096 seqs, each a partition with a `tail` of its own that an append must find as
//! it expects it: one conditional write in one partition, so it is there as a whole or not at all. An append goes to the bucket of its
//! first record, and may hang over into the seqs of the next. What is too large for such a write is written beforehand, as `parts`
//! under the random id of the append, which count once the append does. Why it is so, and why that is enough, is in
//! docs/decisions/0018-log-on-cassandra.md.

mod append;
mod erase;
mod index;
mod listing;
mod parts;
mod read;
mod snapshots;
mod statements;
mod writing;

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use klatch_core::ids::{CommandId, ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::event_log::{Append, EventLog, Record, Snapshot};
use scylla::statement::prepared::PreparedStatement;

use crate::drivers::cassandra::Database;
pub use statements::SCHEMA;
use statements::Statements;

/// Seqs of a bucket: at 500 bytes a record it is a partition of 2 MB, at the most that a record has in it (16 KiB) one of 64 MB.
pub const BUCKET: u64 = 4_096;
/// Records of one append. More than a processor decides at once; less than a bucket, so that none is ever hung over as a whole.
pub const RECORDS_MAX: usize = 2_048;
/// Statements that one call has under way at a time.
const CONCURRENT_MAX: usize = 32;
/// Ids or seqs that one statement asks for.
const ASKED_MAX: usize = 100;

/// The log in a keyspace.
pub struct CassandraEventLog {
    database: Database,
    statements: Statements,
}

impl CassandraEventLog {
    /// The log in this keyspace, which `migrate` has prepared with [`SCHEMA`].
    ///
    /// # Errors
    /// `Broken`: it is not prepared, or by a later version; `Unavailable`.
    pub async fn open(database: Database) -> Result<Self, Error> {
        database.expect(&SCHEMA).await?;
        let statements = Statements::prepare(&database).await?;
        Ok(Self { database, statements })
    }

    /// The last seq of the appends to a bucket, if there is one. `statement` says how it is read.
    async fn tail_of(
        &self,
        statement: &PreparedStatement,
        conversation: ConversationId,
        bucket: i64,
    ) -> Result<Option<i64>, Error> {
        let rows = self.database.rows::<(Option<i64>,)>(statement, (conversation.0, bucket)).await?;
        Ok(rows.into_iter().next().and_then(|(tail,)| tail))
    }

    /// The tail of a conversation whose last bucket is this one, or the one before: a bucket is noted before it is opened.
    async fn tail_near(
        &self,
        statement: &PreparedStatement,
        conversation: ConversationId,
        bucket: i64,
    ) -> Result<Seq, Error> {
        for bucket in [bucket, bucket - 1].into_iter().filter(|bucket| *bucket >= 0) {
            if let Some(tail) = self.tail_of(statement, conversation, bucket).await? {
                return seq(tail);
            }
        }
        Ok(Seq::ZERO)
    }

    async fn tail(&self, conversation: ConversationId) -> Result<Seq, Error> {
        match self.noted_bucket(conversation).await? {
            Some(bucket) => self.tail_near(&self.statements.tail_serial, conversation, bucket).await,
            None => Ok(Seq::ZERO),
        }
    }
}

#[async_trait]
impl EventLog for CassandraEventLog {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        self.append_all(batch).await
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        self.read_records(conversation, from, limit).await
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        let tails = conversations.iter().copied().map(|conversation| self.tail(conversation));
        stream::iter(tails).buffered(CONCURRENT_MAX).try_collect().await
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        // The index says where an id may be; whether it is there, the log says.
        let seqs = self.places(conversation, ids).await?;
        let mut answers = HashMap::new();
        for (_, row) in self.rows_at(conversation, &seqs).await? {
            answers.insert(CommandId(row.id), row.answer);
        }
        Ok(ids.iter().map(|id| answers.get(id).cloned()).collect())
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        self.erase_bodies(conversation, seqs).await
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        self.list(after, limit).await
    }

    async fn save_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        self.write_snapshot(conversation, snapshot).await
    }

    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        self.read_snapshot(conversation).await
    }
}

/// The bucket of the append that begins with this seq.
fn bucket_of(first: i64) -> i64 {
    (first - 1) / BUCKET as i64
}

/// A seq as it is stored. One beyond what CQL can count is beyond every tail.
fn stored(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

fn seq(stored: i64) -> Result<Seq, Error> {
    u64::try_from(stored).map(Seq).map_err(Error::corrupt)
}

#[cfg(test)]
mod tests;
