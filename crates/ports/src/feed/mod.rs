//! What happened anywhere? Every event of every conversation, for each kind of worker, at least once.

use async_trait::async_trait;
use klatch_core::ids::ConversationId;

use crate::Error;
use crate::event_log::Record;

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod memory;

pub use memory::MemoryFeed;

/// Events that a follower hands out without a commit: a worker commits before it asks for more.
pub const UNCOMMITTED_MAX: usize = 3_000;

/// An event, on its way to a worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// How far the follower that handed it out is when it is through with this one: grows from one to the next.
    pub position: u64,
    /// The conversation.
    pub conversation: ConversationId,
    /// The event.
    pub record: Record,
}

/// # Promises
///
/// - **F1** Every event that is in the log *and* was given to `publish` reaches every kind of worker at least once, also when
///   power was lost in between.
/// - **F2** Events of one conversation come in order of seq, but for repeats.
/// - **F3** After a follower's `commit(p)` whoever follows next gets nothing that it handed out up to `p`, and everything after it.
///   (But for conversations that went to another follower before the commit, F6: these come again there; and for what was published
///   together with something after it, in one call.)
/// - **F4** A worker that is slow or away holds nobody up: `publish` does not wait for workers.
/// - **F5** `is_behind` says whether something waits: false once everything was handed out that was published before.
/// - **F6** Where several follow for one kind of worker, each conversation goes to one of them at a time, and to another when that one
///   is dropped or dies. (Embedded: there is one.)
#[async_trait]
pub trait Feed: Send + Sync + 'static {
    /// Gives events to the workers, once they are in the log. An engine that follows the log itself only takes it for a hint.
    ///
    /// # Errors
    /// `Unavailable`: publish again.
    async fn publish(&self, events: &[(ConversationId, Record)]) -> Result<(), Error>;

    /// Begins where this kind of worker committed last.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn follow(&self, worker: &'static str) -> Result<Box<dyn Follower>, Error>;

    /// Returns when others may have the places of followers that were dropped here: a process that ends before has them wait until it is
    /// taken for dead.
    async fn have_left(&self) {}
}

/// A worker's place in the feed.
#[async_trait]
pub trait Follower: Send {
    /// The next events, 1 to `limit`; waits until there are some. Nothing is lost where this is not awaited to its end.
    ///
    /// # Errors
    /// `Unavailable`: follow again. `Full`: so many wait for a commit that an engine need not hold more ([`UNCOMMITTED_MAX`]). `Corrupt`.
    async fn next(&mut self, limit: usize) -> Result<Vec<Entry>, Error>;

    /// Whether there is something to take without waiting (F5).
    ///
    /// # Errors
    /// `Unavailable`.
    async fn is_behind(&mut self) -> Result<bool, Error>;

    /// The worker is through with everything up to this position.
    ///
    /// # Errors
    /// `Unavailable`: follow again. `Broken`.
    async fn commit(&mut self, position: u64) -> Result<(), Error>;
}
