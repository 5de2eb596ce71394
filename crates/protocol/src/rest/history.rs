//! Pages of history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::objects::{Event, OverlayItem};

/// A contiguous range of a conversation's log, and what later events made of its messages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// By the seq of the message.
    pub overlay: BTreeMap<u64, OverlayItem>,
    /// The last event of the conversation.
    pub head: u64,
    /// The first seq that one may read.
    pub first: u64,
}

/// The pinned messages of a conversation, which lie anywhere in its log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PinsPage {
    /// The messages, oldest first.
    pub items: Vec<Event>,
    /// By the seq of the message.
    pub overlay: BTreeMap<u64, OverlayItem>,
}
