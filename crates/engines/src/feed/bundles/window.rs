//! What a follower of a queue was given and has not committed: messages hold several events, and a message is settled once all of them
//! are done.

use std::collections::VecDeque;
use std::fmt::Display;

use bytes::Bytes;
use klatch_core::ids::ConversationId;
use klatch_ports::event_log::Record;
use klatch_ports::feed::{Entry, UNCOMMITTED_MAX};
use klatch_ports::{Error, ErrorKind};

use super::decode;

/// What is between a queue and whoever follows; `P` is the place of a message in its queue.
pub struct Window<P> {
    /// Read and not handed out. The last of a message has its place.
    ahead: VecDeque<(ConversationId, Record, Option<P>)>,
    /// Messages that were handed out whole and are not committed: the position of the last event of each.
    handed: VecDeque<(u64, P)>,
    /// The position that was handed out last.
    position: u64,
    /// The position that was committed last.
    committed: u64,
    /// What cannot be read, if that is next: nothing is passed over.
    unreadable: Option<String>,
}

impl<P: Display> Window<P> {
    pub fn new() -> Self {
        let (ahead, handed) = (VecDeque::new(), VecDeque::new());
        Self { ahead, handed, position: 0, committed: 0, unreadable: None }
    }

    /// Takes in a message that came from this place.
    pub fn put(&mut self, place: P, message: Bytes) {
        if self.unreadable.is_some() {
            return;
        }
        match decode(message) {
            Ok(events) => {
                self.ahead.extend(events.into_iter().map(|(conversation, record)| (conversation, record, None)));
                if let Some((.., last)) = self.ahead.back_mut() {
                    *last = Some(place);
                }
            }
            Err(error) => {
                let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                self.unreadable = Some(format!("{reason} ({place})"));
            }
        }
    }

    /// Whether something may be handed out, or cannot be read.
    pub fn has_some(&self) -> bool {
        !self.ahead.is_empty() || self.unreadable.is_some()
    }

    /// Whether a message must come before there is something to hand out.
    ///
    /// # Errors
    /// `Full`: too much is not committed. `Corrupt`: what is next cannot be read.
    pub fn is_empty(&self) -> Result<bool, Error> {
        if self.position - self.committed >= UNCOMMITTED_MAX as u64 {
            return Err(Error::new(ErrorKind::Full, "too many events are not committed"));
        }
        match &self.unreadable {
            Some(reason) if self.ahead.is_empty() => Err(Error::corrupt(reason.clone())),
            _ => Ok(self.ahead.is_empty()),
        }
    }

    /// How many events there are to hand out.
    pub fn len(&self) -> usize {
        self.ahead.len()
    }

    /// Hands out what is here, up to `limit`.
    pub fn hand_out(&mut self, limit: usize) -> Vec<Entry> {
        let room = UNCOMMITTED_MAX.saturating_sub((self.position - self.committed) as usize);
        let count = self.ahead.len().min(limit.max(1)).min(room);
        let mut entries = Vec::with_capacity(count);
        for (conversation, record, place) in self.ahead.drain(..count) {
            self.position += 1;
            self.handed.extend(place.map(|place| (self.position, place)));
            entries.push(Entry { position: self.position, conversation, record });
        }
        entries
    }

    /// The place of the message of which something is to be handed out next, if anything is.
    pub fn next_place(&self) -> Option<&P> {
        self.ahead.iter().find_map(|(.., place)| place.as_ref())
    }

    /// What was read and not handed out goes to another follower.
    pub fn give_up(&mut self) {
        self.ahead.clear();
        self.unreadable = None;
    }

    /// The messages all of whose events are done when those up to `position` are, in order.
    pub fn done(&self, position: u64) -> impl Iterator<Item = &P> {
        self.handed.iter().take_while(move |(last, _)| *last <= position).map(|(_, place)| place)
    }

    /// Events up to `position` are done, and the messages settled.
    pub fn commit(&mut self, position: u64) {
        while self.handed.pop_front_if(|(last, _)| *last <= position).is_some() {}
        self.committed = self.committed.max(position.min(self.position));
    }
}

#[cfg(test)]
mod tests {
    use klatch_core::ids::{CommandId, Seq, Uuid};

    use super::*;

    fn message(seqs: std::ops::RangeInclusive<u64>) -> Bytes {
        let (id, empty) = (CommandId(Uuid::from_u128(1)), Bytes::new());
        let record = |seq| Record { seq: Seq(seq), id, head: empty.clone(), body: empty.clone() };
        let records: Vec<_> = seqs.map(record).collect();
        let events = records.iter().map(|record| (ConversationId(Uuid::from_u128(2)), record));
        super::super::encode(events).unwrap().remove(0)
    }

    fn seqs(entries: Vec<Entry>) -> Vec<u64> {
        entries.into_iter().map(|entry| entry.record.seq.0).collect()
    }

    #[test]
    fn a_message_is_done_when_all_of_its_events_are() {
        let mut window = Window::new();
        window.put('a', message(1..=3));
        window.put('b', message(4..=4));
        assert_eq!(seqs(window.hand_out(2)), [1, 2]);
        assert_eq!(window.done(2).count(), 0);
        assert_eq!(seqs(window.hand_out(9)), [3, 4]);
        assert_eq!(window.done(3).collect::<Vec<_>>(), [&'a']);
        window.commit(3);
        assert_eq!(window.done(4).collect::<Vec<_>>(), [&'b']);
    }

    #[test]
    fn what_cannot_be_read_stops_the_follower_and_nothing_before_it() {
        let mut window = Window::new();
        window.put('a', message(1..=1));
        window.put('b', Bytes::from_static(b"\xff"));
        window.put('c', message(3..=3));
        assert_eq!(seqs(window.hand_out(9)), [1]);
        for _ in 0..2 {
            assert_eq!(window.is_empty().unwrap_err().kind, ErrorKind::Corrupt);
            assert!(window.hand_out(9).is_empty());
        }
    }

    #[test]
    fn who_never_commits_is_stopped() {
        let mut window = Window::new();
        for seq in 0..UNCOMMITTED_MAX as u64 + 1 {
            window.put(seq, message(seq..=seq));
        }
        assert_eq!(window.hand_out(usize::MAX).len(), UNCOMMITTED_MAX);
        assert_eq!(window.is_empty().unwrap_err().kind, ErrorKind::Full);
        window.commit(1);
        assert!(!window.is_empty().unwrap());
        assert_eq!(window.hand_out(usize::MAX).len(), 1);
    }
}
