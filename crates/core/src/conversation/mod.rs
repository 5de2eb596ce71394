//! A conversation: its state, and the three verbs on it.

mod apply;
mod command;
mod decide;
mod event;
#[cfg(test)]
mod histories;
mod overlay;
mod policy;
mod react;
mod rejection;
mod window;

use std::collections::{BTreeMap, BTreeSet};

pub use command::{Change, Command, CommandKind, Founding};
pub use decide::{Context, Decision, decide};
pub use event::{CommandHash, Event, EventKind, Message, Origin, SealedBody};
pub use overlay::{Edit, Mark, Overlay, Reaction};
pub use policy::{Action, may};
pub use react::{Effect, react};
pub use rejection::Rejection;
pub use window::{Remembered, Window};

use crate::ids::{ConversationId, Seq, Timestamp, UserId};

/// What sort of conversation it is; it never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Between two people. Its id is derived from the pair, so that there is never a second one.
    Direct,
    /// Among people who were added.
    Group,
    /// Public: anybody of the workspace can find and join it.
    Channel,
}

/// What a member may do. The order is the rank.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Also keeps order: removes people below, deletes messages, pins, renames.
    Moderator,
    /// Everything. A group or channel always has one, as long as it has members.
    Owner,
}

/// How far back a member may read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum History {
    /// From the first event.
    All,
    /// From the event with which one joined.
    SinceJoined,
}

/// A person's place in a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// What they may do.
    pub role: Role,
    /// The event with which they came (the latest time).
    pub joined: Seq,
}

/// The state of a conversation: the fold of its events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// `None` until it is created.
    pub kind: Option<Kind>,
    /// The name of a group or channel; empty in a direct one.
    pub name: String,
    /// What it is about.
    pub topic: String,
    /// How far back members may read.
    pub history: History,
    /// Who is in it.
    pub members: BTreeMap<UserId, Member>,
    /// The messages that are pinned.
    pub pins: BTreeSet<Seq>,
    /// The last event.
    pub seq: Seq,
    /// Messages up to the last event that count as unread for those who have not read them.
    pub worthy: u64,
    /// The server time of the last event.
    pub at: Timestamp,
    /// Recent commands, by which a repeat is known.
    pub window: Window,
    /// An event that this version does not know and may not pass over: nobody here may decide on what follows.
    pub sealed_off: Option<Seq>,
}

impl Conversation {
    /// The conversation before its first event.
    pub fn empty(id: ConversationId) -> Self {
        Self {
            id,
            kind: None,
            name: String::new(),
            topic: String::new(),
            history: History::All,
            members: BTreeMap::new(),
            pins: BTreeSet::new(),
            seq: Seq::ZERO,
            worthy: 0,
            at: Timestamp::default(),
            window: Window::default(),
            sealed_off: None,
        }
    }

    /// The role of `user`, if a member.
    pub fn role(&self, user: UserId) -> Option<Role> {
        self.members.get(&user).map(|member| member.role)
    }

    /// How many owners there are.
    pub fn owners(&self) -> usize {
        self.members.values().filter(|member| member.role == Role::Owner).count()
    }

    /// The first seq that `user` may read, if any.
    pub fn readable_from(&self, user: UserId) -> Option<Seq> {
        let member = self.members.get(&user)?;
        Some(match self.history {
            History::All => Seq(1),
            History::SinceJoined => member.joined,
        })
    }

    /// What always holds between two events.
    ///
    /// # Errors
    /// A sentence that says what does not hold: a bug in this crate, or a log that somebody else wrote.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.kind.is_none() && self.seq != Seq::ZERO {
            return Err("there are events, but none that created the conversation");
        }
        if self.worthy > self.seq.0 {
            return Err("more messages than events");
        }
        if self.members.values().any(|member| member.joined > self.seq) {
            return Err("somebody joined after the last event");
        }
        let owned = matches!(self.kind, Some(Kind::Group | Kind::Channel));
        if owned && !self.members.is_empty() && self.owners() == 0 {
            return Err("members, but no owner");
        }
        if self.pins.last().is_some_and(|&seq| seq > self.seq) {
            return Err("a pin on what is not there");
        }
        Ok(())
    }
}
