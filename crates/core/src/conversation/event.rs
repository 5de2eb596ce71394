//! What happened: the closed list of events.

use bytes::Bytes;

use super::{Change, History, Kind, Role};
use crate::ids::{CommandId, Link, Seq, Timestamp, UserId};

/// A body that only holders of its author's key can read. No rule looks inside.
pub type SealedBody = Bytes;

/// A keyed hash of a command's content, under its author's key: equal content has an equal hash, and nobody without the key
/// can test a guess.
pub type CommandHash = [u8; 16];

/// Where something imported came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The network: `irc`, `slack`, …
    pub network: String,
    /// Its author's name there.
    pub name: String,
}

/// One event of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its place.
    pub seq: Seq,
    /// The id of the command it followed from: one command, one event.
    pub id: CommandId,
    /// Who did it.
    pub author: UserId,
    /// The server's time.
    pub at: Timestamp,
    /// The time that the client claims, or at which something imported was said.
    pub claimed_at: Option<Timestamp>,
    /// Messages up to and with this one that count as unread.
    pub worthy: u64,
    /// The hash of the command.
    pub hash: CommandHash,
    /// What happened.
    pub kind: EventKind,
}

/// A message, new or imported.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// What it says; `None` once erased.
    pub body: Option<SealedBody>,
    /// Who is mentioned.
    pub mentions: Vec<UserId>,
    /// The messages that it answers.
    pub replies: Vec<Link>,
    /// The message whose thread it belongs to.
    pub thread: Option<Link>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// Where it came from, if imported.
    pub origin: Option<Origin>,
    /// A notice, which does not count as unread.
    pub quiet: bool,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// The conversation began. Its author is the first member: the owner, but in a direct one.
    Created {
        /// What sort it is.
        kind: Kind,
        /// Its name.
        name: String,
        /// Its topic.
        topic: String,
        /// How far back members may read.
        history: History,
        /// Who else is in it from the start, as members.
        members: Vec<UserId>,
    },
    /// Name, topic or history changed.
    Changed(Change),
    /// Somebody came, by themselves or added by the author.
    Joined {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
    },
    /// The author left.
    Left,
    /// Somebody was removed by the author.
    Removed {
        /// Who.
        user: UserId,
    },
    /// Somebody's role was set by the author.
    RoleSet {
        /// Whose.
        user: UserId,
        /// To what.
        role: Role,
    },
    /// A message.
    Sent(Message),
    /// A message got another body.
    Edited {
        /// Which.
        target: Link,
        /// What it says now; `None` once erased.
        body: Option<SealedBody>,
        /// Who is mentioned now.
        mentions: Vec<UserId>,
    },
    /// A message was deleted; its bodies are erased behind this.
    Deleted {
        /// Which.
        target: Link,
        /// Its edits, whose bodies are erased too.
        edits: Vec<Seq>,
    },
    /// A reaction was put on a message or taken off.
    Reacted {
        /// Which message.
        target: Link,
        /// The emoji.
        emoji: String,
        /// On, or off.
        on: bool,
    },
    /// A message was pinned, or no longer is.
    Pinned {
        /// Which.
        target: Link,
        /// On, or off.
        on: bool,
    },
    /// An event of a later version.
    Unknown {
        /// The number of its kind.
        kind: u32,
        /// Whether one who does not know it may pass over it.
        passable: bool,
    },
}

impl EventKind {
    /// The sealed body, if this kind has one and it was not erased.
    pub fn body(&self) -> Option<&SealedBody> {
        match self {
            Self::Sent(message) => message.body.as_ref(),
            Self::Edited { body, .. } => body.as_ref(),
            _ => None,
        }
    }

    /// The message that this is about, if it is about one.
    pub fn target(&self) -> Option<Link> {
        match self {
            Self::Edited { target, .. }
            | Self::Deleted { target, .. }
            | Self::Reacted { target, .. }
            | Self::Pinned { target, .. } => Some(*target),
            _ => None,
        }
    }
}
