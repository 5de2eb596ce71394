//! `react`: what the world should do once an event is durable. Effects are data; others carry them out, in order,
//! at least once.

use super::{Event, EventKind, Role};
use crate::ids::{Seq, UserId};

/// Something that follows from a durable event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// `user` is a member from here on, in this role.
    Joined {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
    },
    /// `user` has another role.
    RoleSet {
        /// Who.
        user: UserId,
        /// Which.
        role: Role,
    },
    /// `user` is no member from here on.
    Gone {
        /// Who.
        user: UserId,
    },
    /// How lists and the channel directory describe the conversation has changed.
    Described,
    /// `user` was mentioned.
    Mentioned {
        /// Who.
        user: UserId,
        /// In which message: an edit says anew what its message says, and mentions nobody twice.
        message: Seq,
    },
    /// `user` has read up to here, as they wrote here.
    Read {
        /// Who.
        user: UserId,
    },
    /// The overlay of a message changes by this event.
    Annotated {
        /// Which message.
        target: Seq,
    },
    /// The bodies of these events are to be erased.
    Erase {
        /// A message and its edits.
        seqs: Vec<Seq>,
    },
}

/// What the world should do, now that `event` is durable. It follows from the event alone, so that a projection can be
/// rebuilt from any part of the log without the state before it.
pub fn react(event: &Event) -> Vec<Effect> {
    let author = event.author;
    match &event.kind {
        EventKind::Created { kind, members, .. } => {
            let first = if *kind == super::Kind::Direct { Role::Member } else { Role::Owner };
            let others = members.iter().filter(|user| **user != author);
            let joined = others.map(|&user| Effect::Joined { user, role: Role::Member });
            [Effect::Described, Effect::Joined { user: author, role: first }].into_iter().chain(joined).collect()
        }
        EventKind::Changed(_) => vec![Effect::Described],
        EventKind::Joined { user, role } => vec![Effect::Joined { user: *user, role: *role }],
        EventKind::Left => vec![Effect::Gone { user: author }],
        EventKind::Removed { user } => vec![Effect::Gone { user: *user }],
        EventKind::RoleSet { user, role } => vec![Effect::RoleSet { user: *user, role: *role }],
        EventKind::Sent(message) if message.origin.is_some() => Vec::new(),
        EventKind::Sent(message) => {
            mentioned(&message.mentions, author, event.seq).chain([Effect::Read { user: author }]).collect()
        }
        EventKind::Edited { target, mentions, .. } => {
            mentioned(mentions, author, target.seq).chain([Effect::Annotated { target: target.seq }]).collect()
        }
        EventKind::Deleted { target, edits } => {
            let seqs = [target.seq].into_iter().chain(edits.iter().copied()).collect();
            vec![Effect::Annotated { target: target.seq }, Effect::Erase { seqs }]
        }
        EventKind::Reacted { target, .. } | EventKind::Pinned { target, .. } => {
            vec![Effect::Annotated { target: target.seq }]
        }
        EventKind::Unknown { .. } => Vec::new(),
    }
}

fn mentioned(users: &[UserId], author: UserId, message: Seq) -> impl Iterator<Item = Effect> {
    users.iter().filter(move |user| **user != author).map(move |&user| Effect::Mentioned { user, message })
}
