//! The state of a conversation as bytes: a cache of the fold, thrown away when its version is another.

use bytes::Bytes;
use klatch_core::conversation::{Conversation, Member, Remembered};
use klatch_core::ids::{CommandId, ConversationId, Seq, Timestamp, UserId};
use prost::Message as _;

use super::event::{history_number, kind_number, read_history, read_kind, read_role, role_number};
use super::{Malformed, bytes_of, decode_index, encode_index, uuid};

/// The version of the state that this build folds. Raise it whenever `apply` or the state changes.
pub const STATE_VERSION: u32 = 1;

#[derive(Clone, PartialEq, prost::Message)]
struct SnapshotProto {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    topic: String,
    #[prost(uint32, tag = "5")]
    history: u32,
    #[prost(message, repeated, tag = "6")]
    members: Vec<MemberProto>,
    #[prost(uint64, repeated, tag = "7")]
    pins: Vec<u64>,
    #[prost(uint64, tag = "8")]
    seq: u64,
    #[prost(uint64, tag = "9")]
    worthy: u64,
    #[prost(uint64, tag = "10")]
    at: u64,
    #[prost(message, repeated, tag = "11")]
    window: Vec<WindowProto>,
    #[prost(uint64, optional, tag = "12")]
    sealed_off: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct MemberProto {
    #[prost(bytes = "bytes", tag = "1")]
    user: Bytes,
    #[prost(uint32, tag = "2")]
    role: u32,
    #[prost(uint64, tag = "3")]
    joined: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WindowProto {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    /// As in the index.
    #[prost(bytes = "bytes", tag = "2")]
    remembered: Bytes,
}

/// The bytes of a state.
pub fn encode_snapshot(state: &Conversation) -> Bytes {
    let member = |(user, member): (&UserId, &Member)| MemberProto {
        user: bytes_of(&user.0),
        role: role_number(member.role),
        joined: member.joined.0,
    };
    let command = |(id, remembered): (CommandId, Remembered)| WindowProto {
        id: bytes_of(&id.0),
        remembered: encode_index(&remembered),
    };
    let proto = SnapshotProto {
        version: STATE_VERSION,
        kind: state.kind.map_or(0, kind_number),
        name: state.name.clone(),
        topic: state.topic.clone(),
        history: history_number(state.history),
        members: state.members.iter().map(member).collect(),
        pins: state.pins.iter().map(|seq| seq.0).collect(),
        seq: state.seq.0,
        worthy: state.worthy,
        at: state.at.0,
        window: state.window.entries().map(command).collect(),
        sealed_off: state.sealed_off.map(|seq| seq.0),
    };
    proto.encode_to_vec().into()
}

/// The state in these bytes.
///
/// # Errors
/// [`Malformed`]; `Version` where another version of the state made it, which is no reason to worry: fold the log instead.
pub fn decode_snapshot(id: ConversationId, bytes: Bytes) -> Result<Conversation, Malformed> {
    let proto = SnapshotProto::decode(bytes)?;
    if proto.version != STATE_VERSION {
        return Err(Malformed::Version(proto.version));
    }
    let mut state = Conversation::empty(id);
    state.kind = if proto.kind == 0 { None } else { Some(read_kind(proto.kind)?) };
    state.name = proto.name;
    state.topic = proto.topic;
    state.history = read_history(proto.history)?;
    for member in proto.members {
        let place = Member { role: read_role(member.role)?, joined: Seq(member.joined) };
        state.members.insert(UserId(uuid(&member.user, "member")?), place);
    }
    state.pins = proto.pins.into_iter().map(Seq).collect();
    state.seq = Seq(proto.seq);
    state.worthy = proto.worthy;
    state.at = Timestamp(proto.at);
    for command in proto.window {
        state.window.restore(CommandId(uuid(&command.id, "window")?), decode_index(&command.remembered)?);
    }
    state.sealed_off = proto.sealed_off.map(Seq);
    Ok(state)
}
