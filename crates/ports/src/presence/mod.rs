//! Who is here? And how often did they? Short-lived state that all nodes share: presence and rate limits. May be lost.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};

use crate::Error;

/// How long a device counts as here after [`Presence::touch`]: milliseconds.
pub const PRESENT_MS: u64 = 75_000;

/// Whether somebody is here. The order is "how much".
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum State {
    /// No device.
    Offline,
    /// A device, but nobody in front of it.
    Away,
    /// Here.
    Online,
}

/// A token bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// How much at once.
    pub burst: u32,
    /// How much a minute thereafter.
    pub per_minute: u32,
}

/// # Promises
///
/// - **P1** Somebody is as present as the most present of their devices that was touched within [`PRESENT_MS`].
/// - **P2** `leave` takes effect at once; other devices are not affected.
/// - **P3** `since` is when the state last changed, as far as is remembered.
/// - **P4** `take` admits at most `burst` at once, and `per_minute` in the long run; a refusal says after how many milliseconds the
///   same call would be admitted, and costs nothing.
/// - **P5** Keys that rest are forgotten: memory is bounded by what happened lately.
#[async_trait]
pub trait Presence: Send + Sync + 'static {
    /// This device is here, in this state (which may be [`State::Offline`]: then it is gone). Returns the person's state before
    /// and now.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn touch(
        &self,
        user: UserId,
        device: DeviceId,
        state: State,
        now: Timestamp,
    ) -> Result<(State, State), Error>;

    /// This device is gone. Returns the person's state before and now.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn leave(&self, user: UserId, device: DeviceId, now: Timestamp) -> Result<(State, State), Error>;

    /// Who of these is here, and since when, in their order; of those who are not remembered, offline since the time 0.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn of(&self, users: &[UserId], now: Timestamp) -> Result<Vec<(State, Timestamp)>, Error>;

    /// Takes `cost` from the bucket of `key`; `Ok(Err(ms))` says after how long to come again. A cost above the burst counts as
    /// the burst: it waits for a full bucket.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn take(&self, key: &str, rate: Rate, cost: u32, now: Timestamp) -> Result<Result<(), u64>, Error>;
}
