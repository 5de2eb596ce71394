//! An event, as it lies in the log: a head that stays, and the sealed body that can be erased.

use bytes::Bytes;
use klatch_core::conversation::{Change, Event, EventKind, History, Kind, Message, Origin, Role};
use klatch_core::ids::{CommandId, Seq, Timestamp, UserId};
use prost::Message as _;

use super::{LinkProto, Malformed, bytes_of, links, time, users, uuid};

/// An event in its two parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredEvent {
    /// Everything but the body.
    pub head: Bytes,
    /// The sealed body; empty if there is none.
    pub body: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HeadProto {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    author: Bytes,
    #[prost(uint64, tag = "3")]
    at: u64,
    #[prost(uint64, optional, tag = "4")]
    claimed_at: Option<u64>,
    #[prost(uint64, tag = "5")]
    worthy: u64,
    #[prost(bytes = "bytes", tag = "6")]
    hash: Bytes,
    /// What kind of event: a number of [`number`].
    #[prost(uint32, tag = "7")]
    kind: u32,
    /// Whether one who does not know the kind may pass over it.
    #[prost(bool, tag = "8")]
    passable: bool,
    /// The fields of the kind.
    #[prost(bytes = "bytes", tag = "9")]
    fields: Bytes,
}

/// The numbers of the kinds of event. Never used again for something else.
mod number {
    pub const CREATED: u32 = 1;
    pub const CHANGED: u32 = 2;
    pub const JOINED: u32 = 3;
    pub const LEFT: u32 = 4;
    pub const REMOVED: u32 = 5;
    pub const ROLE_SET: u32 = 6;
    pub const SENT: u32 = 7;
    pub const EDITED: u32 = 8;
    pub const DELETED: u32 = 9;
    pub const REACTED: u32 = 10;
    pub const PINNED: u32 = 11;
}

