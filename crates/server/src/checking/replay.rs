//! A replay beside what is there: state, overlay and lists, folded from the events, then compared.

use std::collections::BTreeMap;

use klatch_core::conversation::{Conversation, Event, Overlay};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::views::{Views, memory};
use klatch_protocol::log::{Malformed, decode_overlay, decode_snapshot};

use super::Kind;
use crate::projection::projection;
use crate::services::Services;

/// Rows of the overlay read at a time.
const ROWS: u64 = 4_096;

type Found = (Kind, Option<Seq>, String);

/// A replay of one conversation.
pub struct Replay<'a> {
    services: &'a Services,
    id: ConversationId,
    state: Conversation,
    /// The state that was kept, if this version can read it.
    snapshot: Option<Conversation>,
    /// The overlay, up to where the stored one goes.
    rows: BTreeMap<Seq, Overlay>,
    applied: Seq,
    views: memory::Memory,
    /// How far the stored views go.
    projected: Seq,
    found: Vec<Found>,
}

impl<'a> Replay<'a> {
    /// Looks at what is stored.
    pub async fn begin(services: &'a Services, id: ConversationId) -> Result<Self, Error> {
        let mut found = Vec::new();
        let stored = services.event_log.snapshot(id).await?;
        let snapshot = match stored.map(|stored| decode_snapshot(id, stored.bytes)) {
            Some(Ok(state)) => Some(state),
            // Of another version: it will be thrown away, as it should.
            Some(Err(Malformed::Version(_))) | None => None,
            Some(Err(error)) => {
                found.push((Kind::Snapshot, None, format!("the snapshot cannot be read: {error}")));
                None
            }
        };
        Ok(Self {
            services,
            id,
            state: Conversation::empty(id),
            snapshot,
            rows: BTreeMap::new(),
            applied: services.overlays.applied(id).await?,
            views: memory::Memory::default(),
            projected: services.views.projected(id).await?,
            found,
        })
    }

    /// Folds the next events in.
    pub async fn take(&mut self, events: &[Event]) -> Result<(), Error> {
        for event in events {
            self.state.apply(event);
            if self.snapshot.as_ref().is_some_and(|snapshot| snapshot.seq == event.seq) {
                self.compare_snapshot();
            }
            if let Some(target) = event.kind.target().filter(|_| event.seq <= self.applied) {
                self.rows.entry(target.seq).or_default().apply(event);
            }
        }
        // Only as far as the stored views go: the rest is projected at the next start.
        let upto = events.iter().take_while(|event| event.seq <= self.projected).count();
        if upto > 0 {
            self.views.project(vec![projection(self.id, &events[..upto])]).await?;
        }
        Ok(())
    }

    fn compare_snapshot(&mut self) {
        if let Some(snapshot) = self.snapshot.take()
            && snapshot != self.state
        {
            let detail = "the snapshot is not what the events lead to".to_owned();
            self.found.push((Kind::Snapshot, Some(snapshot.seq), detail));
        }
    }

    /// Compares, and says what is wrong.
    pub async fn end(mut self) -> Result<Vec<Found>, Error> {
        let last = self.state.seq;
        if let Some(snapshot) = self.snapshot.take() {
            self.found.push((Kind::Snapshot, Some(snapshot.seq), format!("the snapshot is ahead of the log ({last})")));
        }
        if let Err(sentence) = self.state.check() {
            self.found.push((Kind::State, Some(last), sentence.to_owned()));
        }
        self.compare_overlay().await?;
        self.compare_views().await?;
        Ok(self.found)
    }

    async fn compare_overlay(&mut self) -> Result<(), Error> {
        if self.applied > self.state.seq {
            let detail = format!("the overlay is ahead of the log ({} of {})", self.applied, self.state.seq);
            self.found.push((Kind::Overlay, None, detail));
        }
        let mut from = 0;
        while from <= self.state.seq.0 {
            let to = from + ROWS - 1;
            for (seq, bytes) in self.services.overlays.range(self.id, Seq(from), Seq(to)).await? {
                let problem = match (decode_overlay(bytes), self.rows.remove(&seq)) {
                    (Ok(stored), Some(expected)) if stored == expected => continue,
                    (Ok(_), Some(_)) => "the overlay is not what the events made of this message".to_owned(),
                    (Ok(_), None) => "the overlay has a row of a message that nothing was done to".to_owned(),
                    (Err(error), _) => format!("a row of the overlay cannot be read: {error}"),
                };
                self.found.push((Kind::Overlay, Some(seq), problem));
            }
            from = to + 1;
        }
        for seq in self.rows.keys() {
            self.found.push((Kind::Overlay, Some(*seq), "the overlay lacks the row of this message".to_owned()));
        }
        Ok(())
    }

    async fn compare_views(&mut self) -> Result<(), Error> {
        if self.projected > self.state.seq {
            let detail = format!("the lists are ahead of the log ({} of {})", self.projected, self.state.seq);
            self.found.push((Kind::Views, None, detail));
            return Ok(());
        }
        let (stored, expected) = (self.services.views.dump(self.id).await?, self.views.dump(self.id).await?);
        if stored != expected {
            let line = stored.lines().zip(expected.lines()).find(|(stored, expected)| stored != expected);
            let (stored, expected) = line.unwrap_or(("fewer or more lines", "as many as follow from the log"));
            let detail = format!("the lists hold \"{stored}\" where \"{expected}\" follows from the log");
            self.found.push((Kind::Views, Some(self.projected), detail));
        }
        Ok(())
    }
}
