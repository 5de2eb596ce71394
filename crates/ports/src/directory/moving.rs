//! A whole directory on its way to another: everything that it keeps, item by item, as it is.

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{Timestamp, UserId, WorkspaceId};

use super::{Account, Chain, Digest, Invite, PasswordHash, Registration, Session};
use crate::Error;

/// What sort of item.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Part {
    /// [`Item::Site`].
    Site,
    /// [`Item::Account`].
    Accounts,
    /// [`Item::Session`].
    Sessions,
    /// [`Item::Invite`].
    Invites,
    /// [`Item::Claim`].
    Claims,
    /// [`Item::Reset`].
    Resets,
    /// [`Item::Block`].
    Blocks,
    /// [`Item::Answer`].
    Answers,
}

impl Part {
    /// All parts, in an order in which nothing refers to what comes later.
    pub const ALL: [Self; 8] = [
        Self::Site,
        Self::Accounts,
        Self::Sessions,
        Self::Invites,
        Self::Claims,
        Self::Resets,
        Self::Blocks,
        Self::Answers,
    ];
}

/// One thing that a directory keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// The site.
    Site {
        /// Its workspace.
        workspace: WorkspaceId,
        /// The name.
        name: String,
        /// Who may sign up.
        registration: Registration,
    },
    /// A person.
    Account {
        /// What everybody knows.
        account: Account,
        /// The password, if there is one.
        password: Option<PasswordHash>,
        /// What tells the request that made it.
        request: Option<Digest>,
        /// Whether it was closed, and something outside the directory may not be erased yet.
        closing: bool,
    },
    /// A device that is signed in.
    Session(Session, Chain),
    /// A link with which people can sign up.
    Invite(Invite),
    /// What makes an owner, and until when.
    Claim(Digest, Timestamp),
    /// What sets somebody's password, and until when.
    Reset(UserId, Digest, Timestamp),
    /// Somebody has blocked another, since then.
    Block(UserId, UserId, Timestamp),
    /// An answer that was begun.
    Answer {
        /// To whom.
        user: UserId,
        /// Under which key.
        key: Digest,
        /// To which request.
        request: Digest,
        /// When.
        begun_at: Timestamp,
        /// The answer, once it was given.
        kept: Option<Bytes>,
    },
}

impl Item {
    /// What sort of item it is.
    pub const fn part(&self) -> Part {
        match self {
            Self::Site { .. } => Part::Site,
            Self::Account { .. } => Part::Accounts,
            Self::Session(..) => Part::Sessions,
            Self::Invite(_) => Part::Invites,
            Self::Claim(..) => Part::Claims,
            Self::Reset(..) => Part::Resets,
            Self::Block(..) => Part::Blocks,
            Self::Answer { .. } => Part::Answers,
        }
    }

    /// The two halves of what it is known by among those of its part, in whose order they are listed.
    pub fn key(&self) -> ([u8; 16], [u8; 32]) {
        let none = [0; 32];
        let padded = |id: &[u8; 16]| {
            let mut bytes = none;
            bytes[..16].copy_from_slice(id);
            bytes
        };
        match self {
            Self::Site { .. } | Self::Claim(..) => ([0; 16], none),
            Self::Account { account, .. } => (*account.id.as_bytes(), none),
            Self::Session(session, _) => (*session.device.as_bytes(), none),
            Self::Invite(invite) => (*invite.id.as_bytes(), none),
            Self::Reset(user, ..) => (*user.as_bytes(), none),
            Self::Block(user, other, _) => (*user.as_bytes(), padded(other.as_bytes())),
            Self::Answer { user, key, .. } => (*user.as_bytes(), key.0),
        }
    }
}

/// Questions of whoever moves a directory. The promises stand on [`super::Directory`].
#[async_trait]
pub trait Moving: Send + Sync + 'static {
    /// At most `limit` items of a part in order of [`Item::key`], from after that of `after` on, which is of the same part.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn items(&self, part: Part, after: Option<&Item>, limit: usize) -> Result<Vec<Item>, Error>;

    /// Takes items in as they are, in place of those of the same key. Of one part, in one step (D16).
    ///
    /// # Errors
    /// `Conflict`: the site is not arriving here. `Unavailable`, `Broken`.
    async fn take_in(&self, items: Vec<Item>) -> Result<(), Error>;

    /// Forgets every item, so that those of another can be taken in (D16).
    ///
    /// # Errors
    /// `Conflict`: the site is not arriving here. `Unavailable`, `Broken`.
    async fn empty(&self) -> Result<(), Error>;
}
