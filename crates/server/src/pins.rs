//! Which messages of a conversation are pinned: from its latest snapshot and the few events after it, so that it costs the same
//! however long the conversation is.

use std::collections::BTreeSet;

use klatch_core::conversation::Conversation;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_protocol::log::decode_snapshot;

use crate::processor::event_of;
use crate::services::Services;

/// Records read at a time.
const PAGE: usize = 1_000;

/// The seqs of the pinned messages, in order.
///
/// # Errors
/// The log failed.
pub async fn pins(services: &Services, id: ConversationId) -> Result<BTreeSet<Seq>, Error> {
    let snapshot = services.event_log.snapshot(id).await?;
    // One of another version is a cache miss like any other.
    let restored = snapshot.and_then(|snapshot| decode_snapshot(id, snapshot.bytes).ok());
    let mut conversation = restored.unwrap_or_else(|| Conversation::empty(id));
    loop {
        let records = services.event_log.read(id, conversation.seq.next(), PAGE).await?;
        if records.is_empty() {
            return Ok(conversation.pins);
        }
        for record in &records {
            conversation.apply(&event_of(record)?);
        }
    }
}
