//! What happened in this conversation? An ordered, append-only log of bytes, one per conversation.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq};

use crate::Error;

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod memory;

pub use memory::MemoryEventLog;

/// Bytes of all records in one answer of [`EventLog::read`], beyond which it ends early (but never empty).
pub const READ_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One event, as bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its place.
    pub seq: Seq,
    /// The id of its command.
    pub id: CommandId,
    /// Everything that stays when the event is erased.
    pub head: Bytes,
    /// What is erased; empty if there is nothing, or no longer.
    pub body: Bytes,
}

/// A record to be appended, with what the index answers for its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRecord {
    /// The record.
    pub record: Record,
    /// What [`EventLog::find`] returns for its id.
    pub index: Bytes,
}

/// What to append to one conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The tail on which this was decided; the records continue it without holes.
    pub expected: Seq,
    /// The records, at least one.
    pub records: Vec<NewRecord>,
}

impl Append {
    /// Whether the records continue `expected` without holes. An append that does not is a `Conflict` on every engine: so no
    /// mistake of a caller makes a hole in a log.
    pub fn is_contiguous(&self) -> bool {
        !self.records.is_empty()
            && (self.records.iter().zip(self.expected.0 + 1..)).all(|(new, seq)| new.record.seq == Seq(seq))
    }
}

/// The state of a conversation up to a seq, as bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The last event in it.
    pub seq: Seq,
    /// The state.
    pub bytes: Bytes,
}

/// # Promises
///
/// - **L1** An append that returned `Ok` survives loss of power.
/// - **L2** An append whose `expected` is not the tail is a `Conflict` and changes nothing; others of the same batch are not
///   affected. Of two that race for a tail, one wins.
/// - **L3** Records are read in order of seq, without holes, exactly as they were appended.
/// - **L4** All records of one [`Append`] are there, or none.
/// - **L5** `find` knows every id of every append that returned `Ok`, at once.
/// - **L6** `tails` sees every append that returned `Ok` before it was called, by whomever (it is linearizable).
/// - **L7** `erase` removes the body of a record for good, keeps its seq, id and head, and may be repeated. What is erased
///   survives loss of power as erased.
/// - **L8** `conversations` lists every conversation with its tail, once, in order of id, in pages.
/// - **L9** A snapshot is returned as it was saved, or an older one, or none: it is a cache.
/// - **L10** After a failed sync, appends fail with `Broken` until the engine is opened anew; none is answered `Ok`.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends to several conversations, each as a whole or not at all, with one sync for all where the engine can.
    /// The answers are in the order of the batch; a conversation appears once in a batch.
    ///
    /// # Errors
    /// For each append: `Conflict` (L2), `Unavailable` (the outcome is unknown), `Full` (no effect), `Broken` (L10).
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>>;

    /// At most `limit` records from `from` on, fewer where [`READ_BYTES_MAX`] is reached; empty past the tail.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error>;

    /// The tails of these conversations, in their order; [`Seq::ZERO`] where there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error>;

    /// What the index holds for these ids, in their order.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error>;

    /// Erases the bodies of these records (L7). A seq past the tail is passed over.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error>;

    /// At most `limit` conversations with their tails, in order of id, from after `after` on.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error>;

    /// Keeps a snapshot, in place of the one before.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn save_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error>;

    /// The snapshot that was kept, if any.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error>;
}
