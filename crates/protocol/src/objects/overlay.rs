//! What later events made of a message, as clients see it beside a page of history.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Body;

/// What later events made of a message, up to `as_of`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct OverlayItem {
    /// The last event that is in here.
    pub as_of: u64,
    /// Its latest edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<EditedMark>,
    /// Its deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<DeletedMark>,
    /// Its reactions, in the order in which the emoji first came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<ReactionItem>,
    /// Its pin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<PinnedMark>,
}

/// The latest edit of a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct EditedMark {
    /// The event.
    pub seq: u64,
    /// When.
    pub at: u64,
    /// What the message says now; null where its author was erased.
    #[schema(required)]
    pub body: Option<Body>,
    /// Who is mentioned now.
    pub mentions: Vec<Uuid>,
}

/// The deletion of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeletedMark {
    /// The event.
    pub seq: u64,
    /// When.
    pub at: u64,
    /// Who.
    pub by: Uuid,
}

/// The pin of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PinnedMark {
    /// Who.
    pub by: Uuid,
    /// When.
    pub at: u64,
}

/// Everybody who reacted with one emoji.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReactionItem {
    /// The emoji.
    pub emoji: String,
    /// How many.
    pub count: u64,
    /// The first 20 of them.
    pub users: Vec<Uuid>,
    /// Whether one is among them.
    pub me: bool,
}
