//! What the server says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::objects::{Conversation, Event, Problem, ReadCursor, User};

/// A frame from the server.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to hello.
    Ready {
        /// The version that both will use.
        protocol: u32,
        /// The workspace.
        workspace: Uuid,
        /// Who one is.
        user: User,
        /// The session of this device.
        session: Uuid,
        /// Milliseconds since 1970.
        server_time: u64,
        /// What must not be exceeded.
        limits: Limits,
        /// What both can do beyond the version.
        capabilities: Vec<String>,
    },
    /// A page of one's conversations: the answer to sync.
    Conversations {
        /// At most 200, newest activity first.
        items: Vec<Conversation>,
        /// Of those that the client has: which are not one's own any more.
        gone: Vec<Uuid>,
        /// Where the next page begins.
        #[schema(required)]
        next: Option<String>,
    },
    /// One joined, or one's own settings changed.
    Conversation {
        /// Which.
        item: Conversation,
    },
    /// What happened, contiguous and in order.
    Events {
        /// Where.
        conversation: Uuid,
        /// What.
        events: Vec<Event>,
    },
    /// A command lies in a queue that keeps it: `committed` or `rejected` follows, if not on this connection then on a later one.
    Accepted {
        /// Which.
        id: Uuid,
        /// Where.
        conversation: Uuid,
    },
    /// A command is durable.
    Committed {
        /// Which.
        id: Uuid,
        /// Where.
        conversation: Uuid,
        /// The seq of its event.
        seq: u64,
        /// Whether it took effect before.
        repeated: bool,
    },
    /// A command took no effect.
    Rejected {
        /// Which.
        id: Uuid,
        /// Where.
        conversation: Uuid,
        /// Why.
        problem: Problem,
    },
    /// Where conversations stand.
    Head {
        /// Each.
        heads: Vec<HeadItem>,
    },
    /// How far somebody is.
    Cursor {
        /// Where.
        conversation: Uuid,
        /// Who.
        user: Uuid,
        /// Read up to here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read: Option<ReadCursor>,
        /// Received up to here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivered: Option<u64>,
    },
    /// Somebody types, or no longer.
    Typing {
        /// Where.
        conversation: Uuid,
        /// Who.
        user: Uuid,
        /// Whether.
        on: bool,
    },
    /// Who is here.
    Presence {
        /// Each.
        users: Vec<PresenceItem>,
    },
    /// Somebody's profile.
    User {
        /// Theirs.
        user: User,
    },
    /// Own account settings, changed on another device.
    Account {
        /// Whom one blocks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blocks: Option<Vec<Uuid>>,
    },
    /// A frame that was not understood, not allowed, or cannot be done at the moment.
    Error {
        /// Why.
        problem: Problem,
        /// The `type` of the frame, if it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
    },
    /// "I am."
    Pong,
}

/// Where a conversation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HeadItem {
    /// Which.
    pub conversation: Uuid,
    /// The last event.
    pub seq: u64,
    /// Messages up to it that count as unread.
    pub worthy: u64,
    /// Its time.
    pub at: u64,
}

/// Whether somebody is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PresenceItem {
    /// Who.
    pub user: Uuid,
    /// Whether.
    pub state: PresenceState,
    /// Since when: milliseconds since 1970.
    pub since: u64,
}

/// Whether somebody is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// Here.
    Online,
    /// A device is, nobody in front of it.
    Away,
    /// No device.
    Offline,
}

/// What must not be exceeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// Bytes of a frame to the server.
    pub frame_bytes: usize,
    /// Frames at once.
    pub frames_burst: u32,
    /// Frames a second thereafter.
    pub frames_per_second: u32,
    /// Bytes of a message's text.
    pub text_bytes: usize,
    /// Conversations in `have`.
    pub have: usize,
    /// People in `watch`.
    pub watch: usize,
    /// Conversations in `open`.
    pub open: usize,
    /// Commands in `confirm`.
    pub confirm: usize,
}
