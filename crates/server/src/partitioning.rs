//! Which partition's queue a conversation's commands go to. How many partitions there are is said by the port `partitions`, and [`raise`]
//! makes it more while people write (`docs/decisions/0021-more-partitions.md`).

mod holding;
mod raising;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use klatch_core::ids::{ConversationId, Timestamp};
use klatch_ports::Error;
use klatch_ports::partitions::{Map, Partitions, memory};
use tokio::sync::Mutex;

use crate::services::Services;
pub use holding::{Hold, NotHeld};
pub use raising::{NotRaised, Raised, is_possible, raise};

/// Slots into which conversations fall for ever; partitions are made of slots.
pub const SLOTS: usize = 4096;

/// How often a process looks how many there are.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What this process knows of it.
pub struct Partitioning {
    /// Where it is said.
    pub port: Arc<dyn Partitions>,
    known: AtomicUsize,
    /// Whether this process has left those who send. Held while that is said, or that it sends: what is said last counts.
    has_left: Mutex<bool>,
}

impl Partitioning {
    /// As it is said now.
    pub fn new(port: Arc<dyn Partitions>, map: Map) -> Self {
        Self { port, known: AtomicUsize::new(map.partitions), has_left: Mutex::default() }
    }

    /// So many, said by nobody else.
    pub fn alone(partitions: usize) -> Self {
        Self::new(Arc::new(memory::Memory::new(partitions)), Map { partitions, change: None })
    }

    /// How many there are, as far as this process knows.
    pub fn count(&self) -> usize {
        self.known.load(Ordering::Acquire)
    }

    /// Says that this process sends, and what it `holds` back, as [`Partitions::send`] does.
    ///
    /// # Errors
    /// As there; `Unavailable` from when it has left.
    pub async fn send(&self, process: &str, holds: Option<u64>, now: Timestamp) -> Result<Map, Error> {
        let has_left = self.has_left.lock().await;
        if *has_left {
            return Err(Error::unavailable("this process has said that it sends no more"));
        }
        self.port.send(process, holds, now).await
    }

    /// Says that this process sends no more: from now on it cannot.
    ///
    /// # Errors
    /// As for [`Partitions::leave`].
    pub async fn leave(&self, process: &str) -> Result<(), Error> {
        let mut has_left = self.has_left.lock().await;
        *has_left = true;
        self.port.leave(process).await
    }

    /// The map was read.
    pub fn learned(&self, map: Map) {
        self.known.store(map.partitions, Ordering::Release);
    }

    /// The partition of a conversation.
    pub fn of(&self, conversation: ConversationId) -> usize {
        partition(conversation, self.count())
    }
}

/// Becomes one of those who send, for a command that is put into a queue at once. Whoever does so leaves at the end.
///
/// # Errors
/// `Unavailable`, also where the number of partitions changes just now.
pub async fn send(services: &Services) -> Result<(), Error> {
    let map = services.partitioning.send(&services.process, None, services.clock.now()).await?;
    if map.change.is_some() {
        return Err(Error::unavailable("the number of partitions changes just now: try again in some seconds"));
    }
    services.commands.grow(map.partitions).await?;
    services.partitioning.learned(map);
    Ok(())
}

/// The partition of a conversation, where there are so many.
pub fn partition(conversation: ConversationId, partitions: usize) -> usize {
    slot(conversation) * partitions / SLOTS
}

/// The slot of a conversation. The last bits of a UUIDv7 are chance, and so are those of a derived id.
pub fn slot(conversation: ConversationId) -> usize {
    let bytes = conversation.as_bytes();
    (usize::from(bytes[14]) << 8 | usize::from(bytes[15])) % SLOTS
}
