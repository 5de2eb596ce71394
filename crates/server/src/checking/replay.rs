//! A replay beside what is there: state, overlay and lists, folded from the events, then compared.

use std::collections::BTreeMap;

use bytes::Bytes;
use klatch_core::conversation::{Conversation, Event, Overlay};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::views::{Views, memory};
use klatch_protocol::log::{Malformed, decode_overlay, decode_snapshot};

use super::{FINDINGS_MAX, Kind, PAGE};
use crate::processor::event_of;
use crate::projection::projection;
use crate::services::Services;

/// LIMIT: attempts to see the overlay, or the lists, as they are at one moment, where people write.
const ATTEMPTS_MAX: usize = 10;

type Found = (Kind, Option<Seq>, String);

/// What came of a replay.
pub struct Ended {
    /// What is wrong.
    pub found: Vec<Found>,
    /// Whether lists or overlay do not hold everything yet, or could not be compared since they changed all the time.
    pub is_behind: bool,
}

/// A replay of one conversation.
pub struct Replay<'a> {
    services: &'a Services,
    id: ConversationId,
    state: Conversation,
    /// The state that was kept, if this version can read it.
    snapshot: Option<Conversation>,
    /// The overlay, up to where the stored one goes, as far as is known.
    rows: BTreeMap<Seq, Overlay>,
    applied: Seq,
    /// The last event that belongs into the overlay.
    annotated: Seq,
    views: memory::Memory,
    /// How far the stored views go, as far as is known.
    projected: Seq,
    ended: Ended,
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
            annotated: Seq::ZERO,
            views: memory::Memory::default(),
            projected: services.views.projected(id).await?,
            ended: Ended { found, is_behind: false },
        })
    }

    /// Folds the next events in: all of what was stored when it was begun follows from them.
    pub async fn take(&mut self, events: &[Event]) -> Result<(), Error> {
        for event in events {
            self.state.apply(event);
            if self.snapshot.as_ref().is_some_and(|snapshot| snapshot.seq == event.seq) {
                self.compare_snapshot();
            }
            if event.kind.target().is_some() {
                self.annotated = event.seq;
            }
            if event.seq <= self.applied {
                self.annotate(event);
            }
        }
        // Only as far as the stored views go: the rest is projected by whoever works at them.
        let upto = events.iter().take_while(|event| event.seq <= self.projected).count();
        self.project(&events[..upto]).await
    }

    fn annotate(&mut self, event: &Event) {
        if let Some(target) = event.kind.target() {
            self.rows.entry(target.seq).or_default().apply(event);
        }
    }

    async fn project(&self, events: &[Event]) -> Result<(), Error> {
        if !events.is_empty() {
            self.views.project(vec![projection(self.id, events)]).await?;
        }
        Ok(())
    }

    fn compare_snapshot(&mut self) {
        if let Some(snapshot) = self.snapshot.take()
            && snapshot != self.state
        {
            self.found(Kind::Snapshot, Some(snapshot.seq), "the snapshot is not what the events lead to");
        }
    }

    fn found(&mut self, kind: Kind, seq: Option<Seq>, detail: impl Into<String>) {
        if self.ended.found.len() < FINDINGS_MAX {
            self.ended.found.push((kind, seq, detail.into()));
        }
    }

    /// Compares, and says what is wrong.
    pub async fn end(mut self) -> Result<Ended, Error> {
        let last = self.state.seq;
        if let Some(snapshot) = self.snapshot.take() {
            let detail = format!("the snapshot is ahead of the log ({last})");
            self.found(Kind::Snapshot, Some(snapshot.seq), detail);
        }
        if let Err(sentence) = self.state.check() {
            self.found(Kind::State, Some(last), sentence);
        }
        self.compare_overlay().await?;
        self.compare_views().await?;
        self.ended.is_behind |= self.applied < self.annotated || self.projected < last;
        Ok(self.ended)
    }

    /// Some of the events after `from`, up to `to`: none, if the log does not go that far.
    async fn events(&self, from: Seq, to: Seq) -> Result<Vec<Event>, Error> {
        let limit = usize::try_from(to.0.saturating_sub(from.0)).map_or(PAGE, |limit| limit.min(PAGE));
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.services.event_log.read(self.id, from.next(), limit).await?.iter().map(event_of).collect()
    }

    /// What is stored may have grown since it was begun: then the replay goes on to there first.
    async fn compare_overlay(&mut self) -> Result<(), Error> {
        let stored = self.stored_overlay().await?;
        let Some((applied, stored)) = stored.filter(|(applied, _)| *applied >= self.applied) else {
            self.ended.is_behind = true;
            return Ok(());
        };
        let mut end = self.state.seq;
        while self.applied < applied {
            let events = self.events(self.applied, applied).await?;
            let Some(last) = events.last().map(|event| event.seq) else { break };
            events.iter().for_each(|event| self.annotate(event));
            self.applied = last;
            end = end.max(last);
        }
        if applied > end {
            self.found(Kind::Overlay, None, format!("the overlay is ahead of the log ({applied} of {end})"));
        }
        for (seq, bytes) in stored {
            let problem = match (decode_overlay(bytes), self.rows.remove(&seq)) {
                (Ok(stored), Some(expected)) if stored == expected => continue,
                (Ok(_), Some(_)) => "the overlay is not what the events made of this message".to_owned(),
                (Ok(_), None) => "the overlay has a row of a message that nothing was done to".to_owned(),
                (Err(error), _) => format!("a row of the overlay cannot be read: {error}"),
            };
            self.found(Kind::Overlay, Some(seq), problem);
        }
        for seq in std::mem::take(&mut self.rows).into_keys() {
            self.found(Kind::Overlay, Some(seq), "the overlay lacks the row of this message");
        }
        Ok(())
    }

    /// How far the overlay goes, and its rows then.
    async fn stored_overlay(&self) -> Result<Option<(Seq, Vec<(Seq, Bytes)>)>, Error> {
        let overlays = &self.services.overlays;
        for _ in 0..ATTEMPTS_MAX {
            let applied = overlays.applied(self.id).await?;
            let rows = overlays.range(self.id, Seq::ZERO, Seq(u64::MAX)).await?;
            if overlays.applied(self.id).await? == applied {
                return Ok(Some((applied, rows)));
            }
        }
        Ok(None)
    }

    async fn compare_views(&mut self) -> Result<(), Error> {
        let stored = self.stored_views().await?;
        let Some((projected, stored)) = stored.filter(|(projected, _)| *projected >= self.projected) else {
            self.ended.is_behind = true;
            return Ok(());
        };
        let mut end = self.state.seq;
        while self.projected < projected {
            let events = self.events(self.projected, projected).await?;
            let Some(last) = events.last().map(|event| event.seq) else { break };
            self.project(&events).await?;
            self.projected = last;
            end = end.max(last);
        }
        if projected > end {
            self.found(Kind::Views, None, format!("the lists are ahead of the log ({projected} of {end})"));
            return Ok(());
        }
        let expected = self.views.dump(self.id).await?;
        if stored != expected {
            let line = stored.lines().zip(expected.lines()).find(|(stored, expected)| stored != expected);
            let (stored, expected) = line.unwrap_or(("fewer or more lines", "as many as follow from the log"));
            let detail = format!("the lists hold \"{stored}\" where \"{expected}\" follows from the log");
            self.found(Kind::Views, Some(projected), detail);
        }
        Ok(())
    }

    /// How far the lists go, and what they hold then.
    async fn stored_views(&self) -> Result<Option<(Seq, String)>, Error> {
        let views = &self.services.views;
        for _ in 0..ATTEMPTS_MAX {
            let projected = views.projected(self.id).await?;
            let dump = views.dump(self.id).await?;
            if views.projected(self.id).await? == projected {
                return Ok(Some((projected, dump)));
            }
        }
        Ok(None)
    }
}
