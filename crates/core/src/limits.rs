//! Every limit of a conversation, in one place. The page `docs/protocol/limits.md` lists them with their slugs.

/// Characters in the name of a group or channel.
pub const NAME_CHARS_MAX: usize = 80;
/// Characters in a topic.
pub const TOPIC_CHARS_MAX: usize = 500;
/// Bytes of a message's text.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a body as it lies in the log: text, tags and the seal.
pub const BODY_BYTES_MAX: usize = TEXT_BYTES_MAX + 1024;
/// People named in one message.
pub const MENTIONS_MAX: usize = 50;
/// Messages that one message answers.
pub const REPLIES_MAX: usize = 20;
/// Bytes of an emoji: long enough for every sequence of Unicode 16, joined families included.
pub const EMOJI_BYTES_MAX: usize = 64;
/// Different emoji on one message.
pub const EMOJI_PER_MESSAGE_MAX: usize = 30;
/// All reactions on one message.
pub const REACTIONS_PER_MESSAGE_MAX: usize = 2_000;
/// Times that one message may be edited.
pub const EDITS_PER_MESSAGE_MAX: usize = 100;
/// Messages pinned at a time in one conversation.
pub const PINS_MAX: usize = 100;
/// People named when a conversation is created.
pub const FOUNDERS_MAX: usize = 200;
/// People in a group.
pub const GROUP_MEMBERS_MAX: usize = 1_000;
/// People in a channel.
pub const CHANNEL_MEMBERS_MAX: usize = 200_000;
/// Conversations of one person.
pub const CONVERSATIONS_PER_PERSON_MAX: usize = 10_000;
/// Recent commands that a conversation remembers in memory and in its snapshot.
pub const WINDOW_COMMANDS: usize = 256;
/// Bytes in the name of a network or of somebody who was imported from it.
pub const ORIGIN_BYTES_MAX: usize = 128;
