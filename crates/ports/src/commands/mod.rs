//! Who decides next for this conversation? Queues of commands, one per partition, each with one consumer at a time.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Error;

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
/// - **C2** What was not settled is delivered again to the next consumer, in order. What was settled is not.
/// - **C3** A full queue answers `Full` at once, and has not taken the command.
/// - **C4** A partition has one consumer at a time: a new one takes over, and the former gets `Conflict`.
/// - **C5** What `submit` returned `Ok` for survives as `is_durable` says.
#[async_trait]
pub trait Commands: Send + Sync + 'static {
    /// How many partitions there are.
    fn partitions(&self) -> usize;

    /// Whether `Ok` from `submit` means that the command survives loss of power (a broker) or only that it waits in memory.
    fn is_durable(&self) -> bool;

    /// Puts a command into a partition's queue.
    ///
    /// # Errors
    /// `Full`, `Unavailable`.
    async fn submit(&self, partition: usize, payload: Bytes) -> Result<(), Error>;

    /// Takes over a partition.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn consume(&self, partition: usize) -> Result<Box<dyn Consumer>, Error>;
}

/// The one who takes commands from a partition.
#[async_trait]
pub trait Consumer: Send {
    /// What waits, 1 to `limit`; waits until there is something.
    ///
    /// # Errors
    /// `Conflict` (another consumer took over), `Unavailable`.
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error>;

    /// Everything up to this position is in the log and on the feed.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    async fn settle(&mut self, position: u64) -> Result<(), Error>;
}
