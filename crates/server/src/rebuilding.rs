//! Views and overlay of a conversation, built anew from its log: after a restore, or where they were lost.

use std::collections::BTreeMap;

use klatch_core::conversation::{Event, Overlay};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_protocol::log::{decode_overlay, encode_overlay};

use crate::processor::event_of;
use crate::projection::project;
use crate::services::Services;

/// Records read at a time.
const PAGE: usize = 1_000;

/// Forgets what was projected of a conversation, and projects all of its log. Nobody may write to it meanwhile. Cursors and
/// settings stay.
///
/// # Errors
/// A port failed, or the log holds what cannot be read.
pub async fn rebuild(services: &Services, conversation: ConversationId) -> Result<(), Error> {
    services.views.clear(conversation).await?;
    services.overlays.clear(conversation).await?;
    let mut next = Seq(1);
    loop {
        let records = services.event_log.read(conversation, next, PAGE).await?;
        let Some(last) = records.last() else { return Ok(()) };
        next = last.seq.next();
        let events = records.iter().map(event_of).collect::<Result<Vec<_>, _>>()?;
        project(services, conversation, &events).await?;
        annotate(services, conversation, &events, last.seq).await?;
    }
}

/// What these events made of messages.
async fn annotate(services: &Services, id: ConversationId, events: &[Event], upto: Seq) -> Result<(), Error> {
    let mut rows: BTreeMap<Seq, Overlay> = BTreeMap::new();
    for event in events {
        let Some(target) = event.kind.target() else { continue };
        if let std::collections::btree_map::Entry::Vacant(row) = rows.entry(target.seq) {
            let before = services.overlays.range(id, target.seq, target.seq).await?.pop();
            let before = before.map(|(_, bytes)| decode_overlay(bytes).map_err(Error::corrupt)).transpose()?;
            row.insert(before.unwrap_or_default());
        }
        rows.entry(target.seq).or_default().apply(event);
    }
    let rows = rows.iter().map(|(seq, overlay)| (*seq, encode_overlay(overlay))).collect();
    services.overlays.put(id, upto, rows).await
}
