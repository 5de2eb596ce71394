//! What does this person's list look like? Memberships, conversations, mentions: projections of the log that can be rebuilt by
//! replay; and cursors and settings, which are a person's own and lie outside the log.

use async_trait::async_trait;
use klatch_core::conversation::{History, Kind, Role};
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};

use crate::Error;

/// What one event, or several, change about the views of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// How lists describe the conversation; what is `None` stays.
    Described {
        /// What sort it is: set once.
        kind: Option<Kind>,
        /// Its name.
        name: Option<String>,
        /// Its topic.
        topic: Option<String>,
        /// How far back members may read.
        history: Option<History>,
    },
    /// Somebody is a member, from `joined` on.
    Joined {
        /// Who.
        user: UserId,
        /// As what.
        role: Role,
        /// Since which event.
        joined: Seq,
    },
    /// A member's role.
    RoleSet {
        /// Whose.
        user: UserId,
        /// Which.
        role: Role,
    },
    /// Somebody is no member; what they had set and read here is forgotten.
    Gone {
        /// Who.
        user: UserId,
    },
    /// Somebody was mentioned.
    Mentioned {
        /// Who.
        user: UserId,
        /// In which event.
        seq: Seq,
    },
    /// Somebody has read up to here, as they wrote here. Moves the cursor forward only, with its version.
    Read {
        /// Who.
        user: UserId,
        /// Up to where.
        seq: Seq,
        /// The number of messages up to there.
        worthy: u64,
    },
}

/// The head of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// The last event.
    pub seq: Seq,
    /// Messages up to it that count as unread.
    pub worthy: u64,
    /// Its time.
    pub at: Timestamp,
    /// The last message ([`Seq::ZERO`]: none yet).
    pub message: Seq,
}

/// The rows of consecutive events of one conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Projection {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The event before the first of these: what was projected must reach up to it.
    pub after: Seq,
    /// The head that they lead to.
    pub head: Head,
    /// What changes, in order.
    pub rows: Vec<Row>,
}

/// What became of a [`Projection`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Projected {
    /// It is in the views now.
    Now,
    /// It was there before (`head.seq` is not beyond what was projected); nothing changed.
    Before,
    /// Events are missing before it; nothing changed. Project from after this seq on.
    Missing(Seq),
}

/// How lists describe a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// Its id.
    pub conversation: ConversationId,
    /// What sort it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// How far back members may read.
    pub history: History,
    /// How many members it has.
    pub members: u64,
    /// Where it stands.
    pub head: Head,
}

/// Somebody's place in a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Membership {
    /// What they may do.
    pub role: Role,
    /// Since which event.
    pub joined: Seq,
}

/// How far somebody has received and read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cursor {
    /// Received up to here; only grows.
    pub delivered: Seq,
    /// Read up to here.
    pub read: Seq,
    /// The number of messages up to there.
    pub read_worthy: u64,
    /// The version of `read`: the last one wins on all devices.
    pub version: u64,
}

/// What somebody wants to be told about a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, PartialOrd, Ord, Hash)]
pub enum Notify {
    /// Everything.
    #[default]
    All,
    /// Only mentions.
    Mentions,
    /// Nothing.
    None,
}

/// Somebody's own settings for a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// What they want to be told.
    pub notify: Notify,
    /// Whether it is one of their favourites.
    pub favourite: bool,
}

/// A line of somebody's list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InboxRow {
    /// The conversation.
    pub description: Description,
    /// Their place in it.
    pub membership: Membership,
    /// How far they are.
    pub cursor: Cursor,
    /// Their settings.
    pub settings: Settings,
    /// Mentions after the read cursor.
    pub mentions: u64,
    /// The other one, in a direct conversation.
    pub with: Option<UserId>,
}

/// # Promises
///
/// - **W1** A projection is there as a whole, in order, once: a repeat is `Before`, a hole is `Missing`.
/// - **W2** What was projected and then lost with the power is lost as a suffix: `projected` tells how far the views go, and the rest
///   is replayed from the log.
/// - **W3** After `project` returned, every read sees it.
/// - **W4** A cursor that `move_cursor` returned survives loss of power. `delivered` only grows; `read` is taken if its version
///   is higher than the one that is there. Only members have cursors.
/// - **W5** The inbox lists every conversation of a person once, newest activity first, in pages that do not miss what did not
///   move meanwhile.
/// - **W6** Mentions are counted per person, after their read cursor.
/// - **W7** The channel directory finds by parts of name and topic, whatever the case.
/// - **W8** `dump` of views that were built by replay equals that of views that were built as it happened.
/// - **W9** Settings survive loss of power once `set_settings` returned.
#[async_trait]
pub trait Views: Send + Sync + 'static {
    /// Projects, and says for each what became of it.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn project(&self, batch: Vec<Projection>) -> Result<Vec<Projected>, Error>;

    /// The last event of a conversation that was projected.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn projected(&self, conversation: ConversationId) -> Result<Seq, Error>;

    /// How lists describe these conversations, in their order.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn describe(&self, conversations: &[ConversationId]) -> Result<Vec<Option<Description>>, Error>;

    /// Somebody's place in a conversation.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn membership(&self, user: UserId, conversation: ConversationId) -> Result<Option<Membership>, Error>;

    /// How many conversations somebody is in.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn memberships(&self, user: UserId) -> Result<u64, Error>;

    /// Members of a conversation with their cursors, in order of id, at most `limit` from after `after` on.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn members(
        &self,
        conversation: ConversationId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Membership, Cursor)>, Error>;

    /// Somebody's list, newest activity first, at most `limit` from after `after` on, which is (time, conversation) of the last
    /// row of the page before.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn inbox(
        &self,
        user: UserId,
        after: Option<(Timestamp, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<InboxRow>, Error>;

    /// One line of somebody's list.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn inbox_row(&self, user: UserId, conversation: ConversationId) -> Result<Option<InboxRow>, Error>;

    /// Channels whose name or topic holds `query`, in order of (name, id), at most `limit` from after `after` on.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn channels(
        &self,
        query: &str,
        after: Option<(String, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<Description>, Error>;

    /// Moves cursors (W4), and returns them as they are then; `None` for those who are no members.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn move_cursors(&self, moves: Vec<(UserId, ConversationId, Cursor)>) -> Result<Vec<Option<Cursor>>, Error>;

    /// Sets somebody's settings for a conversation. False if they are no member.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn set_settings(&self, user: UserId, conversation: ConversationId, settings: Settings)
    -> Result<bool, Error>;

    /// Forgets what was projected of a conversation, so that it can be rebuilt by replay. Cursors and settings stay.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn clear(&self, conversation: ConversationId) -> Result<(), Error>;

    /// Everything that was projected of a conversation, as text in a fixed order: for `check` and for tests.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn dump(&self, conversation: ConversationId) -> Result<String, Error>;
}
