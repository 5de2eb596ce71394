//! A command, as clients send it: by the gateway or by REST, it is the same.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Body, HistoryMode, MemberRole};

/// A command with what surrounds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewCommand {
    /// A UUIDv7 that the client made; it becomes the id of the event.
    pub id: Uuid,
    /// What is wanted.
    pub command: CommandBody,
    /// The last seq that the client knew of the conversation at its first try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// The command that this device sent before this one to the same conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Uuid>,
    /// When it happened, by the client's clock: milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<u64>,
}

/// What is wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CommandBody {
    /// Say something.
    Send {
        /// What.
        body: Body,
        /// Who is mentioned.
        #[serde(default)]
        mentions: Vec<Uuid>,
        /// The messages it answers.
        #[serde(default)]
        replies: Vec<Uuid>,
        /// The message whose thread it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<Uuid>,
    },
    /// Say it differently.
    Edit {
        /// Which message.
        target: Uuid,
        /// What it shall say.
        body: Body,
        /// Who is mentioned.
        #[serde(default)]
        mentions: Vec<Uuid>,
    },
    /// Unsay it.
    Delete {
        /// Which message.
        target: Uuid,
    },
    /// Put a reaction on a message.
    React {
        /// Which message.
        target: Uuid,
        /// The emoji.
        emoji: String,
    },
    /// Take a reaction off.
    Unreact {
        /// Which message.
        target: Uuid,
        /// The emoji.
        emoji: String,
    },
    /// Pin a message.
    Pin {
        /// Which.
        target: Uuid,
    },
    /// Unpin a message.
    Unpin {
        /// Which.
        target: Uuid,
    },
    /// Come into a channel.
    Join,
    /// Go.
    Leave,
    /// Bring somebody in.
    Add {
        /// Who.
        user: Uuid,
    },
    /// Send somebody out.
    Remove {
        /// Who.
        user: Uuid,
    },
    /// Set somebody's role.
    SetRole {
        /// Whose.
        user: Uuid,
        /// To what.
        role: MemberRole,
    },
    /// Change name, topic or history.
    Change {
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The new topic.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        /// How far back members may read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        history: Option<HistoryMode>,
    },
}
