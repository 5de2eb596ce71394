//! Whom a gateway asks where conversations stand.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;

use super::wire::{ASKED_MAX, Peers};
use crate::services::Services;

/// Where conversations stand.
pub struct Heads {
    services: Arc<Services>,
    /// Nobody where one process does everything: its log answers from memory.
    peers: Option<Arc<Peers>>,
}

impl Heads {
    /// Asked of these.
    pub fn new(services: Arc<Services>, peers: Option<Arc<Peers>>) -> Self {
        Self { services, peers }
    }

    /// Where these conversations stand, as far as one can know: where nobody decided anything for a while there is nothing to find,
    /// and nobody is asked unless `everywhere`. One call for each owner; the log is asked for what an owner did not answer.
    ///
    /// # Errors
    /// The log failed.
    pub async fn of(
        &self,
        conversations: &[ConversationId],
        everywhere: bool,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        let Some(peers) = &self.peers else { return self.read(conversations).await };
        let owners = self.services.owners.owners(self.services.clock.now()).await;
        let owners = owners.inspect_err(|error| tracing::warn!(%error, "nobody knows who decides where"));
        // Where that is not known, the log is asked for everything.
        let everywhere = everywhere || owners.is_err();
        let owners: HashMap<_, _> =
            owners.unwrap_or_default().into_iter().map(|owner| (owner.partition, owner.address)).collect();
        let mut questions: HashMap<&str, Vec<ConversationId>> = HashMap::new();
        let mut unanswered = Vec::new();
        for conversation in conversations {
            match owners.get(&self.services.partitioning.of(*conversation)) {
                Some(address) => questions.entry(address).or_default().push(*conversation),
                None if everywhere => unanswered.push(*conversation),
                None => {}
            }
        }
        let asked =
            questions.iter().flat_map(|(address, asked)| asked.chunks(ASKED_MAX).map(|asked| (*address, asked)));
        let answers = asked.map(async |(address, asked)| (address, asked, peers.heads(address, asked).await));
        let mut heads = Vec::with_capacity(conversations.len());
        for (address, asked, answer) in join_all(answers).await {
            metrics::counter!("klatch_heads_asked_total").increment(1);
            match answer {
                Ok(answer) => heads.extend(asked.iter().copied().zip(answer)),
                Err(error) => {
                    tracing::info!(address, %error, "an owner does not answer; the log is asked");
                    unanswered.extend_from_slice(asked);
                }
            }
        }
        heads.extend(self.read(&unanswered).await?);
        Ok(heads)
    }

    async fn read(&self, conversations: &[ConversationId]) -> Result<Vec<(ConversationId, Seq)>, Error> {
        let mut heads = Vec::with_capacity(conversations.len());
        for some in conversations.chunks(ASKED_MAX) {
            heads.extend(some.iter().copied().zip(self.services.event_log.tails(some).await?));
        }
        Ok(heads)
    }
}
