//! What changed about messages? Edits, deletions, reactions and pins by (conversation, seq): a part of the views that lies
//! with the log's engine, so that one database need not see every write.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{ConversationId, Seq};

use crate::Error;

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod memory;

pub use memory::MemoryOverlays;

/// # Promises
///
/// - **O1** A `put` is there for every `range` after it, as a whole.
/// - **O2** What loss of power takes is a suffix of the puts, each as a whole: `applied` tells then how far the rows go, and the
///   rest is replayed from the log.
/// - **O3** A `put` whose `upto` is not after `applied` changes nothing.
/// - **O4** `range` returns rows in order of seq.
/// - **O5** A `mend` where the rows go to another event than the caller saw changes nothing; where they do not, it is there as a whole.
#[async_trait]
pub trait Overlays: Send + Sync + 'static {
    /// Writes rows that hold all events up to `upto`.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn put(&self, conversation: ConversationId, upto: Seq, rows: Vec<(Seq, Bytes)>) -> Result<(), Error>;

    /// The rows of messages from `from` to `to`, both included.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn range(&self, conversation: ConversationId, from: Seq, to: Seq) -> Result<Vec<(Seq, Bytes)>, Error>;

    /// The last event that the rows hold; [`Seq::ZERO`] where none was put.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn applied(&self, conversation: ConversationId) -> Result<Seq, Error>;

    /// If the rows go exactly as far as `at`, writes these, removes those that are `None`, and says that all go as far as `upto`; tells
    /// whether they did (O5).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn mend(
        &self,
        conversation: ConversationId,
        at: Seq,
        upto: Seq,
        rows: Vec<(Seq, Option<Bytes>)>,
    ) -> Result<bool, Error>;

    /// Forgets all rows of a conversation, so that they can be rebuilt by replay.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn clear(&self, conversation: ConversationId) -> Result<(), Error>;
}
