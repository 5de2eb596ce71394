//! What Klatch asks of the world. One folder a port: the trait, whose numbered promises are its specification; the contract
//! suite, one function per promise, that every engine passes; and the engine that keeps everything in memory, which passes it
//! too and stands in wherever a test needs a world.
//!
//! `event_log`, `overlay`, `feed`, `commands`, `live` and `mailboxes` carry bytes that they cannot read: the crate `klatch-protocol` gives
//! them meaning, so that every engine stores the same.

pub mod commands;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod directory;
mod error;
pub mod event_log;
pub mod feed;
pub mod keys;
pub mod live;
pub mod mailboxes;
pub mod overlay;
pub mod owners;
pub mod partitions;
pub mod presence;
pub mod views;

pub use error::{Error, ErrorKind};
