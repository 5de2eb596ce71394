//! An event, as clients see it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Body, ConversationKind, HistoryMode, MemberRole, Origin};

/// An event of a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its place: 1, 2, 3, … without holes.
    pub seq: u64,
    /// The id of its command; a message's id.
    pub id: Uuid,
    /// Who did it.
    pub author: Uuid,
    /// The server's time, milliseconds since 1970.
    pub at: u64,
    /// Messages up to and with this one that count as unread.
    pub worthy: u64,
    /// The time that the client claimed, or at which something imported was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<u64>,
    /// Where it was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventBody,
}

/// A link to a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MessageLink {
    /// Its id.
    pub id: Uuid,
    /// Its seq.
    pub seq: u64,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventBody {
    /// The conversation began.
    Created {
        /// What sort it is.
        conversation_kind: ConversationKind,
        /// Its name.
        name: String,
        /// Its topic.
        topic: String,
        /// How far back members may read.
        history: HistoryMode,
        /// Who was in it from the start, besides the author.
        members: Vec<Uuid>,
    },
    /// Name, topic or history changed.
    Changed {
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The new topic.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        /// How far back members may read now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        history: Option<HistoryMode>,
    },
    /// Somebody came.
    Joined {
        /// Who.
        user: Uuid,
        /// As what.
        role: MemberRole,
    },
    /// Somebody left.
    Left {
        /// Who: the author.
        user: Uuid,
    },
    /// Somebody was removed by the author.
    Removed {
        /// Who.
        user: Uuid,
    },
    /// Somebody's role was set by the author.
    RoleSet {
        /// Whose.
        user: Uuid,
        /// To what.
        role: MemberRole,
    },
    /// A message.
    Sent {
        /// What it says; null once erased.
        #[schema(required)]
        body: Option<Body>,
        /// Whether it was erased.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        erased: bool,
        /// Who is mentioned.
        #[serde(default)]
        #[schema(required)]
        mentions: Vec<Uuid>,
        /// The messages that it answers.
        #[serde(default)]
        #[schema(required)]
        replies: Vec<MessageLink>,
        /// The message whose thread it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<MessageLink>,
    },
    /// A message says something else now.
    Edited {
        /// Which.
        target: MessageLink,
        /// What it says; null once erased.
        #[schema(required)]
        body: Option<Body>,
        /// Whether it was erased.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        erased: bool,
        /// Who is mentioned.
        #[serde(default)]
        #[schema(required)]
        mentions: Vec<Uuid>,
    },
    /// A message was deleted.
    Deleted {
        /// Which.
        target: MessageLink,
    },
    /// A reaction was put on a message.
    Reacted {
        /// Which message.
        target: MessageLink,
        /// The emoji.
        emoji: String,
    },
    /// A reaction was taken off.
    Unreacted {
        /// Which message.
        target: MessageLink,
        /// The emoji.
        emoji: String,
    },
    /// A message was pinned.
    Pinned {
        /// Which.
        target: MessageLink,
    },
    /// A message is pinned no longer.
    Unpinned {
        /// Which.
        target: MessageLink,
    },
    /// Something that only a later version knows.
    #[serde(other)]
    Unsupported,
}
