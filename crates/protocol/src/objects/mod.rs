//! People, conversations, events, commands and problems as JSON: the same on the gateway and in REST.

mod body;
mod command;
mod conversation;
mod event;
mod overlay;
mod problem;
mod user;

pub use body::Body;
pub use command::{CommandBody, NewCommand};
pub use conversation::{
    Conversation, ConversationKind, ConversationSettings, Head, HistoryMode, MemberRole, NotifyLevel, ReadCursor,
};
pub use event::{Event, EventBody, MessageLink};
pub use overlay::{DeletedMark, EditedMark, OverlayItem, PinnedMark, ReactionItem};
pub use problem::{Problem, Slug};
pub use user::{AccountRole, AccountState, Origin, User};
