//! Who decides next for this conversation? Queues of commands, one per partition, each with one consumer at a time; and the dead letters:
//! what no consumer could decide, until an operator has looked.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;
mod per_partition;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Error;
pub use per_partition::{PerPartition, unknown};

/// LIMIT: dead letters of a site. Where there are so many, whoever would bury another one waits until some are taken away.
pub const DEAD_MAX: u32 = 10_000;
/// LIMIT: dead letters that are told to whoever takes none away.
pub const DEAD_SEEN_MAX: usize = 1_000;

/// A command on its way to its processor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// How far the consumer is when it has settled this one.
    pub position: u64,
    /// The command.
    pub payload: Bytes,
}

/// # Promises
///
/// - **C1** What was submitted from one place to one partition is delivered in that order, but for redelivery.
/// - **C2** What was not settled is delivered again to the next consumer, in order. What was settled is not, but for what was so just before a
///   process or the way to its queue died.
/// - **C3** A full queue answers `Full` at once, and has not taken the command. It takes commands again when some of what it has was
///   settled, on any engine when all of it was.
/// - **C4** A partition has one consumer at a time, in whatever process. The others wait their turn in `next`; it comes when the one
///   before is dropped or dies. Whose turn was taken away gets `Conflict`, settles nothing more, and asks again with `consume`.
/// - **C5** What `submit` returned `Ok` for survives as `is_durable` says.
/// - **C6** After `bury`, each of the letters lies among the dead ones, in that order, until it is taken away, and survives as C5 says. Where
///   it failed, some may lie there.
/// - **C7** To look at dead letters changes nothing: the next who looks is told the same. What was taken away is gone, and nothing else.
/// - **C8** Where about [`DEAD_MAX`] letters lie, `bury` answers `Full`, until some were taken away.
/// - **C9** After `grow`, what was submitted before is where it was, is delivered in order and settled as ever. A new partition takes
///   commands and hands them out to consumers in this process and in others that have grown, also where those consumed other
///   partitions before.
#[async_trait]
pub trait Commands: Send + Sync + 'static {
    /// How many partitions are known.
    fn partitions(&self) -> usize;

    /// Learns that there are at least so many partitions now, which somebody has made meanwhile (`migrate` of the engine). From then on
    /// they take commands, and hand them out. Fewer than are known change nothing.
    ///
    /// # Errors
    /// `Broken`: they were not made. `Unavailable`.
    async fn grow(&self, partitions: usize) -> Result<(), Error>;

    /// Whether `Ok` from `submit` means that the command survives loss of power (a broker) or only that it waits in memory.
    fn is_durable(&self) -> bool;

    /// Puts a command into a partition's queue.
    ///
    /// # Errors
    /// `Broken` (no such partition is known), `Full`, `Unavailable`.
    async fn submit(&self, partition: usize, payload: Bytes) -> Result<(), Error>;

    /// Gets in line for a partition.
    ///
    /// # Errors
    /// `Broken` (no such partition is known), `Unavailable`.
    async fn consume(&self, partition: usize) -> Result<Box<dyn Consumer>, Error>;

    /// Returns when the turns of consumers that were dropped here are free: a process that ends before has others wait until it is taken
    /// for dead.
    async fn have_left(&self) {}

    /// Keeps what cannot be decided, for an operator.
    ///
    /// # Errors
    /// `Full`, `Unavailable`.
    async fn bury(&self, letters: Vec<Bytes>) -> Result<(), Error>;

    /// Looks at the dead letters as they lie there now. On some engines one looks at a time.
    ///
    /// # Errors
    /// `Conflict` (another one looks), `Unavailable`.
    async fn dead(&self) -> Result<Box<dyn Dead>, Error>;
}

/// One who takes commands from a partition, or waits to. What it did not settle goes to the next when it is dropped.
#[async_trait]
pub trait Consumer: Send {
    /// What waits, 1 to `limit`; waits for its turn, and until there is something. Where much was delivered and not settled, an engine
    /// may wait for that as well. Nothing is lost where this is not awaited to its end.
    ///
    /// # Errors
    /// `Conflict` (its turn was taken away), `Unavailable`.
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error>;

    /// Everything up to this position is in the log and on the feed.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    async fn settle(&mut self, position: u64) -> Result<(), Error>;
}

/// One who looks at the dead letters that there were when it began.
#[async_trait]
pub trait Dead: Send {
    /// How many there were.
    fn count(&self) -> u64;

    /// The next of them, at most `limit`, the oldest first; none where there are no more, or [`DEAD_SEEN_MAX`] were told and not taken away.
    /// Their positions grow.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error>;

    /// Takes away everything up to this position, for good.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn take_away(&mut self, position: u64) -> Result<(), Error>;
}
