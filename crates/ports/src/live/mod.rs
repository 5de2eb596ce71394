//! Who else must hear this now? At most once: what is lost is repaired through seq.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{ConversationId, UserId, Uuid};

use crate::Error;

/// What one can listen to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Topic {
    /// The events and signals of a conversation.
    Conversation(ConversationId),
    /// What concerns a person: new memberships, cursors, settings, presence.
    User(UserId),
    /// What is meant for one node: the outcomes of commands that came in there.
    Node(Uuid),
}

/// Something said on a topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// Where.
    pub topic: Topic,
    /// What.
    pub payload: Bytes,
}

/// # Promises
///
/// - **V1** What is published on a topic reaches every listener that added it before, at most once.
/// - **V2** What one publisher says on one topic is heard in that order.
/// - **V3** A listener that does not keep up loses messages; it grows no queue without limit, and holds nobody up.
/// - **V4** After `remove` returned, and what was already waiting, nothing of that topic is heard.
#[async_trait]
pub trait Live: Send + Sync + 'static {
    /// Says all of this, without waiting for anybody.
    ///
    /// # Errors
    /// `Unavailable`: nobody may have heard it.
    async fn publish(&self, messages: Vec<Said>) -> Result<(), Error>;

    /// Begins to listen, to nothing yet.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn listen(&self) -> Result<(Arc<dyn Topics>, Box<dyn Listener>), Error>;
}

/// Which topics a listener hears.
#[async_trait]
pub trait Topics: Send + Sync + 'static {
    /// Hears this topic too, when it returns. Where the bus is away, it may return all the same, so that nobody is held up: then the
    /// topic is heard when the bus is back, and until then its messages are lost, as are those of all topics.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn add(&self, topic: Topic) -> Result<(), Error>;

    /// No longer hears this topic.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn remove(&self, topic: Topic) -> Result<(), Error>;
}

/// The receiving end.
#[async_trait]
pub trait Listener: Send {
    /// What was said, in order; waits until there is something. `None` when the engine has stopped.
    async fn next(&mut self) -> Option<Vec<Said>>;
}
