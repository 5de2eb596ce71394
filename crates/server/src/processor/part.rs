//! One conversation's part of a batch: what was decided, on its way to the log.

use std::collections::HashMap;

use klatch_core::conversation::{Event, Overlay, Remembered};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::event_log::{NewRecord, Record};
use klatch_ports::mailboxes::Letter;
use klatch_protocol::log::{Envelope, Outcome, decode_overlay, encode_event, encode_index};

use super::release::Committed;
use crate::services::Services;

/// One conversation's part of a batch.
pub struct Part {
    pub conversation: ConversationId,
    /// The tail that the decisions stand on.
    pub before: Seq,
    pub envelopes: Vec<Envelope>,
    /// In the order of the envelopes. Where something is `Corrupt` that only this command needs, only this one is not decided.
    pub outcomes: Vec<Result<Outcome, Error>>,
    /// Events that took effect before: what followed from them may not have been released.
    pub repeated: Vec<Seq>,
    pub events: Vec<Event>,
    pub records: Vec<NewRecord>,
    pub overlays: HashMap<Seq, Overlay>,
    /// What devices are to be told.
    pub letters: Vec<Letter>,
}

impl Part {
    /// Nothing is decided yet.
    pub fn new(conversation: ConversationId, before: Seq) -> Self {
        Self {
            conversation,
            before,
            envelopes: Vec::new(),
            outcomes: Vec::new(),
            repeated: Vec::new(),
            events: Vec::new(),
            records: Vec::new(),
            overlays: HashMap::new(),
            letters: Vec::new(),
        }
    }

    /// What was decided now.
    pub fn take(&mut self, event: Event) {
        if let Some(target) = event.kind.target() {
            self.overlays.entry(target.seq).or_default().apply(&event);
        }
        let stored = encode_event(&event);
        let record = Record { seq: event.seq, id: event.id, head: stored.head, body: stored.body };
        self.records.push(NewRecord { record, index: encode_index(&Remembered::of(&event)) });
        self.events.push(event);
    }

    /// Brings the overlay of a message into memory.
    ///
    /// # Errors
    /// The overlays failed.
    pub async fn load_overlay(&mut self, services: &Services, seq: Seq) -> Result<(), Error> {
        if !self.overlays.contains_key(&seq) {
            let rows = services.overlays.range(self.conversation, seq, seq).await?;
            let row = rows.into_iter().next().map(|(_, bytes)| decode_overlay(bytes).map_err(Error::corrupt));
            self.overlays.insert(seq, row.transpose()?.unwrap_or_default());
        }
        Ok(())
    }

    /// What is released, if anything was decided anew.
    pub fn committed(self) -> Option<Committed> {
        let Self { conversation, events, records, overlays, before, .. } = self;
        let changed = overlays.into_iter().filter(|(_, overlay)| overlay.as_of > before).collect();
        let records = records.into_iter().map(|new| new.record).collect();
        (!events.is_empty()).then_some(Committed { conversation, events, records, overlays: changed })
    }
}
