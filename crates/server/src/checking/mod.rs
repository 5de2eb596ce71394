//! Whether a conversation is as it must be: its log against itself, and everything that follows from it against a replay. Nothing
//! is changed. People may write meanwhile: what is compared is as it was at one moment, and what grows is looked at in the order in which
//! it grows.

mod replay;
#[cfg(test)]
mod tests;

use klatch_core::conversation::{Event, Remembered};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::event_log::Record;
use klatch_protocol::log::{decode_event, decode_index};

use crate::sealing::{Place, SealError, Sealer};
use crate::services::Services;
use replay::Replay;

/// Records read at a time.
const PAGE: usize = 1_000;
/// LIMIT: findings of one conversation; where everything is wrong, more say no more.
pub const FINDINGS_MAX: usize = 100;

/// What can be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Kind {
    /// A seq is missing or comes twice.
    Hole,
    /// A record cannot be read.
    Unreadable,
    /// A body was not sealed for its place, or was changed.
    Seal,
    /// The index does not find an id, or finds something else.
    Index,
    /// The last seq is said to be another than it is.
    Tail,
    /// The state that the events lead to cannot be.
    State,
    /// The overlay is not what the events made of the messages.
    Overlay,
    /// The lists are not what follows from the events.
    Views,
    /// The snapshot is not the state that the events lead to.
    Snapshot,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Hole,
        Self::Unreadable,
        Self::Seal,
        Self::Index,
        Self::Tail,
        Self::State,
        Self::Overlay,
        Self::Views,
        Self::Snapshot,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hole => "hole",
            Self::Unreadable => "unreadable",
            Self::Seal => "seal",
            Self::Index => "index",
            Self::Tail => "tail",
            Self::State => "state",
            Self::Overlay => "overlay",
            Self::Views => "views",
            Self::Snapshot => "snapshot",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where.
    pub conversation: ConversationId,
    /// At which event, if it is one.
    pub seq: Option<Seq>,
    /// What sort of thing.
    pub kind: Kind,
    /// A sentence.
    pub detail: String,
}

/// What was seen of a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// How many records it has.
    pub records: u64,
    /// Whether the lists or the overlay do not hold all of these yet, or changed under every attempt to compare them. Who works at
    /// them makes up for it: it is no damage, but where it stays, nobody works at them.
    pub is_behind: bool,
    /// What is wrong, at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
}

/// Checks one conversation, of which the log said before that it ends at `tail`. Without a sealer, bodies are not opened.
///
/// # Errors
/// A port failed; what is wrong with the data is no error.
pub async fn check(
    services: &Services,
    sealer: Option<&Sealer>,
    conversation: ConversationId,
    tail: Seq,
) -> Result<Checked, Error> {
    let mut check = Check { services, sealer, conversation, checked: Checked::default() };
    let mut replay = Replay::begin(services, conversation).await?;
    let mut next = Seq(1);
    let mut is_whole = true;
    loop {
        let records = services.event_log.read(conversation, next, PAGE).await?;
        let Some(last) = records.last() else { break };
        let mut events = Vec::with_capacity(records.len());
        for record in &records {
            is_whole &= check.place(record, next);
            next = record.seq.next();
            match check.record(record).await? {
                Some(event) => events.push(event),
                None => is_whole = false,
            }
        }
        next = last.seq.next();
        check.checked.records += records.len() as u64;
        check.index(&events).await?;
        // Behind a hole nothing follows from what is there.
        if is_whole {
            replay.take(&events).await?;
        }
    }
    let (end, said) = (Seq(next.0 - 1), services.event_log.tails(&[conversation]).await?);
    // What was appended meanwhile is beyond what it said before, and not beyond what it says now.
    let wrong = [Some(tail).filter(|tail| end < *tail), said.into_iter().find(|said| *said < end)];
    for said in wrong.into_iter().flatten() {
        check.found(None, Kind::Tail, format!("the log ends at {end}, and says {said}"));
    }
    if is_whole {
        let ended = replay.end().await?;
        check.checked.is_behind = ended.is_behind;
        for (kind, seq, detail) in ended.found {
            check.found(seq, kind, detail);
        }
    }
    Ok(check.checked)
}

struct Check<'a> {
    services: &'a Services,
    sealer: Option<&'a Sealer>,
    conversation: ConversationId,
    checked: Checked,
}

impl Check<'_> {
    fn found(&mut self, seq: Option<Seq>, kind: Kind, detail: impl Into<String>) {
        if self.checked.findings.len() < FINDINGS_MAX {
            let (conversation, detail) = (self.conversation, detail.into());
            self.checked.findings.push(Finding { conversation, seq, kind, detail });
        }
    }

    /// Whether the record follows the one before it.
    fn place(&mut self, record: &Record, expected: Seq) -> bool {
        if record.seq != expected {
            self.found(Some(record.seq), Kind::Hole, format!("{expected} was expected here"));
        }
        record.seq == expected
    }

    /// Whether it can be read, and its body opened.
    async fn record(&mut self, record: &Record) -> Result<Option<Event>, Error> {
        let event = match decode_event(record.seq, record.head.clone(), record.body.clone()) {
            Ok(event) => event,
            Err(error) => {
                self.found(Some(record.seq), Kind::Unreadable, format!("the record cannot be read: {error}"));
                return Ok(None);
            }
        };
        if event.id != record.id {
            let detail = format!("the record is {} and its event {}", record.id, event.id);
            self.found(Some(record.seq), Kind::Unreadable, detail);
            return Ok(None);
        }
        if let (Some(sealer), Some(body)) = (self.sealer, event.kind.body()) {
            let place = Place { conversation: self.conversation, author: event.author, id: event.id };
            match sealer.open(place, body).await {
                Ok(_) => {}
                Err(SealError::Keys(error)) => return Err(error),
                Err(error) => self.found(Some(event.seq), Kind::Seal, format!("the body cannot be opened: {error}")),
            }
        }
        Ok(Some(event))
    }

    /// Whether the index finds these.
    async fn index(&mut self, events: &[Event]) -> Result<(), Error> {
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        let found = self.services.event_log.find(self.conversation, &ids).await?;
        for (event, found) in events.iter().zip(found) {
            let expected = Remembered::of(event);
            let problem = match found.map(|bytes| decode_index(&bytes)) {
                Some(Ok(found)) if found == expected => continue,
                Some(Ok(found)) => format!("the index finds {} at {}", event.id, found.seq),
                Some(Err(error)) => format!("what the index holds of {} cannot be read: {error}", event.id),
                None => format!("the index does not find {}", event.id),
            };
            self.found(Some(event.seq), Kind::Index, problem);
        }
        Ok(())
    }
}
