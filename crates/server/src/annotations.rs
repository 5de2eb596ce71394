//! The overlay, replayed from the log: what loss of power took from it is made up for before anybody reads it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use klatch_core::conversation::Overlay;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_protocol::log::{decode_overlay, encode_overlay};

use crate::processor::event_of;
use crate::services::Services;

/// Records read at a time.
const PAGE: usize = 1_000;

/// Makes sure that the overlay of a conversation holds every event up to `upto`.
///
/// # Errors
/// The log or the overlay failed.
pub async fn catch_up(services: &Services, conversation: ConversationId, upto: Seq) -> Result<(), Error> {
    let mut last = services.overlays.applied(conversation).await?;
    let mut rows: HashMap<Seq, Overlay> = HashMap::new();
    while last < upto {
        let records = services.event_log.read(conversation, last.next(), PAGE).await?;
        let Some(end) = records.last() else { break };
        last = end.seq;
        for record in &records {
            let event = event_of(record)?;
            let Some(target) = event.kind.target() else { continue };
            let row = match rows.entry(target.seq) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(row(services, conversation, target.seq).await?),
            };
            row.apply(&event);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.iter().map(|(seq, overlay)| (*seq, encode_overlay(overlay))).collect();
    services.overlays.put(conversation, last, rows).await
}

async fn row(services: &Services, conversation: ConversationId, seq: Seq) -> Result<Overlay, Error> {
    let row = services.overlays.range(conversation, seq, seq).await?.pop();
    let row = row.map(|(_, bytes)| decode_overlay(bytes).map_err(Error::corrupt)).transpose()?;
    Ok(row.unwrap_or_default())
}
