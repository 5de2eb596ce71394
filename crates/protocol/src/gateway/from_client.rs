//! What clients say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::objects::NewCommand;

/// A frame from a client.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame.
    Hello {
        /// The versions that the client speaks.
        protocol: Vec<u32>,
        /// The access token.
        token: String,
        /// What the client is.
        #[serde(default)]
        client: ClientInfo,
        /// What it can do beyond the version.
        #[serde(default)]
        capabilities: Vec<String>,
    },
    /// "This is what I hold; tell me the rest."
    Sync {
        /// The last seq of each conversation that the client holds.
        #[serde(default)]
        have: BTreeMap<Uuid, u64>,
        /// `next` of the page before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Do something in a conversation.
    Command {
        /// Which.
        conversation: Uuid,
        /// What.
        #[serde(flatten)]
        new: NewCommand,
    },
    /// "I know what became of these." For answers that followed `accepted`.
    Confirm {
        /// Which commands.
        commands: Vec<Confirmed>,
    },
    /// How far one has read or received.
    Cursor {
        /// Which conversation.
        conversation: Uuid,
        /// Read up to here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read: Option<ReadMove>,
        /// Received up to here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivered: Option<u64>,
    },
    /// Typing, or no longer.
    Typing {
        /// Where.
        conversation: Uuid,
        /// Whether.
        on: bool,
    },
    /// Whether somebody is in front of this device.
    Presence {
        /// Whether.
        state: DeviceState,
    },
    /// Whose presence and profile this device shows; replaces the former set.
    Watch {
        /// Who.
        users: Vec<Uuid>,
    },
    /// What is on the screen; replaces the former set.
    Open {
        /// Which.
        conversations: Vec<Uuid>,
    },
    /// "Are you there?"
    Ping,
}

/// A command whose answer a client knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Confirmed {
    /// Which.
    pub id: Uuid,
    /// Where it was given.
    pub conversation: Uuid,
}

/// What a client is.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ClientInfo {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
}

/// Whether somebody is in front of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Somebody is.
    Online,
    /// Nobody is.
    Away,
}

/// A new place of the read cursor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReadMove {
    /// Read up to here.
    pub seq: u64,
    /// One more than the version that one knew.
    pub version: u64,
}
