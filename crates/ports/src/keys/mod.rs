//! The keys of authors, wrapped by a master key that this port never sees; and the few secrets of a node. Destroyed for good.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::UserId;

use crate::Error;

/// What is known of an author's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// The wrapped key.
    Wrapped(Bytes),
    /// It was destroyed: nobody will ever read what it sealed.
    Destroyed,
}

/// # Promises
///
/// - **K1** A key that was returned or created survives loss of power before anything is sealed with it.
/// - **K2** Of two that create a key for the same person, one wins, and both get that one.
/// - **K3** A destroyed key is nowhere in the store's files, survives loss of power as destroyed, and is never made anew. Where a
///   server keeps what was written before in a log and in copies that this port does not reach, the engine says so, and the
///   operator how long: there the key goes with them.
/// - **K4** `destroyed` lists every person whose key was destroyed, so that a restored backup can be brought up to date.
/// - **K5** A named secret is what was first put under that name.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// What is known of these people's keys, in their order.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn get(&self, users: &[UserId]) -> Result<Vec<Option<Key>>, Error>;

    /// Keeps these wrapped keys, but where there is one already, and returns what is there now, in their order.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn create(&self, keys: Vec<(UserId, Bytes)>) -> Result<Vec<Key>, Error>;

    /// Destroys the keys of these people (K3), whether or not there were any.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn destroy(&self, users: &[UserId]) -> Result<(), Error>;

    /// Everybody whose key was destroyed, in order, at most `limit` from after `after` on.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn destroyed(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserId>, Error>;

    /// The secret of this name; `first` becomes it where there is none (K5).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn secret(&self, name: &str, first: Bytes) -> Result<Bytes, Error>;
}
