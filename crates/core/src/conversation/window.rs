//! The recent commands of a conversation, by which a repeat costs one hash look-up.

use std::collections::{HashMap, VecDeque};

use super::{CommandHash, Event};
use crate::ids::{CommandId, Seq, UserId};
use crate::limits::WINDOW_COMMANDS;

/// What is remembered of a command that took effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// The seq of its event.
    pub seq: Seq,
    /// The author of its event.
    pub author: UserId,
    /// The hash of its content.
    pub hash: CommandHash,
    /// Whether its event is a message.
    pub is_message: bool,
}

/// The last [`WINDOW_COMMANDS`] commands that took effect, in order.
#[derive(Clone, Debug, Default)]
pub struct Window {
    order: VecDeque<CommandId>,
    known: HashMap<CommandId, Remembered>,
}

impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        self.entries().eq(other.entries())
    }
}

impl Eq for Window {}

impl Window {
    /// Remembers an event, and forgets the oldest one beyond the limit.
    pub fn remember(&mut self, event: &Event) {
        self.restore(event.id, Remembered::of(event));
    }

    /// Puts back what a snapshot holds, oldest first.
    pub fn restore(&mut self, id: CommandId, remembered: Remembered) {
        if self.known.insert(id, remembered).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > WINDOW_COMMANDS {
            let oldest = self.order.pop_front().expect("it is longer than its limit");
            self.known.remove(&oldest);
        }
    }

    /// What is remembered of `id`.
    pub fn get(&self, id: CommandId) -> Option<Remembered> {
        self.known.get(&id).copied()
    }

    /// Whether the window alone can say that a command sent by one who had seen `seen` is new: then nothing that
    /// followed is older than the window.
    pub fn covers(&self, seen: Option<Seq>) -> bool {
        let Some(first) = self.order.front().and_then(|id| self.known.get(id)) else {
            return true;
        };
        first.seq == Seq(1) || seen.is_some_and(|seen| seen.next() >= first.seq)
    }

    /// Everything remembered, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = (CommandId, Remembered)> {
        self.order.iter().map(|id| (*id, self.known[id]))
    }
}

impl Remembered {
    /// What is remembered of the command behind `event`.
    pub fn of(event: &Event) -> Self {
        Self {
            seq: event.seq,
            author: event.author,
            hash: event.hash,
            is_message: matches!(event.kind, super::EventKind::Sent(_)),
        }
    }
}
