//! Sessions, which are devices, and the rotation of their refresh tokens.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};

use super::Digest;
use crate::Error;

/// Sessions of one account; the one that rested longest gives way to a new one.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 50;
/// How long a token is still good after it was replaced, while its successor was not used: the answer may have been lost.
pub const ROTATION_GRACE_MS: u64 = 60_000;
/// How long a session may rest before it is forgotten.
pub const SESSION_IDLE_MS: u64 = 180 * 24 * 3_600_000;

/// A device that is signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// The device.
    pub device: DeviceId,
    /// Whose.
    pub user: UserId,
    /// How they call the device.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When its tokens last rotated.
    pub last_used_at: Timestamp,
}

/// A session to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSession {
    /// The device.
    pub device: DeviceId,
    /// Whose.
    pub user: UserId,
    /// How they call the device.
    pub name: String,
    /// What is kept of the secret in its refresh tokens, the same in all of them.
    pub secret: Digest,
    /// Now.
    pub at: Timestamp,
}

/// What became of opening a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opened {
    /// It is open; these gave way to it.
    Now(Vec<DeviceId>),
    /// The account is closed, imported or not there.
    NotActive,
}

/// Where the tokens of a session are. They are counted; nobody but the server can make the next one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chain {
    /// The secret that all of them hold.
    pub secret: Digest,
    /// The number of the current token; the first is 1.
    pub generation: u32,
    /// Since when it is the current one.
    pub rotated_at: Timestamp,
}

/// What the token that was presented means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presented {
    /// The current one: the next one replaces it.
    Current,
    /// The one before, lately replaced, by one that nobody used yet: the answer was lost, or two asked at once. The same successor
    /// is given again.
    Before,
    /// One that its holder should no longer have: two hold the session's tokens, and one of them stole it.
    Reused,
    /// None of this session.
    Foreign,
}

impl Chain {
    /// A chain with its first token.
    pub const fn new(secret: Digest, at: Timestamp) -> Self {
        Self { secret, generation: 1, rotated_at: at }
    }

    /// Presents a token, and rotates if it is the current one. The caller has made sure that it is genuine, so one from beyond
    /// the current one means that an older copy of the directory was restored, and is as good as the current one.
    pub fn present(&mut self, secret: Digest, generation: u32, now: Timestamp) -> Presented {
        if secret != self.secret {
            Presented::Foreign
        } else if generation >= self.generation {
            self.generation = generation.saturating_add(1);
            self.rotated_at = now;
            Presented::Current
        } else if generation + 1 == self.generation && now.ms_since(self.rotated_at) <= ROTATION_GRACE_MS {
            Presented::Before
        } else {
            Presented::Reused
        }
    }
}

/// What became of a rotation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// The token of this number is the current one now.
    Current {
        /// The session.
        session: Session,
        /// The number.
        generation: u32,
    },
    /// A token was used again: the session has ended.
    Reused(Session),
    /// There is no such session.
    Unknown,
}

/// Questions about sessions. The promises stand on [`super::Directory`].
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Opens a session for an active account (D8).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn open_session(&self, new: NewSession) -> Result<Opened, Error>;

    /// The session of a device.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn session(&self, device: DeviceId) -> Result<Option<Session>, Error>;

    /// All sessions of an account, last used first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, Error>;

    /// Presents a genuine token of this number (D7).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn rotate(
        &self,
        device: DeviceId,
        secret: Digest,
        generation: u32,
        now: Timestamp,
    ) -> Result<Rotation, Error>;

    /// Ends a session of this account. False if there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn end_session(&self, user: UserId, device: DeviceId) -> Result<bool, Error>;
}
