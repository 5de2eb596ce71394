//! The conversations in memory: as many as fit, from their snapshots and what followed in the log.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use klatch_core::conversation::{Conversation, Event};
use klatch_core::ids::{CommandId, ConversationId, Seq};
use klatch_ports::event_log::{Record, Snapshot};
use klatch_ports::{Error, ErrorKind};
use klatch_protocol::log::{decode_event, decode_snapshot, encode_snapshot};

use crate::annotations;
use crate::crash;
use crate::heads;
use crate::services::Services;

/// Conversations in memory, per partition.
const STATES_MAX: usize = 4_096;
/// Events after which a new snapshot is kept: no more are ever replayed to open a conversation.
const SNAPSHOT_EVERY: u64 = 2_048;
/// Events after which one is kept when a conversation leaves memory.
const SNAPSHOT_WORTH: u64 = 128;
/// Records read at a time.
const PAGE: usize = 1_000;

/// LIMIT: refused commands of a conversation that are known without asking their mailboxes.
const REFUSED_MAX: usize = 1_000;

/// A conversation in memory.
pub struct State {
    /// The fold of its events.
    pub conversation: Conversation,
    /// Which of its commands were refused after they had been accepted.
    pub refused: Refused,
    snapshot: Seq,
}

/// The commands of a conversation for which a refusal lies in a mailbox, as far as is known: some may be confirmed by now. Whoever else
/// believes to decide here could refuse more; but that stands on a tail, and either the tail moved, and the conversation is loaded anew,
/// or the same is decided again.
pub enum Refused {
    /// No others.
    These(HashSet<CommandId>),
    /// Any might be.
    Many,
}

impl Refused {
    fn of(ids: Vec<CommandId>) -> Self {
        if ids.len() > REFUSED_MAX { Self::Many } else { Self::These(ids.into_iter().collect()) }
    }

    /// Whether a command may have been refused.
    pub fn may_have(&self, id: CommandId) -> bool {
        match self {
            Self::These(ids) => ids.contains(&id),
            Self::Many => true,
        }
    }

    /// A command is being refused.
    pub fn add(&mut self, id: CommandId) {
        if let Self::These(ids) = self {
            ids.insert(id);
            if ids.len() > REFUSED_MAX {
                *self = Self::Many;
            }
        }
    }

    /// Nothing lies in the mailbox for a command, or no more.
    pub fn remove(&mut self, id: CommandId) {
        if let Self::These(ids) = self {
            ids.remove(&id);
        }
    }
}

/// The conversations of one partition.
pub struct States {
    services: Arc<Services>,
    /// Those who ask where conversations stand are answered from here.
    pub heads: Arc<heads::Memory>,
    states: HashMap<ConversationId, State>,
    /// In the order in which they were loaded: the oldest leaves first.
    order: VecDeque<ConversationId>,
}

/// The event in a record of the log.
///
/// # Errors
/// `Corrupt`.
pub fn event_of(record: &Record) -> Result<Event, Error> {
    decode_event(record.seq, record.head.clone(), record.body.clone()).map_err(Error::corrupt)
}

impl States {
    /// None yet.
    pub fn new(services: Arc<Services>, heads: Arc<heads::Memory>) -> Self {
        Self { services, heads, states: HashMap::new(), order: VecDeque::new() }
    }

    /// Brings a conversation into memory, if it is not there.
    ///
    /// # Errors
    /// The log failed.
    pub async fn load(&mut self, id: ConversationId) -> Result<(), Error> {
        if self.states.contains_key(&id) {
            return Ok(());
        }
        let state = self.read(id).await?;
        self.states.insert(id, state);
        self.order.push_back(id);
        Ok(())
    }

    /// Makes room, but for those of the current batch.
    pub async fn shrink(&mut self) {
        while self.order.len() > STATES_MAX {
            let oldest = self.order.pop_front().expect("it is longer than its limit");
            if let Some(state) = self.states.remove(&oldest) {
                self.save(&state, SNAPSHOT_WORTH).await;
            }
        }
    }

    /// A conversation that was loaded.
    pub fn get_mut(&mut self, id: ConversationId) -> &mut State {
        self.states.get_mut(&id).expect("the batch has loaded it")
    }

    /// Forgets a conversation that turned out not to be as the log has it.
    pub fn forget(&mut self, id: ConversationId) {
        self.heads.forget(id);
        self.states.remove(&id);
        self.order.retain(|other| *other != id);
    }

    /// Keeps a snapshot where it is due.
    pub async fn snapshot_if_due(&mut self, id: ConversationId) {
        let Some(mut state) = self.states.remove(&id) else { return };
        if self.save(&state, SNAPSHOT_EVERY).await {
            state.snapshot = state.conversation.seq;
        }
        self.states.insert(id, state);
    }

    /// Keeps a snapshot of everything that is worth one.
    pub async fn save_all(&mut self) {
        for state in self.states.values() {
            self.save(state, SNAPSHOT_WORTH).await;
        }
    }

    async fn save(&self, state: &State, worth: u64) -> bool {
        let conversation = &state.conversation;
        if conversation.seq.0 - state.snapshot.0 < worth {
            return false;
        }
        // The overlay first: what is older than the snapshot need not be replayed for it.
        let (id, seq) = (conversation.id, conversation.seq);
        let saved = async {
            self.services.overlays.put(id, seq, Vec::new()).await?;
            crash::point("during_snapshot");
            let snapshot = Snapshot { seq, bytes: encode_snapshot(conversation) };
            self.services.event_log.save_snapshot(id, snapshot).await
        };
        saved.await.inspect_err(|error| tracing::warn!(%error, "a snapshot was not kept")).is_ok()
    }

    /// The state from its snapshot and the log; and what a crash kept from the overlay is made up for.
    async fn read(&self, id: ConversationId) -> Result<State, Error> {
        let services = &self.services;
        let snapshot = match services.event_log.snapshot(id).await {
            // The log has it all.
            Err(error) if error.kind == ErrorKind::Corrupt => {
                tracing::warn!(%error, conversation = %id, "a snapshot cannot be read, and is not used");
                None
            }
            snapshot => snapshot?,
        };
        let restored = snapshot.and_then(|snapshot| restore(id, snapshot.bytes));
        let mut conversation = restored.unwrap_or_else(|| Conversation::empty(id));
        let snapshot = conversation.seq;
        loop {
            let records = services.event_log.read(id, conversation.seq.next(), PAGE).await?;
            if records.is_empty() {
                break;
            }
            for record in &records {
                conversation.apply(&event_of(record)?);
            }
        }
        annotations::catch_up(services, id, conversation.seq).await?;
        let refused = services.mailboxes.commands(id, REFUSED_MAX + 1).await?;
        Ok(State { conversation, refused: Refused::of(refused), snapshot })
    }
}

fn restore(id: ConversationId, bytes: Bytes) -> Option<Conversation> {
    decode_snapshot(id, bytes)
        .inspect_err(|error| tracing::info!(%error, conversation = %id, "a snapshot is not used"))
        .ok()
}
