//! Moving a site from one set of engines to another: what is copied, in which way, and whether it arrived. Who may write meanwhile,
//! and when the site is at its new place, is the node's to say.
//!
//! - `logs`: the log, and behind it what follows from it; resumable by nature, since where the copy ends tells how far it is;
//! - `people`: directory, keys, cursors and settings, and what waits for devices;
//! - `verify`: whether what arrived is what left.

mod logs;
mod people;
mod verify;

use std::sync::Arc;

use klatch_core::ids::ConversationId;

use crate::sealing::{SealError, Sealer};
use crate::services::Services;

pub use logs::{Copied, Logs};
pub use people::{cursors, directory, is_empty, keys, mailboxes, secrets};
pub use verify::{Verified, verify, verify_ahead};

/// One of the two places.
#[derive(Clone)]
pub struct Place {
    /// The ports.
    pub services: Arc<Services>,
    /// What seals there.
    pub sealer: Arc<Sealer>,
}

/// Why a site cannot be moved, or was not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port failed.
    #[error("an engine failed")]
    Port(#[from] klatch_ports::Error),
    /// A key cannot be read.
    #[error("a key cannot be read")]
    Seal(#[from] SealError),
    /// What is there is not what a copy of this site can be.
    #[error("{0}")]
    Foreign(String),
    /// What arrived is not what left.
    #[error(
        "the copy of {0} differs: {1}; nothing was switched, and nothing here is lost. Begin anew with an empty target"
    )]
    Differs(String, String),
}

impl Error {
    fn conversation(id: ConversationId, how: impl Into<String>) -> Self {
        Self::Differs(format!("conversation {id}"), how.into())
    }
}
