//! A conversation, as one of its members sees it in their list.

use klatch_core::conversation::{History, Kind, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Event;

/// What sort of conversation it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// Between two people.
    Direct,
    /// Among people who were added.
    Group,
    /// Public.
    Channel,
}

/// What a member may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Reads and writes.
    Member,
    /// Also keeps order.
    Moderator,
    /// Everything.
    Owner,
}

/// How far back a member may read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryMode {
    /// From the first event.
    All,
    /// From the event with which one joined.
    SinceJoined,
}

/// What somebody wants to be told about a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotifyLevel {
    /// Everything.
    All,
    /// Only mentions.
    Mentions,
    /// Nothing.
    None,
}

/// Where a conversation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Head {
    /// The last event.
    pub seq: u64,
    /// Messages up to it that count as unread.
    pub worthy: u64,
    /// Its time, milliseconds since 1970.
    pub at: u64,
}

/// How far one has read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReadCursor {
    /// Up to here.
    pub seq: u64,
    /// The last version wins on all devices.
    pub version: u64,
    /// Messages up to there.
    #[serde(default)]
    #[schema(required)]
    pub worthy: u64,
}

/// One's own settings for a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConversationSettings {
    /// What one wants to be told.
    pub notify: NotifyLevel,
    /// Whether it is one of one's favourites.
    pub favourite: bool,
}

/// A conversation, as one of its members sees it in their list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Conversation {
    /// Its id.
    pub id: Uuid,
    /// What sort it is.
    pub kind: ConversationKind,
    /// Its name; empty in a direct one.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// How far back members may read.
    pub history: HistoryMode,
    /// One's own role.
    pub role: MemberRole,
    /// The event with which one came.
    pub joined_seq: u64,
    /// How many members there are.
    pub members: u64,
    /// The other one, in a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Uuid>,
    /// Where it stands.
    pub head: Head,
    /// How far one has read.
    pub read: ReadCursor,
    /// How far one has received.
    pub delivered: u64,
    /// Mentions after that.
    pub mentions: u64,
    /// One's own settings.
    pub settings: ConversationSettings,
    /// The newest message, for a preview.
    #[schema(required)]
    pub last: Option<Event>,
    /// In an answer to `sync`: what follows after what the client has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Event>>,
    /// In an answer to `sync`: too much follows; begin with a page of history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub afresh: Option<bool>,
}

macro_rules! mirrors {
    ($here:ident, $core:ident: $($name:ident),*) => {
        impl From<$core> for $here {
            fn from(core: $core) -> Self {
                match core { $($core::$name => Self::$name,)* }
            }
        }

        impl From<$here> for $core {
            fn from(here: $here) -> Self {
                match here { $($here::$name => Self::$name,)* }
            }
        }
    };
}

mirrors!(ConversationKind, Kind: Direct, Group, Channel);
mirrors!(MemberRole, Role: Member, Moderator, Owner);
mirrors!(HistoryMode, History: All, SinceJoined);
