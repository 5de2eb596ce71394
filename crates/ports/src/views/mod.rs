//! What does this person's list look like? Memberships, conversations, mentions: projections of the log that can be rebuilt by
//! replay; and cursors and settings, which are a person's own and lie outside the log.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod dump;
pub mod memory;

use async_trait::async_trait;
use klatch_core::conversation::{History, Kind, Role};
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};

use crate::Error;
pub use dump::{Dump, Replayed};

/// Mentions are counted up to here, so that a row of the inbox has a price.
pub const MENTIONS_COUNTED_MAX: u64 = 1_000;

/// The largest number that an engine has to keep: a cursor that is beyond it is not taken.
pub const NUMBER_MAX: u64 = i64::MAX as u64;

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
        /// In which message.
        seq: Seq,
    },
    /// Somebody has read up to here, as they wrote here. Moves the cursor as [`Cursor::wrote`] says, and once: a replay moves
    /// nothing, so that what somebody has marked as unread stays so.
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
    /// The last message ([`Seq::ZERO`]: none yet; in a projection, none among its events).
    pub message: Seq,
}

/// The rows of consecutive events of one conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Projection {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The event before the first of these: what was projected must reach up to it.
    pub after: Seq,
    /// The head that they lead to. Where none of them is a message, its `message` is [`Seq::ZERO`], and the one before stays.
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
    /// It does not begin where the views end: events are missing before it, or some of its own are there already. Nothing
    /// changed. Project from after this seq on.
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
    /// Received up to here; only grows. What was read was received.
    pub delivered: Seq,
    /// Read up to here.
    pub read: Seq,
    /// The number of messages up to there.
    pub read_worthy: u64,
    /// The version of `read`: the last one wins on all devices.
    pub version: u64,
}

impl Cursor {
    /// The cursor after a wish to move it to `to`: `delivered` only grows, and `read` is taken if its version is higher.
    /// A wish with a number beyond [`NUMBER_MAX`] moves nothing.
    #[must_use]
    pub fn moved(self, to: Self) -> Self {
        if [to.delivered.0, to.read.0, to.read_worthy, to.version].into_iter().any(|number| number > NUMBER_MAX) {
            return self;
        }
        let read = if to.version > self.version { to } else { self };
        Self { delivered: self.delivered.max(to.delivered).max(read.read), ..read }
    }

    /// The cursor of somebody who wrote the event `seq`, up to which there are `worthy` messages. It moves forward only, and then
    /// its version grows, so that what another device wished before it knew of this does not win.
    #[must_use]
    pub fn wrote(self, seq: Seq, worthy: u64) -> Self {
        if seq <= self.read {
            return self;
        }
        let version = (self.version + 1).min(NUMBER_MAX);
        Self { delivered: self.delivered.max(seq), read: seq, read_worthy: worthy, version }
    }

    /// The same, as a replay finds it. A cursor that nobody has moved yet keeps its version 0, so that any copy that somebody moved is
    /// later.
    #[must_use]
    pub fn replayed(self, seq: Seq, worthy: u64) -> Self {
        let wrote = self.wrote(seq, worthy);
        if self.version == 0 { Self { version: 0, ..wrote } } else { wrote }
    }

    /// The later of two copies of a cursor: of `self`, and of what a copy says. As [`Cursor::moved`], but of two with the same version
    /// the one that is further.
    #[must_use]
    pub fn merged(self, copy: Self) -> Self {
        let is_further = copy.version == self.version && copy.read > self.read;
        let read = if copy.version > self.version || is_further { copy } else { self };
        Self { delivered: self.delivered.max(copy.delivered).max(read.read), ..read }
    }
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

/// What is a member's own, and follows from no log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Own {
    /// In which conversation.
    pub conversation: ConversationId,
    /// Whose.
    pub user: UserId,
    /// How far they are.
    pub cursor: Cursor,
    /// Their settings.
    pub settings: Settings,
    /// How often they set them: of two copies, the one that was set more often is the later.
    pub set: u64,
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
    /// Mentions after the read cursor, counted up to [`MENTIONS_COUNTED_MAX`].
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
/// - **W4** A cursor that `move_cursors` returned survives loss of power. `delivered` only grows; `read` is taken if its version
///   is higher than the one that is there. Only members have cursors: who comes back begins anew.
/// - **W5** The inbox lists every conversation of a person once, newest activity first, in pages that do not miss what did not
///   move meanwhile.
/// - **W6** Mentions are counted per person, after their read cursor: fewer when it moves on, more when it is set back.
/// - **W7** The channel directory finds by parts of name and topic, whatever the case.
/// - **W8** `dump` of views that were built by replay equals that of views that were built as it happened.
/// - **W9** Settings survive loss of power once `set_settings` returned.
/// - **W10** What was projected before `sync` was called survives loss of power once that returned.
/// - **W11** `own` lists what is each member's own, once, in order of (conversation, person). What `take_own` was given is that of those
///   who are members, exactly, and survives loss of power once it returned.
/// - **W12** `mend` makes what was projected of a conversation what it is told, as a whole, so that nobody sees anything between the two;
///   unless the views go to another event than the caller saw, and then it changes nothing.
/// - **W13** `merge_own` keeps of each cursor and of each person's settings the later one, and survives loss of power once it returned.
#[async_trait]
pub trait Views: Send + Sync + 'static {
    /// Projects, and says for each what became of it.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn project(&self, batch: Vec<Projection>) -> Result<Vec<Projected>, Error>;

    /// Makes everything durable that was projected before (W10).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn sync(&self) -> Result<(), Error>;

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

    /// What is members' own, in order of (conversation, person), at most `limit` from after `after` on. Members with nothing of their
    /// own may be left out.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn own(&self, after: Option<(ConversationId, UserId)>, limit: usize) -> Result<Vec<Own>, Error>;

    /// Sets what is members' own as it is, whatever there was (W11): for views that take the place of others.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn take_own(&self, own: Vec<Own>) -> Result<(), Error>;

    /// Takes from a copy what is later than what is there (W13): `delivered` only grows; `read` is taken if its version is higher, or the
    /// same and it is further; settings are taken if they were set more often. Who is no member has nothing. May be repeated.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn merge_own(&self, own: Vec<Own>) -> Result<(), Error>;

    /// Makes what was projected of a conversation what a replay made of it, if the views go exactly as far as `at` (W12), and tells
    /// whether they did. Cursors and settings stay, but for what the replay says that people wrote themselves, as [`Row::Read`] does it;
    /// of a member who has none the cursor begins there, with version 0, so that any that somebody moved is later.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn mend(&self, conversation: ConversationId, at: Seq, to: Replayed) -> Result<bool, Error>;

    /// Forgets what was projected of a conversation, so that it can be rebuilt by replay. Cursors and settings stay: each belongs
    /// to the membership (known by the event with which it began) for which it was set, and is seen again once that was replayed.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn clear(&self, conversation: ConversationId) -> Result<(), Error>;

    /// Everything that was projected of a conversation, as [`Dump`] writes it: for `check` and for tests.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn dump(&self, conversation: ConversationId) -> Result<String, Error>;
}
