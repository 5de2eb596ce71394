//! What an owner knows of the heads in its partitions.

use std::collections::HashMap;
use std::sync::Arc;

use klatch_core::ids::{ConversationId, Seq, Timestamp};
use klatch_ports::Error;
use klatch_ports::owners::CLAIM_MS;
use parking_lot::{Mutex, MutexGuard};
use quick_cache::unsync::Cache;

use crate::services::Services;

/// LIMIT: heads that are remembered, per partition.
const HEADS_MAX: usize = 10_000;
/// Between two claims of a partition in which something is decided.
const CLAIM_EVERY_MS: u64 = CLAIM_MS / 3;

/// The heads of the partitions that this process owns.
pub struct Memory {
    services: Arc<Services>,
    /// Where this process is asked; nobody can where there is none.
    address: Option<String>,
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    /// How many partitions there are, by which these are told apart.
    count: usize,
    owned: HashMap<usize, Owned>,
}

struct Owned {
    heads: Cache<ConversationId, Seq>,
    claimed_at: Option<Timestamp>,
}

impl Memory {
    /// Nothing is known yet.
    pub fn new(services: Arc<Services>, address: Option<String>) -> Self {
        Self { services, address, all: Mutex::default() }
    }

    /// Something was decided in this partition, so it is ours: those who ask are told so, now and then.
    pub async fn decided(&self, partition: usize) {
        let (Some(address), now) = (&self.address, self.services.clock.now()) else { return };
        {
            let mut all = self.all();
            let owned = all.owned.entry(partition).or_insert_with(Owned::new);
            if owned.claimed_at.is_some_and(|at| now.ms_since(at) < CLAIM_EVERY_MS) {
                return;
            }
            owned.claimed_at = Some(now);
        }
        if let Err(error) = self.services.owners.claim(&[partition], address, now).await {
            tracing::warn!(partition, %error, "nobody was told who decides here; the log will be asked instead");
        }
    }

    /// A conversation stands here now.
    pub fn appended(&self, conversation: ConversationId, seq: Seq) {
        if let Some(owned) = self.all().of(&self.services, conversation) {
            owned.note(conversation, seq);
        }
    }

    /// Somebody else may have appended to this conversation.
    pub fn forget(&self, conversation: ConversationId) {
        if let Some(owned) = self.all().of(&self.services, conversation) {
            owned.heads.remove(&conversation);
        }
    }

    /// The partition is not ours any more. The claim stays until it lapses or another is made: what was decided here just now must be found
    /// by those who did not hear of it, and whoever has the partition now claims it with the first decision.
    pub fn left(&self, partition: usize) {
        self.all().owned.remove(&partition);
    }

    /// Where these conversations stand, in their order. What is not known is asked of the log, once.
    ///
    /// # Errors
    /// The log failed.
    pub async fn of(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        let mut heads: Vec<_> = conversations.iter().map(|conversation| self.known(*conversation)).collect();
        let unknown: Vec<_> = conversations.iter().zip(&heads).filter(|(_, head)| head.is_none()).collect();
        let unknown: Vec<_> = unknown.into_iter().map(|(conversation, _)| *conversation).collect();
        if !unknown.is_empty() {
            let mut tails = self.services.event_log.tails(&unknown).await?.into_iter().zip(&unknown);
            for head in heads.iter_mut().filter(|head| head.is_none()) {
                let Some((tail, conversation)) = tails.next() else { break };
                self.appended(*conversation, tail);
                *head = Some(tail);
            }
        }
        Ok(heads.into_iter().map(|head| head.unwrap_or(Seq::ZERO)).collect())
    }

    fn known(&self, conversation: ConversationId) -> Option<Seq> {
        self.all().of(&self.services, conversation)?.heads.get(&conversation).copied()
    }

    /// Once there are more partitions, others decide in most conversations: what was known of them is not known any more.
    fn all(&self) -> MutexGuard<'_, All> {
        let (mut all, count) = (self.all.lock(), self.services.partitioning.count());
        if all.count != count {
            all.owned.values_mut().for_each(|owned| owned.heads.clear());
            all.count = count;
        }
        all
    }
}

impl All {
    fn of(&mut self, services: &Services, conversation: ConversationId) -> Option<&mut Owned> {
        self.owned.get_mut(&services.partitioning.of(conversation))
    }
}

impl Owned {
    fn new() -> Self {
        Self { heads: Cache::new(HEADS_MAX), claimed_at: None }
    }

    /// What is read from the log may be older than what was appended meanwhile.
    fn note(&mut self, conversation: ConversationId, seq: Seq) {
        let newest = self.heads.get(&conversation).copied().unwrap_or_default().max(seq);
        self.heads.insert(conversation, newest);
    }
}
