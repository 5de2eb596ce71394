//! Into how many partitions do commands go; and while that changes, who holds them back? So that all who send count alike.

use async_trait::async_trait;
use klatch_core::ids::Timestamp;

use crate::Error;

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;

/// A change that nobody has driven for so long is over: milliseconds.
pub const DRIVEN_MS: u64 = 10_000;
/// How long who was told a map may send by it: milliseconds. For so long people go on writing where the database of the map is away; and
/// for so long, and a little longer, a change waits for who may be dead.
pub const SENDS_MS: u64 = 3_600_000;
/// How long a sender that says nothing any more is counted: milliseconds. Longer than it sends by much more than clocks differ.
pub const COUNTED_MS: u64 = SENDS_MS + 600_000;

/// Into how many partitions commands go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Map {
    /// So many.
    pub partitions: usize,
    /// What it is about to become.
    pub change: Option<Change>,
}

/// A change of the map that lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Which one: no other ever had this number.
    pub attempt: u64,
    /// How many partitions there will be.
    pub partitions: usize,
}

/// A process that puts commands into the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// Its name, which no other ever had.
    pub name: String,
    /// When it was told the map last, by its own clock.
    pub at: Timestamp,
    /// The change for which it holds commands back.
    pub holds: Option<u64>,
}

/// # Promises
///
/// - **S1** There is one change at a time, and a map stays as it is until `finish`, which makes what that change said the map.
/// - **S2** Whoever was told to send without hearing of a change is among the senders of whoever begins one afterwards.
/// - **S3** A change that was not driven for [`DRIVEN_MS`] is over, once somebody asked for the map: nobody is told of it any more, and
///   who drives or finishes it gets `Conflict`. Of ending and finishing one happens.
/// - **S4** What is drained, and who holds, is so for one attempt.
/// - **S5** A sender is known until it leaves, or was silent for [`COUNTED_MS`].
#[async_trait]
pub trait Partitions: Send + Sync + 'static {
    /// The map, for who does not send.
    ///
    /// # Errors
    /// `Broken` (there is none), `Unavailable`.
    async fn map(&self, now: Timestamp) -> Result<Map, Error>;

    /// The map, for a sender, which may send by it for [`SENDS_MS`] from before it asked; and for which attempt it holds everything back,
    /// with nothing on its way.
    ///
    /// # Errors
    /// `Broken` (there is none), `Unavailable`.
    async fn send(&self, sender: &str, holds: Option<u64>, now: Timestamp) -> Result<Map, Error>;

    /// This sender sends nothing any more.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn leave(&self, sender: &str) -> Result<(), Error>;

    /// Who sends, in order of names.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn senders(&self, now: Timestamp) -> Result<Vec<Sender>, Error>;

    /// Begins a change to so many partitions, and returns which attempt it is.
    ///
    /// # Errors
    /// `Conflict` (another one lasts), `Broken` (there is no map), `Unavailable`.
    async fn begin(&self, partitions: usize, now: Timestamp) -> Result<u64, Error>;

    /// Says that somebody drives the change, and tells which partitions are drained, in order.
    ///
    /// # Errors
    /// `Conflict` (it is over), `Unavailable`.
    async fn drive(&self, attempt: u64, now: Timestamp) -> Result<Vec<usize>, Error>;

    /// Whatever was in this partition before the mark of this attempt is decided.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn drained(&self, attempt: u64, partition: usize) -> Result<(), Error>;

    /// Makes the change.
    ///
    /// # Errors
    /// `Conflict` (it is over), `Unavailable`.
    async fn finish(&self, attempt: u64, now: Timestamp) -> Result<(), Error>;

    /// Ends a change, if it lasts: everything stays as it was.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn abandon(&self, attempt: u64) -> Result<(), Error>;
}
