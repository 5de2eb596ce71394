//! Outcomes travel on `live`, which may lose them or be away: then the log and the mailboxes are asked what became of a command.

use std::collections::HashMap;
use std::sync::Arc;

use klatch_core::ids::{ConversationId, DeviceId, Seq};
use klatch_ports::Error;
use klatch_protocol::log::{Outcome, Refusal, decode_index};

use super::{Asked, Conversations};
use crate::projection::catch_up;

/// After that, an outcome may have been lost on its way, and the log is asked instead: milliseconds.
const LOST_MS: u64 = 1_000;
/// Commands of a conversation about which the log is asked at a time.
const LOOK_MAX: usize = 256;

impl Conversations {
    /// Asks the log for what should have been answered by now: outcomes travel on `live`, which may lose them or be away.
    pub(super) fn look(self: &Arc<Self>) {
        let now = self.services.clock.now();
        let mut lost: HashMap<ConversationId, Vec<(u64, Asked)>> = HashMap::new();
        for (correlation, pending) in self.pending.lock().iter() {
            if now.ms_since(pending.since) > LOST_MS {
                let asked = lost.entry(pending.asked.conversation).or_default();
                if asked.len() < LOOK_MAX {
                    asked.push((*correlation, pending.asked));
                }
            }
        }
        if let (false, Ok(turn)) = (lost.is_empty(), self.looking.clone().try_acquire_owned()) {
            let this = self.clone();
            tokio::spawn(async move {
                let _turn = turn;
                for (conversation, asked) in lost {
                    // Where the log is away, so is every answer.
                    let Ok(()) = this.look_at(conversation, asked).await else { break };
                }
            });
        }
    }

    async fn look_at(&self, conversation: ConversationId, lost: Vec<(u64, Asked)>) -> Result<(), Error> {
        let ids: Vec<_> = lost.iter().map(|(_, asked)| asked.id).collect();
        let found = self.services.event_log.find(conversation, &ids).await?;
        let mut others = Vec::new();
        for ((correlation, asked), bytes) in lost.into_iter().zip(found) {
            let known = bytes.map(|bytes| decode_index(&bytes).map_err(Error::corrupt)).transpose()?;
            if let Some(known) = known
                && (known.author, known.hash) == (asked.author, asked.hash)
            {
                metrics::counter!("klatch_outcomes_found_total").increment(1);
                if asked.is_inline {
                    self.show(conversation, known.seq).await;
                }
                // Whether it was the first time, the log does not say; that it took effect, it does.
                self.settle(correlation, Outcome::Committed { seq: known.seq, repeated: true });
            } else if let Some(device) = asked.device {
                others.push((correlation, asked, device));
            }
        }
        self.look_into_mailboxes(conversation, others).await
    }

    /// The processor that wrote it to the log may still be writing the views, or have died before.
    async fn show(&self, conversation: ConversationId, seq: Seq) {
        if let Err(error) = catch_up(&self.services, conversation, seq).await {
            tracing::warn!(%error, "views were not written; the worker will make up for it");
        }
    }

    /// What was accepted and did not take effect may have been refused.
    async fn look_into_mailboxes(
        &self,
        conversation: ConversationId,
        lost: Vec<(u64, Asked, DeviceId)>,
    ) -> Result<(), Error> {
        if lost.is_empty() {
            return Ok(());
        }
        let asked: Vec<_> = lost.iter().map(|(_, asked, device)| (asked.id, *device)).collect();
        let found = self.services.mailboxes.find(conversation, &asked).await?;
        for ((correlation, asked, _), bytes) in lost.into_iter().zip(found) {
            let Some(bytes) = bytes else { continue };
            let refusal = Refusal::decode(bytes).map_err(Error::corrupt)?;
            if (refusal.author, refusal.hash) == (asked.author, asked.hash) {
                metrics::counter!("klatch_outcomes_found_total").increment(1);
                self.settle(correlation, Outcome::Rejected(refusal.rejection));
            }
        }
        Ok(())
    }
}
