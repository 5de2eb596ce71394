//! Conversations: made, listed, commanded, imported into.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::gateway::ReadMove;
use crate::objects::{Body, ConversationKind, HistoryMode, MemberRole, NotifyLevel, Origin, Problem, User};

/// A conversation to be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewConversation {
    /// A UUIDv7 that the client made: the id of the command and, but for direct ones, of the conversation.
    pub id: Uuid,
    /// What sort it is; a direct one where absent.
    #[serde(default = "direct")]
    pub kind: ConversationKind,
    /// Its name; a channel needs one, a group may have one.
    #[serde(default)]
    pub name: String,
    /// Its topic.
    #[serde(default)]
    pub topic: String,
    /// How far back members may read; `all` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryMode>,
    /// Who else is in it from the start.
    #[serde(default)]
    pub members: Vec<Uuid>,
    /// The other one of a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Uuid>,
}

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CommandAnswer {
    /// The command.
    pub id: Uuid,
    /// The conversation.
    pub conversation: Uuid,
    /// The seq of its event.
    pub seq: u64,
    /// Whether it took effect before.
    pub repeated: bool,
}

/// Somebody in a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MemberItem {
    /// Who.
    pub user: User,
    /// As what.
    pub role: MemberRole,
    /// Since which event.
    pub joined_seq: u64,
    /// How far they have read.
    pub read: u64,
    /// How far they have received.
    pub delivered: u64,
}

/// A channel in the directory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChannelItem {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// How many members it has.
    pub members: u64,
    /// Whether one is among them.
    pub joined: bool,
}

/// A cursor to move.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CursorMove {
    /// Read up to here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadMove>,
    /// Received up to here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<u64>,
}

/// Where a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MessagePlace {
    /// Its id.
    pub id: Uuid,
    /// Its seq.
    pub seq: u64,
}

/// One's own settings for a conversation; what is left out stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SettingsChange {
    /// What one wants to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<NotifyLevel>,
    /// Whether it is one of one's favourites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub favourite: Option<bool>,
}

/// Messages that were said elsewhere, in order; at most 500.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportBatch {
    /// The messages.
    pub items: Vec<ImportItem>,
}

/// A message that was said elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportItem {
    /// An id derived from where it stands in its source: the same each time it is imported.
    pub id: Uuid,
    /// Its author there.
    pub author: Origin,
    /// When it was said: milliseconds since 1970.
    pub at: u64,
    /// What was said; a `notice` counts as unread for nobody.
    pub body: Body,
    /// The messages it answers, imported before or with it.
    #[serde(default)]
    pub replies: Vec<Uuid>,
}

/// What became of a batch, in its order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportAnswer {
    /// Each.
    pub outcomes: Vec<ImportOutcome>,
}

/// What became of one message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportOutcome {
    /// Which.
    pub id: Uuid,
    /// Where it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Whether it was there before.
    #[serde(default)]
    pub repeated: bool,
    /// Why it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

const fn direct() -> ConversationKind {
    ConversationKind::Direct
}
