//! Why a command took no effect: a closed list, with a slug each that is the same on every wire.

/// Why a command took no effect. An answer, not an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Rejection {
    /// There is no such conversation, or not for this person.
    NotFound,
    /// There is a conversation of that id already.
    AlreadyExists,
    /// The same id was used with other content, or by somebody else.
    CommandReused,
    /// The command named in `after` was not decided yet.
    OutOfOrder,
    /// A member, but not one who may do this.
    NotAllowed,
    /// The message that is answered or changed is not there.
    NoSuchMessage,
    /// The message was deleted.
    MessageDeleted,
    /// It is like that already.
    NoChange,
    /// The person is not in the conversation.
    NotAMember,
    /// The person is in the conversation already.
    AlreadyMember,
    /// The last owner must pass the role on first.
    LastOwner,
    /// There is no room for another member.
    TooManyMembers,
    /// There is no room for another reaction on this message.
    TooManyReactions,
    /// The message was edited too often.
    TooManyEdits,
    /// There is no room for another pin.
    TooManyPins,
    /// More people are mentioned than a message may mention.
    TooManyMentions,
    /// More messages are answered than one may answer.
    TooManyReplies,
    /// A name is empty, too long or has characters that names may not have.
    InvalidName,
    /// A topic is too long or has characters that topics may not have.
    InvalidTopic,
    /// This is not one emoji.
    InvalidEmoji,
    /// The body is too long.
    BodyTooLong,
    /// This cannot be done in this kind of conversation.
    WrongKind,
    /// One of the two has blocked the other.
    Blocked,
    /// The conversation holds an event that this version does not know and may not pass over.
    NotSupported,
    /// Something that lies in the conversation cannot be read, so the command could not be decided. It is kept for an operator.
    Undecidable,
}

impl Rejection {
    /// Every rejection, in the order above.
    pub const ALL: [Self; 25] = [
        Self::NotFound,
        Self::AlreadyExists,
        Self::CommandReused,
        Self::OutOfOrder,
        Self::NotAllowed,
        Self::NoSuchMessage,
        Self::MessageDeleted,
        Self::NoChange,
        Self::NotAMember,
        Self::AlreadyMember,
        Self::LastOwner,
        Self::TooManyMembers,
        Self::TooManyReactions,
        Self::TooManyEdits,
        Self::TooManyPins,
        Self::TooManyMentions,
        Self::TooManyReplies,
        Self::InvalidName,
        Self::InvalidTopic,
        Self::InvalidEmoji,
        Self::BodyTooLong,
        Self::WrongKind,
        Self::Blocked,
        Self::NotSupported,
        Self::Undecidable,
    ];

    /// The slug: its name on every wire, and of its page in `docs/problems/`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::CommandReused => "command_reused",
            Self::OutOfOrder => "out_of_order",
            Self::NotAllowed => "not_allowed",
            Self::NoSuchMessage => "no_such_message",
            Self::MessageDeleted => "message_deleted",
            Self::NoChange => "no_change",
            Self::NotAMember => "not_a_member",
            Self::AlreadyMember => "already_member",
            Self::LastOwner => "last_owner",
            Self::TooManyMembers => "too_many_members",
            Self::TooManyReactions => "too_many_reactions",
            Self::TooManyEdits => "too_many_edits",
            Self::TooManyPins => "too_many_pins",
            Self::TooManyMentions => "too_many_mentions",
            Self::TooManyReplies => "too_many_replies",
            Self::InvalidName => "invalid_name",
            Self::InvalidTopic => "invalid_topic",
            Self::InvalidEmoji => "invalid_emoji",
            Self::BodyTooLong => "body_too_long",
            Self::WrongKind => "wrong_kind",
            Self::Blocked => "blocked",
            Self::NotSupported => "not_supported",
            Self::Undecidable => "undecidable",
        }
    }

    /// The rejection of this slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rejection| rejection.slug() == slug)
    }
}
