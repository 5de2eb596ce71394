//! What a message says: a tagged union. The server works with any of them without knowing what it says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Body {
    /// Text with a safe subset of Markdown.
    Text {
        /// The text.
        text: String,
        /// Whether it tells what its author does (`/me`).
        #[serde(default)]
        emote: bool,
    },
    /// A notice of the service, such as an imported "joined".
    Notice {
        /// The text.
        text: String,
    },
    /// Something that only a later version knows.
    #[serde(other)]
    Unsupported,
}
