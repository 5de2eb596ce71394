//! What a member wants: the closed list of commands.

use super::{CommandHash, History, Kind, Origin, Role, SealedBody};
use crate::ids::{CommandId, Seq, Timestamp, UserId};

/// A command, as it reaches the conversation's processor: authenticated, measured and sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Made by the client; the event that follows carries it.
    pub id: CommandId,
    /// Who wants it.
    pub actor: UserId,
    /// The hash of its content, under the key of its author.
    pub hash: CommandHash,
    /// The command that the same device sent before this one.
    pub after: Option<CommandId>,
    /// The last seq that the client knew at its first try.
    pub seen: Option<Seq>,
    /// The time that the client claims.
    pub claimed_at: Option<Timestamp>,
    /// What is wanted.
    pub kind: CommandKind,
}

impl Command {
    /// In whose name the event will stand.
    pub fn author(&self) -> UserId {
        match &self.kind {
            CommandKind::Import { author, .. } => *author,
            _ => self.actor,
        }
    }
}

/// What a new conversation is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Founding {
    /// What sort.
    pub kind: Kind,
    /// Its name; empty in a direct one.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// How far back members may read.
    pub history: History,
    /// Who else is in it from the start.
    pub members: Vec<UserId>,
}

/// What to change about a conversation; `None` leaves a thing as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// Its name.
    pub name: Option<String>,
    /// Its topic.
    pub topic: Option<String>,
    /// How far back members may read.
    pub history: Option<History>,
}

/// What is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommandKind {
    /// Begin the conversation.
    Create(Founding),
    /// Change name, topic or history.
    Change(Change),
    /// Come in, to a channel.
    Join,
    /// Go.
    Leave,
    /// Bring somebody in.
    Add {
        /// Who.
        user: UserId,
    },
    /// Send somebody out.
    Remove {
        /// Who.
        user: UserId,
    },
    /// Set somebody's role.
    SetRole {
        /// Whose.
        user: UserId,
        /// To what.
        role: Role,
    },
    /// Say something.
    Send {
        /// What.
        body: SealedBody,
        /// Who is mentioned.
        mentions: Vec<UserId>,
        /// The messages it answers.
        replies: Vec<CommandId>,
        /// The message whose thread it belongs to.
        thread: Option<CommandId>,
        /// When it expires.
        expires_at: Option<Timestamp>,
    },
    /// Say it differently.
    Edit {
        /// Which message.
        target: CommandId,
        /// What it shall say.
        body: SealedBody,
        /// Who is mentioned.
        mentions: Vec<UserId>,
    },
    /// Unsay it.
    Delete {
        /// Which message.
        target: CommandId,
    },
    /// Put a reaction on a message, or take it off.
    React {
        /// Which message.
        target: CommandId,
        /// The emoji.
        emoji: String,
        /// On, or off.
        on: bool,
    },
    /// Pin a message, or unpin it.
    Pin {
        /// Which message.
        target: CommandId,
        /// On, or off.
        on: bool,
    },
    /// Bring in what was said elsewhere; owners only. It obeys limits of size and format, but not membership.
    Import {
        /// The imported person.
        author: UserId,
        /// What they said.
        body: SealedBody,
        /// The messages it answers.
        replies: Vec<CommandId>,
        /// Where it comes from.
        origin: Origin,
        /// A notice, which does not count as unread.
        quiet: bool,
    },
}

impl CommandKind {
    /// The messages that a decision must know about: what it targets, answers or belongs to.
    pub fn links(&self) -> Vec<CommandId> {
        match self {
            Self::Send { replies, thread, .. } => replies.iter().copied().chain(*thread).collect(),
            Self::Import { replies, .. } => replies.clone(),
            _ => self.target().into_iter().collect(),
        }
    }

    /// The message that is to be changed, of which a decision must also know the overlay.
    pub fn target(&self) -> Option<CommandId> {
        match self {
            Self::Edit { target, .. }
            | Self::Delete { target }
            | Self::React { target, .. }
            | Self::Pin { target, .. } => Some(*target),
            _ => None,
        }
    }
}
