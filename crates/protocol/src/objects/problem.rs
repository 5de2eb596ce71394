//! Why something was refused: RFC 9457 in REST, the same members in the gateway's frames.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! slugs {
    ($($name:ident = $slug:literal, $status:literal, $title:literal;)*) => {
        /// Every reason for which something is refused. Each has a page in `docs/problems/`.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum Slug {
            $(#[doc = $title] $name,)*
        }

        impl Slug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The slug itself.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// A short title for people, the same each time.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// The slug of this text.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($slug => Some(Self::$name),)* _ => None }
            }
        }
    };
}

slugs! {
    // What the rules of a conversation say: the same slugs as `klatch_core::conversation::Rejection`.
    NotFound = "not_found", 404, "Not found";
    AlreadyExists = "already_exists", 409, "It exists already";
    CommandReused = "command_reused", 409, "This id was used for something else";
    OutOfOrder = "out_of_order", 409, "The command before this one was not decided yet";
    NotAllowed = "not_allowed", 403, "Not allowed";
    NoSuchMessage = "no_such_message", 404, "There is no such message";
    MessageDeleted = "message_deleted", 409, "The message was deleted";
    NoChange = "no_change", 409, "It is like that already";
    NotAMember = "not_a_member", 409, "This person is not in the conversation";
    AlreadyMember = "already_member", 409, "This person is in the conversation already";
    LastOwner = "last_owner", 409, "The last owner must pass the role on first";
    TooManyMembers = "too_many_members", 409, "There is no room for another member";
    TooManyReactions = "too_many_reactions", 409, "There is no room for another reaction";
    TooManyEdits = "too_many_edits", 409, "The message was edited too often";
    TooManyPins = "too_many_pins", 409, "There is no room for another pin";
    TooManyMentions = "too_many_mentions", 422, "Too many people are mentioned";
    TooManyReplies = "too_many_replies", 422, "Too many messages are answered at once";
    InvalidName = "invalid_name", 422, "This name cannot be used";
    InvalidTopic = "invalid_topic", 422, "This topic cannot be used";
    InvalidEmoji = "invalid_emoji", 422, "This is not one emoji";
    BodyTooLong = "body_too_long", 413, "The message is too long";
    WrongKind = "wrong_kind", 409, "Not in this kind of conversation";
    Blocked = "blocked", 403, "One of you has blocked the other";
    NotSupported = "not_supported", 409, "This server is too old for that conversation";
    Undecidable = "undecidable", 409, "The conversation is damaged";
    // What the edge says.
    InvalidRequest = "invalid_request", 400, "The request was not understood";
    TooLarge = "too_large", 413, "The request is too large";
    RateLimited = "rate_limited", 429, "Too much at once";
    Unavailable = "unavailable", 503, "Not available right now";
    StorageFailed = "storage_failed", 503, "The server's disk failed: it takes no writes";
    Internal = "internal", 500, "Something went wrong on the server";
    Stopping = "stopping", 503, "The server is stopping";
    Unauthorized = "unauthorized", 401, "Sign in first";
    TokenExpired = "token_expired", 401, "The access token has expired";
    SignedOut = "signed_out", 401, "The session has ended";
    WrongPassword = "wrong_password", 403, "Name or password is wrong";
    WeakPassword = "weak_password", 422, "The password is too short or too long";
    NameTaken = "name_taken", 409, "The name is taken";
    InviteRequired = "invite_required", 403, "An invitation is needed";
    InviteInvalid = "invite_invalid", 403, "The invitation is used up or has expired";
    RegistrationClosed = "registration_closed", 403, "This site takes no new accounts";
    ResetInvalid = "reset_invalid", 403, "The link to set a password is used or has expired";
    TooManyConversations = "too_many_conversations", 409, "No room for another conversation";
    TooMany = "too_many", 409, "There is no room for another";
    IdempotencyReused = "idempotency_reused", 409, "This Idempotency-Key was used for something else";
    WrongOrigin = "wrong_origin", 403, "Not from this site's pages";
    // What the gateway says.
    UnknownFrame = "unknown_frame", 400, "A frame of unknown type";
    SecondHello = "second_hello", 400, "Hello was said already";
    NotHello = "not_hello", 400, "Say hello first";
    HelloTimeout = "hello_timeout", 408, "No hello came in time";
    VersionUnsupported = "version_unsupported", 400, "No common version of the protocol";
    Slow = "slow", 503, "The connection did not keep up";
    Idle = "idle", 408, "The connection did not answer";
    AccountClosed = "account_closed", 403, "The account is closed";
    Abuse = "abuse", 429, "Far beyond the limits";
}

/// Why something was refused (RFC 9457). In REST, `type` is the address of the slug's page, and `status` and `instance` are
/// there; in frames, `type` is the slug alone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The slug, or the address that ends in it.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short title, the same each time.
    pub title: String,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What happened, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The id of the request, to be found in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// After how many milliseconds to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Problem {
    /// The problem of this slug, as it stands in a frame.
    pub fn new(slug: Slug) -> Self {
        Self {
            kind: slug.as_str().to_owned(),
            title: slug.title().to_owned(),
            status: None,
            detail: None,
            instance: None,
            retry_after_ms: None,
        }
    }

    /// With a sentence on what happened and what to do.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With a time to wait.
    #[must_use]
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// The slug, also where `type` is an address.
    pub fn slug(&self) -> Option<Slug> {
        Slug::parse(self.kind.rsplit('/').next().unwrap_or(&self.kind).trim_end_matches(".md"))
    }
}

#[cfg(test)]
mod tests {
    use klatch_core::conversation::Rejection;

    use super::*;

    #[test]
    fn every_rejection_of_the_core_has_a_slug_here() {
        for rejection in Rejection::ALL {
            assert!(Slug::parse(rejection.slug()).is_some(), "{rejection:?}");
        }
    }
}
