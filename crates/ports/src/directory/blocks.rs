//! Whom people have blocked.

use async_trait::async_trait;
use klatch_core::ids::{Timestamp, UserId};

use crate::Error;

/// People whom one person may block.
pub const BLOCKS_PER_ACCOUNT_MAX: usize = 1_000;

/// Questions about blocks. The promises stand on [`super::Directory`].
#[async_trait]
pub trait Blocks: Send + Sync + 'static {
    /// Blocks a person. False if there is no room for another.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn block(&self, user: UserId, other: UserId, now: Timestamp) -> Result<bool, Error>;

    /// Takes a block back, if there is one.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Error>;

    /// Whom this person has blocked, in order of id.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn blocks(&self, user: UserId) -> Result<Vec<UserId>, Error>;

    /// Whether one of the two has blocked the other.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn blocked(&self, one: UserId, other: UserId) -> Result<bool, Error>;
}
