//! A command on its way to its processor, with the address that its outcome goes back to.

use bytes::Bytes;
use klatch_core::conversation::{Change, Command, CommandKind, Founding, Origin};
use klatch_core::ids::{CommandId, ConversationId, DeviceId, Seq, UserId, Uuid};
use prost::Message as _;

use super::event::{history_number, kind_number, read_history, read_kind, read_role, role_number};
use super::{Malformed, bytes_of, time, users, uuid};

/// A command on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// The node that waits for the outcome.
    pub reply_to: Uuid,
    /// By which that node knows who asked.
    pub correlation: u64,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Whether, where it came in, a block was found to stand between the two of a direct conversation, or between who adds and who is
    /// added. Nothing where that could not be asked: then whoever decides asks.
    pub blocked: Option<bool>,
    /// The device that was told that its command is accepted: what becomes of it is kept for that device until it knows.
    pub device: Option<DeviceId>,
    /// The command.
    pub command: Command,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EnvelopeProto {
    #[prost(bytes = "bytes", tag = "1")]
    reply_to: Bytes,
    #[prost(uint64, tag = "2")]
    correlation: u64,
    #[prost(bytes = "bytes", tag = "3")]
    conversation: Bytes,
    /// Also where it is not known: whoever has not heard of that refuses.
    #[prost(bool, tag = "4")]
    blocked: bool,
    #[prost(bytes = "bytes", tag = "5")]
    id: Bytes,
    #[prost(bytes = "bytes", tag = "6")]
    actor: Bytes,
    #[prost(bytes = "bytes", tag = "7")]
    hash: Bytes,
    #[prost(bytes = "bytes", optional, tag = "8")]
    after: Option<Bytes>,
    #[prost(uint64, optional, tag = "9")]
    seen: Option<u64>,
    #[prost(uint64, optional, tag = "10")]
    claimed_at: Option<u64>,
    #[prost(bytes = "bytes", optional, tag = "11")]
    device: Option<Bytes>,
    #[prost(bool, tag = "12")]
    is_block_unknown: bool,
    #[prost(oneof = "KindProto", tags = "16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28")]
    kind: Option<KindProto>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum KindProto {
    #[prost(message, tag = "16")]
    Create(FoundingProto),
    #[prost(message, tag = "17")]
    Change(ChangeProto),
    #[prost(bool, tag = "18")]
    Join(bool),
    #[prost(bool, tag = "19")]
    Leave(bool),
    #[prost(bytes = "bytes", tag = "20")]
    Add(Bytes),
    #[prost(bytes = "bytes", tag = "21")]
    Remove(Bytes),
    #[prost(message, tag = "22")]
    SetRole(SetRoleProto),
    #[prost(message, tag = "23")]
    Send(SendProto),
    #[prost(message, tag = "24")]
    Edit(TargetProto),
    #[prost(bytes = "bytes", tag = "25")]
    Delete(Bytes),
    #[prost(message, tag = "26")]
    React(TargetProto),
    #[prost(message, tag = "27")]
    Pin(TargetProto),
    #[prost(message, tag = "28")]
    Import(ImportProto),
}

// Shapes of its own, also where an event has the same today: what lies in the log stays for ever, what waits in a queue does not.

#[derive(Clone, PartialEq, prost::Message)]
struct FoundingProto {
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
struct ChangeProto {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(string, optional, tag = "2")]
    topic: Option<String>,
    #[prost(uint32, optional, tag = "3")]
    history: Option<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SetRoleProto {
    #[prost(bytes = "bytes", tag = "1")]
    user: Bytes,
    #[prost(uint32, tag = "2")]
    role: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SendProto {
    #[prost(bytes = "bytes", tag = "1")]
    body: Bytes,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    mentions: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    replies: Vec<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "4")]
    thread: Option<Bytes>,
    #[prost(uint64, optional, tag = "5")]
    expires_at: Option<u64>,
}

/// Edit, react and pin: a message, and what to do with it.
#[derive(Clone, PartialEq, prost::Message)]
struct TargetProto {
    #[prost(bytes = "bytes", tag = "1")]
    target: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    body: Bytes,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    mentions: Vec<Bytes>,
    #[prost(string, tag = "4")]
    emoji: String,
    #[prost(bool, tag = "5")]
    on: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ImportProto {
    #[prost(bytes = "bytes", tag = "1")]
    author: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    body: Bytes,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    replies: Vec<Bytes>,
    #[prost(string, tag = "4")]
    network: String,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(bool, tag = "6")]
    quiet: bool,
}

impl Envelope {
    /// The bytes.
    pub fn encode(&self) -> Bytes {
        let command = &self.command;
        let proto = EnvelopeProto {
            reply_to: bytes_of(&self.reply_to),
            correlation: self.correlation,
            conversation: bytes_of(&self.conversation.0),
            blocked: self.blocked.unwrap_or(true),
            is_block_unknown: self.blocked.is_none(),
            id: bytes_of(&command.id.0),
            actor: bytes_of(&command.actor.0),
            hash: Bytes::copy_from_slice(&command.hash),
            after: command.after.map(|id| bytes_of(&id.0)),
            seen: command.seen.map(|seq| seq.0),
            claimed_at: command.claimed_at.map(|at| at.0),
            device: self.device.map(|device| bytes_of(&device.0)),
            kind: Some(encode_kind(&command.kind)),
        };
        proto.encode_to_vec().into()
    }

    /// The envelope in these bytes.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: Bytes) -> Result<Self, Malformed> {
        let proto = EnvelopeProto::decode(bytes)?;
        let after = proto.after.map(|id| uuid(&id, "after").map(CommandId)).transpose()?;
        let command = Command {
            id: CommandId(uuid(&proto.id, "id")?),
            actor: UserId(uuid(&proto.actor, "actor")?),
            hash: proto.hash.as_ref().try_into().map_err(|_| Malformed::Field("hash"))?,
            after,
            seen: proto.seen.map(Seq),
            claimed_at: time(proto.claimed_at),
            kind: decode_kind(proto.kind.ok_or(Malformed::Field("kind"))?)?,
        };
        Ok(Self {
            reply_to: uuid(&proto.reply_to, "reply_to")?,
            correlation: proto.correlation,
            conversation: ConversationId(uuid(&proto.conversation, "conversation")?),
            blocked: (!proto.is_block_unknown).then_some(proto.blocked),
            device: proto.device.map(|id| uuid(&id, "device").map(DeviceId)).transpose()?,
            command,
        })
    }
}

