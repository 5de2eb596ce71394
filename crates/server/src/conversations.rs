//! The handle with which everybody commands a conversation: it finds the partition, puts the command into its queue, and brings
//! the outcome back to whoever asked. The same whether the processor is in this process or in another.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use klatch_core::conversation::Command;
use klatch_core::ids::{ConversationId, Timestamp, Uuid};
use klatch_ports::ErrorKind;
use klatch_ports::live::Topic;
use klatch_protocol::log::{Envelope, Failure, Outcome};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::environment::uuid_v7;
use crate::services::Services;

/// Slots into which conversations fall for ever; partitions are made of slots.
pub const SLOTS: usize = 4096;
/// How long an outcome is waited for: milliseconds. After that it is unknown, and the client sends again.
const PATIENCE_MS: u64 = 10_000;
const SWEEP: Duration = Duration::from_secs(1);

/// Called once, with what became of a command.
pub type Reply = Box<dyn FnOnce(Outcome) + Send>;

/// Why a command did not reach a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The queue is full: come again.
    Full,
    /// The queue is away.
    Unavailable,
}

/// The handle.
pub struct Conversations {
    services: Arc<Services>,
    node: Uuid,
    pending: Mutex<HashMap<u64, Pending>>,
    next: AtomicU64,
}

struct Pending {
    since: Timestamp,
    reply: Reply,
}

/// The slot of a conversation. The last bits of a UUIDv7 are chance, and so are those of a derived id.
pub fn slot(conversation: ConversationId) -> usize {
    let bytes = conversation.as_bytes();
    (usize::from(bytes[14]) << 8 | usize::from(bytes[15])) % SLOTS
}

impl Conversations {
    /// Begins to listen for outcomes.
    ///
    /// # Errors
    /// The port `live` failed.
    pub async fn start(services: Arc<Services>) -> Result<Arc<Self>, klatch_ports::Error> {
        let node = uuid_v7(&*services.clock, &*services.entropy);
        let (topics, mut listener) = services.live.listen().await?;
        topics.add(Topic::Node(node)).await?;
        let this = Arc::new(Self { services, node, pending: Mutex::default(), next: AtomicU64::new(1) });
        let receiver = Arc::downgrade(&this);
        tokio::spawn(async move {
            let mut sweep = tokio::time::interval(SWEEP);
            loop {
                let said = tokio::select! {
                    said = listener.next() => Some(said),
                    _ = sweep.tick() => None,
                };
                let Some(this) = receiver.upgrade() else { break };
                match said {
                    Some(Some(said)) => said.into_iter().for_each(|said| this.arrived(said.payload)),
                    Some(None) => break,
                    None => this.sweep(),
                }
            }
            drop(topics);
        });
        Ok(this)
    }

    /// Puts a command into its queue; `reply` is called once, with its outcome.
    ///
    /// # Errors
    /// [`Refused`]; then `reply` was not and will not be called.
    pub async fn submit(
        &self,
        conversation: ConversationId,
        command: Command,
        blocked: bool,
        reply: Reply,
    ) -> Result<(), Refused> {
        let correlation = self.next.fetch_add(1, Ordering::Relaxed);
        let envelope = Envelope { reply_to: self.node, correlation, conversation, blocked, command };
        let commands = &self.services.commands;
        let partition = slot(conversation) * commands.partitions() / SLOTS;
        self.pending.lock().insert(correlation, Pending { since: self.services.clock.now(), reply });
        commands.submit(partition, envelope.encode()).await.map_err(|error| {
            self.pending.lock().remove(&correlation);
            if error.kind == ErrorKind::Full { Refused::Full } else { Refused::Unavailable }
        })
    }

    /// Does a command, and waits for what becomes of it.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn command(
        &self,
        conversation: ConversationId,
        command: Command,
        blocked: bool,
    ) -> Result<Outcome, Refused> {
        let (tell, told) = oneshot::channel();
        let reply = Box::new(move |outcome| {
            // The asker may have gone away meanwhile; then nobody needs to know.
            let _ = tell.send(outcome);
        });
        self.submit(conversation, command, blocked, reply).await?;
        Ok(told.await.unwrap_or(Outcome::Failed(Failure::Unavailable)))
    }

    fn arrived(&self, payload: bytes::Bytes) {
        match Outcome::decode(payload) {
            Ok((correlation, outcome)) => {
                let pending = self.pending.lock().remove(&correlation);
                if let Some(pending) = pending {
                    (pending.reply)(outcome);
                }
            }
            Err(error) => tracing::warn!(%error, "an outcome could not be read"),
        }
    }

    fn sweep(&self) {
        let now = self.services.clock.now();
        let late: Vec<_> =
            self.pending.lock().extract_if(|_, pending| now.ms_since(pending.since) > PATIENCE_MS).collect();
        for (_, pending) in late {
            (pending.reply)(Outcome::Failed(Failure::Unavailable));
        }
    }
}
