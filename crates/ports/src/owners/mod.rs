//! Who decides in which partition, and where are they asked? So that gateways can ask the owner's memory for what they did not hear,
//! and the log only where nobody knows.

use async_trait::async_trait;
use klatch_core::ids::Timestamp;

use crate::Error;

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;

/// How long a claim holds unless it is made again: milliseconds. Much longer than the difference between the clocks of two machines.
pub const CLAIM_MS: u64 = 30_000;

/// Whoever decides in a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The partition.
    pub partition: usize,
    /// Where it is asked.
    pub address: String,
}

/// # Promises
///
/// - **N1** `owners` tells who claimed a partition last, at once, in order of partitions.
/// - **N2** A claim that was not made again for [`CLAIM_MS`] is not told any more.
#[async_trait]
pub trait Owners: Send + Sync + 'static {
    /// Says that whoever is asked at `address` decides in these partitions.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn claim(&self, partitions: &[usize], address: &str, now: Timestamp) -> Result<(), Error>;

    /// Who owns what.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn owners(&self, now: Timestamp) -> Result<Vec<Owner>, Error>;
}