#[derive(Clone, PartialEq, prost::Message)]
struct CreatedProto {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    topic: String,
    #[prost(uint32, tag = "4")]
    history: u32,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    members: Vec<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ChangedProto {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    topic: Option<String>,
    #[prost(uint32, optional, tag = "3")]
    history: Option<u32>,
}

/// Joined, removed and role_set: somebody, and a role where there is one.
#[derive(Clone, PartialEq, prost::Message)]
struct SomebodyProto {
    #[prost(bytes = "bytes", tag = "1")]
    user: Bytes,
    #[prost(uint32, tag = "2")]
    role: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SentProto {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    mentions: Vec<Bytes>,
    #[prost(message, repeated, tag = "2")]
    replies: Vec<LinkProto>,
    #[prost(message, optional, tag = "3")]
    thread: Option<LinkProto>,
    #[prost(uint64, optional, tag = "4")]
    expires_at: Option<u64>,
    #[prost(string, optional, tag = "5")]
    network: Option<String>,
    #[prost(string, optional, tag = "6")]
    name: Option<String>,
    #[prost(bool, tag = "7")]
    quiet: bool,
}

/// Edited, deleted, reacted and pinned: a message, and what is done with it.
#[derive(Clone, PartialEq, prost::Message)]
struct TargetProto {
    #[prost(message, required, tag = "1")]
    target: LinkProto,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    mentions: Vec<Bytes>,
    #[prost(string, tag = "3")]
    emoji: String,
    #[prost(bool, tag = "4")]
    on: bool,
    #[prost(uint64, repeated, tag = "5")]
    edits: Vec<u64>,
}

/// The bytes of an event.
pub fn encode_event(event: &Event) -> StoredEvent {
    let (kind, fields) = encode_kind(&event.kind);
    let head = HeadProto {
        id: bytes_of(&event.id.0),
        author: bytes_of(&event.author.0),
        at: event.at.0,
        claimed_at: event.claimed_at.map(|at| at.0),
        worthy: event.worthy,
        hash: Bytes::copy_from_slice(&event.hash),
        kind,
        passable: matches!(event.kind, EventKind::Unknown { passable: true, .. }),
        fields: fields.into(),
    };
    StoredEvent { head: head.encode_to_vec().into(), body: event.kind.body().cloned().unwrap_or_default() }
}

/// The event in these bytes.
///
/// # Errors
/// [`Malformed`], never for a kind or a field that is merely unknown.
pub fn decode_event(seq: Seq, head: Bytes, body: Bytes) -> Result<Event, Malformed> {
    let head = HeadProto::decode(head)?;
    Ok(Event {
        seq,
        id: CommandId(uuid(&head.id, "id")?),
        author: UserId(uuid(&head.author, "author")?),
        at: Timestamp(head.at),
        claimed_at: time(head.claimed_at),
        worthy: head.worthy,
        hash: head.hash.as_ref().try_into().map_err(|_| Malformed::Field("hash"))?,
        kind: decode_kind(head.kind, head.passable, head.fields, body)?,
    })
}

fn encode_kind(kind: &EventKind) -> (u32, Vec<u8>) {
    match kind {
        EventKind::Created { kind, name, topic, history, members } => {
            let members = members.iter().map(|user| bytes_of(&user.0)).collect();
            let (name, topic) = (name.clone(), topic.clone());
            let proto =
                CreatedProto { kind: kind_number(*kind), name, topic, history: history_number(*history), members };
            (number::CREATED, proto.encode_to_vec())
        }
        EventKind::Changed(change) => {
            let Change { name, topic, history } = change.clone();
            (number::CHANGED, ChangedProto { name, topic, history: history.map(history_number) }.encode_to_vec())
        }
        EventKind::Joined { user, role } => (number::JOINED, somebody(*user, role_number(*role))),
        EventKind::Left => (number::LEFT, Vec::new()),
        EventKind::Removed { user } => (number::REMOVED, somebody(*user, 0)),
        EventKind::RoleSet { user, role } => (number::ROLE_SET, somebody(*user, role_number(*role))),
        EventKind::Sent(message) => (number::SENT, encode_sent(message)),
        EventKind::Edited { target, mentions, .. } => {
            let mentions = mentions.iter().map(|user| bytes_of(&user.0)).collect();
            let proto = TargetProto { target: LinkProto::of(*target), mentions, ..TargetProto::default() };
            (number::EDITED, proto.encode_to_vec())
        }
        EventKind::Deleted { target, edits } => {
            let edits = edits.iter().map(|seq| seq.0).collect();
            let proto = TargetProto { target: LinkProto::of(*target), edits, ..TargetProto::default() };
            (number::DELETED, proto.encode_to_vec())
        }
        EventKind::Reacted { target, emoji, on } => {
            let (target, emoji) = (LinkProto::of(*target), emoji.clone());
            let proto = TargetProto { target, emoji, on: *on, ..TargetProto::default() };
            (number::REACTED, proto.encode_to_vec())
        }
        EventKind::Pinned { target, on } => {
            let proto = TargetProto { target: LinkProto::of(*target), on: *on, ..TargetProto::default() };
            (number::PINNED, proto.encode_to_vec())
        }
        EventKind::Unknown { kind, .. } => (*kind, Vec::new()),
    }
}

fn somebody(user: UserId, role: u32) -> Vec<u8> {
    SomebodyProto { user: bytes_of(&user.0), role }.encode_to_vec()
}

fn encode_sent(message: &Message) -> Vec<u8> {
    SentProto {
        mentions: message.mentions.iter().map(|user| bytes_of(&user.0)).collect(),
        replies: message.replies.iter().copied().map(LinkProto::of).collect(),
        thread: message.thread.map(LinkProto::of),
        expires_at: message.expires_at.map(|at| at.0),
        network: message.origin.as_ref().map(|origin| origin.network.clone()),
        name: message.origin.as_ref().map(|origin| origin.name.clone()),
        quiet: message.quiet,
    }
    .encode_to_vec()
}

fn decode_kind(kind: u32, passable: bool, fields: Bytes, body: Bytes) -> Result<EventKind, Malformed> {
    let body = (!body.is_empty()).then_some(body);
    Ok(match kind {
        number::CREATED => {
            let proto = CreatedProto::decode(fields)?;
            let (kind, history) = (read_kind(proto.kind)?, read_history(proto.history)?);
            let members = users(&proto.members, "members")?;
            EventKind::Created { kind, name: proto.name, topic: proto.topic, history, members }
        }
        number::CHANGED => {
            let proto = ChangedProto::decode(fields)?;
            let history = proto.history.map(read_history).transpose()?;
            EventKind::Changed(Change { name: proto.name, topic: proto.topic, history })
        }
        number::LEFT => EventKind::Left,
        number::JOINED | number::REMOVED | number::ROLE_SET => {
            let proto = SomebodyProto::decode(fields)?;
            let user = UserId(uuid(&proto.user, "user")?);
            match kind {
                number::JOINED => EventKind::Joined { user, role: read_role(proto.role)? },
                number::REMOVED => EventKind::Removed { user },
                _ => EventKind::RoleSet { user, role: read_role(proto.role)? },
            }
        }
        number::SENT => decode_sent(SentProto::decode(fields)?, body)?,
        number::EDITED | number::DELETED | number::REACTED | number::PINNED => {
            let proto = TargetProto::decode(fields)?;
            let target = proto.target.link()?;
            match kind {
                number::EDITED => EventKind::Edited { target, body, mentions: users(&proto.mentions, "mentions")? },
                number::DELETED => EventKind::Deleted { target, edits: proto.edits.into_iter().map(Seq).collect() },
                number::REACTED => EventKind::Reacted { target, emoji: proto.emoji, on: proto.on },
                _ => EventKind::Pinned { target, on: proto.on },
            }
        }
        _ => EventKind::Unknown { kind, passable },
    })
}

fn decode_sent(proto: SentProto, body: Option<Bytes>) -> Result<EventKind, Malformed> {
    Ok(EventKind::Sent(Message {
        body,
        mentions: users(&proto.mentions, "mentions")?,
        replies: links(&proto.replies)?,
        thread: proto.thread.map(|link| link.link()).transpose()?,
        expires_at: time(proto.expires_at),
        origin: proto.network.map(|network| Origin { network, name: proto.name.unwrap_or_default() }),
        quiet: proto.quiet,
    }))
}

pub(super) const fn kind_number(kind: Kind) -> u32 {
    match kind {
        Kind::Direct => 1,
        Kind::Group => 2,
        Kind::Channel => 3,
    }
}

pub(super) fn read_kind(number: u32) -> Result<Kind, Malformed> {
    [Kind::Direct, Kind::Group, Kind::Channel]
        .into_iter()
        .find(|kind| kind_number(*kind) == number)
        .ok_or(Malformed::Field("kind"))
}

pub(super) const fn history_number(history: History) -> u32 {
    match history {
        History::All => 1,
        History::SinceJoined => 2,
    }
}

pub(super) fn read_history(number: u32) -> Result<History, Malformed> {
    [History::All, History::SinceJoined]
        .into_iter()
        .find(|history| history_number(*history) == number)
        .ok_or(Malformed::Field("history"))
}

pub(super) const fn role_number(role: Role) -> u32 {
    match role {
        Role::Member => 1,
        Role::Moderator => 2,
        Role::Owner => 3,
    }
}

pub(super) fn read_role(number: u32) -> Result<Role, Malformed> {
    [Role::Member, Role::Moderator, Role::Owner]
        .into_iter()
        .find(|role| role_number(*role) == number)
        .ok_or(Malformed::Field("role"))
}
