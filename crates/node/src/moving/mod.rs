//! `klatch move`: a site goes to other engines as a whole, while people chat, and stays where people know it.
//!
//! 1. The log is copied, and the keys of authors, while the node goes on working (`ahead`).
//! 2. The node stops, and keeps only its listening sockets: whoever connects waits. Nobody else can open its data.
//! 3. What is left of the log, and everything else, is copied, and all of it compared (`finish`).
//! 4. The source writes down that it moved. From here on it never writes again.
//! 5. The target is opened for writing, and the node starts again, as a gateway to it (`gateway`).
//!
//! A site that is on servers is moved by the command: its queue is emptied, every process stops (`leaving`), and the rest is the same.
//!
//! Where a site is, its directory says (`Standing`, D15): the source's from step 4 on, the target's from the first copy to step 5.

mod abort;
mod finish;
mod gateway;
mod leaving;
mod target;

use std::collections::HashMap;

use klatch_core::ids::{ConversationId, Seq};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

pub use abort::abort;
pub use finish::{ahead, finish};
pub use gateway::{Whereabouts, open_here, whereabouts};
pub use leaving::leave;
pub use target::Target;

/// Lines that wait for the operator; beyond, they are passed over.
pub const LINES_MAX: usize = 64;

/// What was moved.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Moved {
    /// How many conversations.
    pub conversations: u64,
    /// How many records; each was compared with its original.
    pub records: u64,
    /// A hash over all conversations and their heads, the same at both places.
    pub heads: String,
    /// How many accounts.
    pub accounts: u64,
    /// How many keys of authors.
    pub keys: u64,
    /// How many cursors.
    pub cursors: u64,
    /// How many answers that wait for devices.
    #[serde(default)]
    pub answers: u64,
    /// How long senders had to wait: milliseconds.
    pub paused_ms: u64,
}

/// Tells the operator how far it is.
#[derive(Clone)]
pub struct Tell(mpsc::Sender<String>);

impl Tell {
    /// To whoever listens here.
    pub fn new() -> (Self, mpsc::Receiver<String>) {
        let (lines, told) = mpsc::channel(LINES_MAX);
        (Self(lines), told)
    }

    /// One line.
    pub fn say(&self, line: impl Into<String>) {
        let line = line.into();
        tracing::info!("moving: {line}");
        self.pass(line);
    }

    /// One line of many, for whoever listens now.
    pub fn pass(&self, line: impl Into<String>) {
        // Whoever does not keep up, or has gone away, misses lines and nothing else.
        let _ = self.0.try_send(line.into());
    }
}

/// What was compared already, conversation by conversation.
pub type Known = HashMap<ConversationId, Seq>;

/// A node is asked to move: everything that could be done while it works is done.
pub struct Asked {
    /// Where to.
    pub target: Target,
    /// What was compared.
    pub known: Known,
    /// Who is told how far it is.
    pub tell: Tell,
    /// Who is told what became of it.
    pub answer: oneshot::Sender<anyhow::Result<Moved>>,
}
