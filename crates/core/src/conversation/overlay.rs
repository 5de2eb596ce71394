//! The overlay: what later events made of a message. A projection, kept by (conversation, seq) beside the log.

use super::{Event, EventKind};
use crate::ids::{Link, Seq, Timestamp, UserId};

/// What later events made of one message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overlay {
    /// The last event that is in here; what is not after it was applied already.
    pub as_of: Seq,
    /// Its edits, oldest first. The bodies lie in the log.
    pub edits: Vec<Edit>,
    /// Its deletion.
    pub deleted: Option<Mark>,
    /// Its reactions, in the order in which the emoji first came.
    pub reactions: Vec<Reaction>,
    /// Its pin.
    pub pinned: Option<Mark>,
}

/// One edit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The event that holds the body.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
}

/// Something that was done to the message, and by whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The event.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: UserId,
}

/// Everybody who reacted with one emoji, first come first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// Who.
    pub users: Vec<UserId>,
}

impl Overlay {
    /// The message whose overlay `event` changes, if it does.
    pub fn target(event: &Event) -> Option<Link> {
        event.kind.target()
    }

    /// Folds one event in. A repeat changes nothing.
    pub fn apply(&mut self, event: &Event) {
        if event.seq <= self.as_of {
            return;
        }
        self.as_of = event.seq;
        let mark = Mark { seq: event.seq, at: event.at, by: event.author };
        match &event.kind {
            EventKind::Edited { .. } => self.edits.push(Edit { seq: event.seq, at: event.at }),
            EventKind::Deleted { .. } => {
                self.deleted = Some(mark);
                self.pinned = None;
                self.reactions.clear();
            }
            EventKind::Reacted { emoji, on, .. } => self.react(emoji, event.author, *on),
            EventKind::Pinned { on, .. } => self.pinned = on.then_some(mark),
            _ => {}
        }
    }

    /// Whether `user` reacted with `emoji`.
    pub fn has_reacted(&self, emoji: &str, user: UserId) -> bool {
        self.reactions.iter().any(|reaction| reaction.emoji == emoji && reaction.users.contains(&user))
    }

    /// All reactions together.
    pub fn reactions_total(&self) -> usize {
        self.reactions.iter().map(|reaction| reaction.users.len()).sum()
    }

    fn react(&mut self, emoji: &str, user: UserId, on: bool) {
        let known = self.reactions.iter().position(|reaction| reaction.emoji == emoji);
        match (known, on) {
            (Some(at), true) if !self.reactions[at].users.contains(&user) => self.reactions[at].users.push(user),
            (None, true) => self.reactions.push(Reaction { emoji: emoji.to_owned(), users: vec![user] }),
            (Some(at), false) => {
                self.reactions[at].users.retain(|other| *other != user);
                if self.reactions[at].users.is_empty() {
                    self.reactions.remove(at);
                }
            }
            _ => {}
        }
    }
}