fn encode_kind(kind: &CommandKind) -> KindProto {
    let all = |users: &[UserId]| users.iter().map(|user| bytes_of(&user.0)).collect();
    let ids = |ids: &[CommandId]| ids.iter().map(|id| bytes_of(&id.0)).collect();
    match kind {
        CommandKind::Create(founding) => KindProto::Create(FoundingProto {
            kind: kind_number(founding.kind),
            name: founding.name.clone(),
            topic: founding.topic.clone(),
            history: history_number(founding.history),
            members: all(&founding.members),
        }),
        CommandKind::Change(change) => KindProto::Change(ChangeProto {
            name: change.name.clone(),
            topic: change.topic.clone(),
            history: change.history.map(history_number),
        }),
        CommandKind::Join => KindProto::Join(true),
        CommandKind::Leave => KindProto::Leave(true),
        CommandKind::Add { user } => KindProto::Add(bytes_of(&user.0)),
        CommandKind::Remove { user } => KindProto::Remove(bytes_of(&user.0)),
        CommandKind::SetRole { user, role } => {
            KindProto::SetRole(SetRoleProto { user: bytes_of(&user.0), role: role_number(*role) })
        }
        CommandKind::Send { body, mentions, replies, thread, expires_at } => KindProto::Send(SendProto {
            body: body.clone(),
            mentions: all(mentions),
            replies: ids(replies),
            thread: thread.map(|id| bytes_of(&id.0)),
            expires_at: expires_at.map(|at| at.0),
        }),
        CommandKind::Edit { target, body, mentions } => KindProto::Edit(TargetProto {
            target: bytes_of(&target.0),
            body: body.clone(),
            mentions: all(mentions),
            ..TargetProto::default()
        }),
        CommandKind::Delete { target } => KindProto::Delete(bytes_of(&target.0)),
        CommandKind::React { target, emoji, on } => KindProto::React(TargetProto {
            target: bytes_of(&target.0),
            emoji: emoji.clone(),
            on: *on,
            ..TargetProto::default()
        }),
        CommandKind::Pin { target, on } => {
            KindProto::Pin(TargetProto { target: bytes_of(&target.0), on: *on, ..TargetProto::default() })
        }
        CommandKind::Import { author, body, replies, origin, quiet } => KindProto::Import(ImportProto {
            author: bytes_of(&author.0),
            body: body.clone(),
            replies: ids(replies),
            network: origin.network.clone(),
            name: origin.name.clone(),
            quiet: *quiet,
        }),
    }
}

fn decode_kind(kind: KindProto) -> Result<CommandKind, Malformed> {
    let user = |bytes: &Bytes| uuid(bytes, "user").map(UserId);
    let id = |bytes: &Bytes| uuid(bytes, "target").map(CommandId);
    let ids = |all: &[Bytes]| all.iter().map(id).collect::<Result<Vec<_>, _>>();
    Ok(match kind {
        KindProto::Create(proto) => CommandKind::Create(Founding {
            kind: read_kind(proto.kind)?,
            name: proto.name,
            topic: proto.topic,
            history: read_history(proto.history)?,
            members: users(&proto.members, "members")?,
        }),
        KindProto::Change(proto) => {
            let history = proto.history.map(read_history).transpose()?;
            CommandKind::Change(Change { name: proto.name, topic: proto.topic, history })
        }
        KindProto::Join(_) => CommandKind::Join,
        KindProto::Leave(_) => CommandKind::Leave,
        KindProto::Add(bytes) => CommandKind::Add { user: user(&bytes)? },
        KindProto::Remove(bytes) => CommandKind::Remove { user: user(&bytes)? },
        KindProto::SetRole(proto) => CommandKind::SetRole { user: user(&proto.user)?, role: read_role(proto.role)? },
        KindProto::Send(proto) => CommandKind::Send {
            body: proto.body,
            mentions: users(&proto.mentions, "mentions")?,
            replies: ids(&proto.replies)?,
            thread: proto.thread.as_ref().map(id).transpose()?,
            expires_at: time(proto.expires_at),
        },
        KindProto::Edit(proto) => {
            let (target, mentions) = (id(&proto.target)?, users(&proto.mentions, "mentions")?);
            CommandKind::Edit { target, body: proto.body, mentions }
        }
        KindProto::Delete(bytes) => CommandKind::Delete { target: id(&bytes)? },
        KindProto::React(proto) => CommandKind::React { target: id(&proto.target)?, emoji: proto.emoji, on: proto.on },
        KindProto::Pin(proto) => CommandKind::Pin { target: id(&proto.target)?, on: proto.on },
        KindProto::Import(proto) => CommandKind::Import {
            author: user(&proto.author)?,
            body: proto.body,
            replies: ids(&proto.replies)?,
            origin: Origin { network: proto.network, name: proto.name },
            quiet: proto.quiet,
        },
    })
}
