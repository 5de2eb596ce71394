//! One conversation on this node: how far it was delivered, and to whom.

use std::sync::Arc;

use klatch_core::conversation::Event;
use klatch_core::ids::Seq;

use klatch_protocol::gateway::HeadItem;

use super::connection::Connection;

/// One conversation on this node.
pub struct Room {
    /// Everything up to here was handed to those who listen.
    pub position: Seq,
    /// The last event that is known to exist.
    pub wanted: Seq,
    /// Whether somebody is handing out what comes next; what is heard meanwhile, they read from the log.
    pub is_busy: bool,
    /// Who listens.
    pub listeners: Vec<Arc<Connection>>,
    /// The last event, where it was not handed to everybody: those who do not look at a large conversation hear of it now and
    /// then.
    pub untold: Option<HeadItem>,
}

impl Room {
    /// A room in which everything up to here is history.
    pub fn new(position: Seq) -> Self {
        Self { position, wanted: position, is_busy: false, listeners: Vec::new(), untold: None }
    }

    /// Takes note of events that were heard, in order, and returns those that come next: with them, the room is busy.
    pub fn hear(&mut self, events: Vec<Event>) -> Vec<Event> {
        let last = events.last().map_or(Seq::ZERO, |event| event.seq);
        self.wanted = self.wanted.max(last);
        if self.is_busy {
            return Vec::new();
        }
        let mut next = self.position.next();
        let mut fresh = Vec::with_capacity(events.len());
        for event in events {
            if event.seq == next {
                next = next.next();
                fresh.push(event);
            }
        }
        self.is_busy = !fresh.is_empty();
        fresh
    }

    /// Whether the log has to be read: something is wanted that nobody is handing out. Then the room is busy.
    pub fn begin_to_mend(&mut self) -> bool {
        let mends = !self.is_busy && self.wanted > self.position;
        self.is_busy |= mends;
        mends
    }
}

#[cfg(test)]
mod tests {
    use klatch_core::conversation::EventKind;
    use klatch_core::ids::{CommandId, Timestamp, UserId};

    use super::*;

    fn events(seqs: &[u64]) -> Vec<Event> {
        let event = |seq: &u64| Event {
            seq: Seq(*seq),
            id: CommandId::from_bytes([1; 16]),
            author: UserId::from_bytes([1; 16]),
            at: Timestamp(0),
            claimed_at: None,
            worthy: 0,
            hash: [0; 16],
            kind: EventKind::Left,
        };
        seqs.iter().map(event).collect()
    }

    fn seqs(events: &[Event]) -> Vec<u64> {
        events.iter().map(|event| event.seq.0).collect()
    }

    #[test]
    fn only_what_comes_next_is_handed_out() {
        let mut room = Room::new(Seq(3));
        assert_eq!(seqs(&room.hear(events(&[2, 3, 4, 5, 7]))), [4, 5]);
        assert!(room.is_busy && room.wanted == Seq(7));
        assert!(room.hear(events(&[8])).is_empty(), "whoever is busy reads that from the log");
        assert_eq!(room.wanted, Seq(8));
    }

    #[test]
    fn a_hole_is_mended_from_the_log_by_one() {
        let mut room = Room::new(Seq(3));
        assert!(room.hear(events(&[5])).is_empty());
        assert!(room.begin_to_mend());
        assert!(!room.begin_to_mend());
    }
}
