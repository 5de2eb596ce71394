//! Reading the log: pages of history with their overlay, for those who may read them.

use std::collections::BTreeMap;

use klatch_core::conversation::{Event, EventKind, History, Overlay};
use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::Error;
use klatch_protocol::log::decode_overlay;
use klatch_protocol::objects;
use klatch_protocol::rest::HistoryPage;

use crate::presenting::{erase, present, present_overlay};
use crate::processor::event_of;
use crate::sealing::Sealer;
use crate::services::Services;

/// Which part of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The newest events.
    Newest,
    /// Those before a seq.
    Before(Seq),
    /// Those after a seq.
    After(Seq),
    /// Those around a seq.
    Around(Seq),
    /// Those from a time on, in milliseconds since 1970.
    From(u64),
}

/// Somebody who reads a conversation that they may read.
pub struct Reader<'a> {
    services: &'a Services,
    sealer: &'a Sealer,
    user: UserId,
    conversation: ConversationId,
    first: Seq,
}

impl<'a> Reader<'a> {
    /// `None` if they may not, or there is nothing: to them it is the same.
    ///
    /// # Errors
    /// The views failed.
    pub async fn admit(
        services: &'a Services,
        sealer: &'a Sealer,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Self>, Error> {
        let Some(membership) = services.views.membership(user, conversation).await? else { return Ok(None) };
        let description = services.views.describe(&[conversation]).await?.pop().flatten();
        let Some(description) = description else { return Ok(None) };
        let first = if description.history == History::All { Seq(1) } else { membership.joined };
        Ok(Some(Self { services, sealer, user, conversation, first }))
    }

    /// The first seq that they may read.
    pub fn first(&self) -> Seq {
        self.first
    }

    /// A page of at most `limit` events.
    ///
    /// # Errors
    /// The log, the overlay or the keys failed.
    pub async fn page(&self, part: Part, limit: u64) -> Result<HistoryPage, Error> {
        let head = self.services.event_log.tails(&[self.conversation]).await?.pop().unwrap_or_default();
        let from = match part {
            Part::Newest => Seq((head.0 + 1).saturating_sub(limit)),
            Part::Before(seq) => Seq(seq.0.min(head.0 + 1).saturating_sub(limit)),
            Part::After(seq) => seq.next(),
            Part::Around(seq) => Seq(seq.0.saturating_sub(limit / 2)),
            Part::From(time) => self.first_shown_at(time, head).await?,
        };
        let from = from.max(self.first);
        let end = match part {
            Part::Before(seq) => Seq(seq.0.min(from.0 + limit)),
            _ => Seq(from.0 + limit),
        };
        let events = self.events(from, end).await?;
        let (events, overlay) = self.with_overlay(events).await?;
        Ok(HistoryPage { events, overlay, head: head.0, first: self.first.0 })
    }

    /// These messages, with their overlay.
    ///
    /// # Errors
    /// The log, the overlay or the keys failed.
    pub async fn messages(&self, seqs: &[Seq]) -> Result<HistoryPage, Error> {
        let head = self.services.event_log.tails(&[self.conversation]).await?.pop().unwrap_or_default();
        let mut all = HistoryPage { events: Vec::new(), overlay: BTreeMap::new(), head: head.0, first: self.first.0 };
        for seq in seqs.iter().filter(|seq| **seq >= self.first) {
            let (events, overlay) = self.with_overlay(self.events(*seq, seq.next()).await?).await?;
            all.events.extend(events);
            all.overlay.extend(overlay);
        }
        Ok(all)
    }

    /// The events from `from` to before `end`.
    async fn events(&self, from: Seq, end: Seq) -> Result<Vec<Event>, Error> {
        let mut events: Vec<Event> = Vec::new();
        let mut next = from.max(self.first);
        while next < end {
            let limit = (end.0 - next.0) as usize;
            let records = self.services.event_log.read(self.conversation, next, limit).await?;
            let Some(last) = records.last() else { break };
            next = last.seq.next();
            for record in &records {
                events.push(event_of(record)?);
            }
        }
        Ok(events)
    }

    async fn with_overlay(
        &self,
        events: Vec<Event>,
    ) -> Result<(Vec<objects::Event>, BTreeMap<u64, objects::OverlayItem>), Error> {
        let mut overlay = BTreeMap::new();
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok((Vec::new(), overlay)) };
        let rows = self.services.overlays.range(self.conversation, first.seq, last.seq).await?;
        let rows = rows.into_iter().map(|(seq, bytes)| Ok((seq, decode_overlay(bytes).map_err(Error::corrupt)?)));
        let rows: BTreeMap<Seq, Overlay> = rows.collect::<Result<_, Error>>()?;
        let mut presented = Vec::with_capacity(events.len());
        for event in &events {
            let mut shown = present(self.sealer, self.conversation, event).await?;
            if self.is_deleted(event, &rows).await? {
                erase(&mut shown);
            }
            presented.push(shown);
        }
        for (seq, row) in rows {
            let edit = self.latest_edit(&row).await?;
            overlay.insert(seq.0, present_overlay(&row, edit.as_ref(), self.user));
        }
        Ok((presented, overlay))
    }

    /// Whether a later event deleted this message, or the one that this edits: its body may still lie in the log for a moment.
    async fn is_deleted(&self, event: &Event, rows: &BTreeMap<Seq, Overlay>) -> Result<bool, Error> {
        let message = match &event.kind {
            EventKind::Sent(_) => event.seq,
            EventKind::Edited { target, body: Some(_), .. } => target.seq,
            _ => return Ok(false),
        };
        if let Some(row) = rows.get(&message) {
            return Ok(row.deleted.is_some());
        }
        if message == event.seq {
            return Ok(false);
        }
        let row = self.services.overlays.range(self.conversation, message, message).await?.pop();
        let row = row.map(|(_, bytes)| decode_overlay(bytes).map_err(Error::corrupt)).transpose()?;
        Ok(row.is_some_and(|row| row.deleted.is_some()))
    }

    async fn latest_edit(&self, overlay: &Overlay) -> Result<Option<objects::Event>, Error> {
        let Some(edit) = overlay.edits.last().filter(|_| overlay.deleted.is_none()) else { return Ok(None) };
        let edits = self.events(edit.seq, edit.seq.next()).await?;
        match edits.first() {
            Some(event) => present(self.sealer, self.conversation, event).await.map(Some),
            None => Ok(None),
        }
    }

    /// The first event that is shown at `time` or later. Imported times run backwards now and then; where they do, it is one
    /// nearby.
    async fn first_shown_at(&self, time: u64, head: Seq) -> Result<Seq, Error> {
        let (mut low, mut high) = (self.first.0, head.0 + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let events = self.events(Seq(middle), Seq(middle + 1)).await?;
            if events.first().is_some_and(|event| shown_at(event) < time) { low = middle + 1 } else { high = middle }
        }
        Ok(Seq(low.min(head.0)))
    }
}

/// The time at which people see an event: that of the server, but for what was imported.
fn shown_at(event: &Event) -> u64 {
    let imported = matches!(&event.kind, EventKind::Sent(message) if message.origin.is_some());
    event.claimed_at.filter(|_| imported).unwrap_or(event.at).0
}
