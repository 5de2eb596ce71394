//! What nodes tell each other at once, on the topics of the port `live`.

use bytes::Bytes;
use klatch_core::ids::{ConversationId, DeviceId, Seq, UserId};
use prost::Message as _;

use super::{Malformed, bytes_of, uuid};

/// Said on a conversation's topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signal {
    /// Durable events, one after the other; one at least.
    Events(Vec<SaidEvent>),
    /// Somebody types, or no longer does.
    Typing {
        /// Who.
        user: UserId,
        /// Whether.
        on: bool,
        /// How far the conversation was where they type: whoever is not that far yet must not pass this on.
        as_of: Seq,
    },
    /// Somebody's cursor moved.
    Cursor {
        /// Whose.
        user: UserId,
        /// Received up to here.
        delivered: Seq,
        /// Read up to here.
        read: Seq,
        /// Messages up to there.
        read_worthy: u64,
        /// The version of `read`.
        version: u64,
    },
}

/// A durable event, as it lies in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SaidEvent {
    /// Its place.
    pub seq: Seq,
    /// Its head.
    pub head: Bytes,
    /// Its sealed body.
    pub body: Bytes,
}

/// Said on a person's topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Personal {
    /// They are in this conversation now, or their settings for it changed.
    Conversation(ConversationId),
    /// They are here, away or gone.
    Presence {
        /// 0 offline, 1 away, 2 online.
        state: u32,
        /// Since when: milliseconds since 1970.
        since: u64,
    },
    /// What a device does on its own behalf, told to the person's other devices: the device that said it, and the frame.
    Echo {
        /// Who said it.
        device: DeviceId,
        /// A frame of the gateway.
        frame: Bytes,
    },
}

#[derive(Clone, PartialEq, prost::Message)]
struct SignalProto {
    #[prost(oneof = "SignalKind", tags = "1, 2, 3")]
    kind: Option<SignalKind>,
    /// Those that follow an event. Who does not know of them finds a hole, and reads the log.
    #[prost(message, repeated, tag = "4")]
    following: Vec<EventProto>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum SignalKind {
    #[prost(message, tag = "1")]
    Event(EventProto),
    #[prost(message, tag = "2")]
    Typing(TypingProto),
    #[prost(message, tag = "3")]
    Cursor(CursorProto),
}

#[derive(Clone, PartialEq, prost::Message)]
struct EventProto {
    #[prost(uint64, tag = "1")]
    seq: u64,
    #[prost(bytes = "bytes", tag = "2")]
    head: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    body: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TypingProto {
    #[prost(bytes = "bytes", tag = "1")]
    user: Bytes,
    #[prost(bool, tag = "2")]
    on: bool,
    #[prost(uint64, tag = "3")]
    as_of: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CursorProto {
    #[prost(bytes = "bytes", tag = "1")]
    user: Bytes,
    #[prost(uint64, tag = "2")]
    delivered: u64,
    #[prost(uint64, tag = "3")]
    read: u64,
    #[prost(uint64, tag = "4")]
    read_worthy: u64,
    #[prost(uint64, tag = "5")]
    version: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PersonalProto {
    #[prost(oneof = "PersonalKind", tags = "1, 3, 4")]
    kind: Option<PersonalKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum PersonalKind {
    #[prost(bytes = "bytes", tag = "1")]
    Conversation(Bytes),
    #[prost(message, tag = "3")]
    Presence(PresenceProto),
    #[prost(message, tag = "4")]
    Echo(EchoProto),
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct PresenceProto {
    #[prost(uint32, tag = "1")]
    state: u32,
    #[prost(uint64, tag = "2")]
    since: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EchoProto {
    #[prost(bytes = "bytes", tag = "1")]
    device: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    frame: Bytes,
}

impl From<SaidEvent> for EventProto {
    fn from(SaidEvent { seq, head, body }: SaidEvent) -> Self {
        Self { seq: seq.0, head, body }
    }
}

impl From<EventProto> for SaidEvent {
    fn from(EventProto { seq, head, body }: EventProto) -> Self {
        Self { seq: Seq(seq), head, body }
    }
}

impl Signal {
    /// The bytes.
    pub fn encode(self) -> Bytes {
        let mut following = Vec::new();
        let kind = match self {
            Self::Events(events) => {
                let mut events = events.into_iter().map(EventProto::from);
                let first = events.next();
                following.extend(events);
                first.map(SignalKind::Event)
            }
            Self::Typing { user, on, as_of } => {
                Some(SignalKind::Typing(TypingProto { user: bytes_of(&user.0), on, as_of: as_of.0 }))
            }
            Self::Cursor { user, delivered, read, read_worthy, version } => Some(SignalKind::Cursor(CursorProto {
                user: bytes_of(&user.0),
                delivered: delivered.0,
                read: read.0,
                read_worthy,
                version,
            })),
        };
        SignalProto { kind, following }.encode_to_vec().into()
    }

    /// What these bytes say; `None` where a later version said it.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: Bytes) -> Result<Option<Self>, Malformed> {
        let SignalProto { kind, following } = SignalProto::decode(bytes)?;
        Ok(match kind {
            Some(SignalKind::Event(first)) => {
                Some(Self::Events([first].into_iter().chain(following).map(SaidEvent::from).collect()))
            }
            Some(SignalKind::Typing(proto)) => {
                Some(Self::Typing { user: UserId(uuid(&proto.user, "user")?), on: proto.on, as_of: Seq(proto.as_of) })
            }
            Some(SignalKind::Cursor(proto)) => Some(Self::Cursor {
                user: UserId(uuid(&proto.user, "user")?),
                delivered: Seq(proto.delivered),
                read: Seq(proto.read),
                read_worthy: proto.read_worthy,
                version: proto.version,
            }),
            None => None,
        })
    }
}

impl Personal {
    /// The bytes.
    pub fn encode(&self) -> Bytes {
        let kind = match self {
            Self::Conversation(id) => PersonalKind::Conversation(bytes_of(&id.0)),
            Self::Presence { state, since } => PersonalKind::Presence(PresenceProto { state: *state, since: *since }),
            Self::Echo { device, frame } => {
                PersonalKind::Echo(EchoProto { device: bytes_of(&device.0), frame: frame.clone() })
            }
        };
        PersonalProto { kind: Some(kind) }.encode_to_vec().into()
    }

    /// What these bytes say; `None` where a later version said it.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(bytes: Bytes) -> Result<Option<Self>, Malformed> {
        Ok(match PersonalProto::decode(bytes)?.kind {
            Some(PersonalKind::Conversation(id)) => {
                Some(Self::Conversation(ConversationId(uuid(&id, "conversation")?)))
            }
            Some(PersonalKind::Presence(proto)) => Some(Self::Presence { state: proto.state, since: proto.since }),
            Some(PersonalKind::Echo(proto)) => {
                Some(Self::Echo { device: DeviceId(uuid(&proto.device, "device")?), frame: proto.frame })
            }
            None => None,
        })
    }
}
