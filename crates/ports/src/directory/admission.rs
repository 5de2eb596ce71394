//! What lets somebody in who has no password yet, or no longer: invites, the claim of the first owner, and resets.

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId, Uuid};

use super::{Digest, PasswordHash};
use crate::Error;

/// Invites at a time.
pub const INVITES_MAX: usize = 200;

/// A link with which people can sign up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invite {
    /// Its id, which opens nothing.
    pub id: Uuid,
    /// What is kept of its token.
    pub token: Digest,
    /// Who made it.
    pub made_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// How many it still lets in; `None`: any number.
    pub uses_left: Option<u32>,
    /// Until when; `None`: until it is taken back.
    pub expires_at: Option<Timestamp>,
}

impl Invite {
    /// Whether it still lets somebody in.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.uses_left != Some(0) && self.expires_at.is_none_or(|until| now < until)
    }
}

/// With what somebody wants to sign up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// With nothing: the site is open.
    Open,
    /// With an invite.
    Invite(Digest),
    /// With the claim that makes an owner.
    Claim(Digest),
}

/// Questions about admission. The promises stand on [`super::Directory`].
#[async_trait]
pub trait Admissions: Send + Sync + 'static {
    /// Adds an invite. False if there are [`INVITES_MAX`] good ones.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn add_invite(&self, invite: Invite) -> Result<bool, Error>;

    /// All good invites, newest first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>, Error>;

    /// Takes an invite back. False if there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn remove_invite(&self, id: Uuid) -> Result<bool, Error>;

    /// Whether this would let somebody in now; it uses nothing up.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn admits(&self, admission: Admission, now: Timestamp) -> Result<bool, Error>;

    /// Sets the claim that makes an owner, in place of the one before.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn set_claim(&self, claim: Digest, expires_at: Timestamp) -> Result<(), Error>;

    /// Lets the holder of a token set the password of an active account, in place of the token before. False if there is no such
    /// account.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn set_reset(&self, user: UserId, token: Digest, expires_at: Timestamp) -> Result<bool, Error>;

    /// Whose password the holder of a token may set now.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn reset(&self, token: Digest, now: Timestamp) -> Result<Option<UserId>, Error>;

    /// Sets the password of the account that a token is for, and ends its sessions: whose, and which ones (D10).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn redeem_reset(
        &self,
        token: Digest,
        password: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<(UserId, Vec<DeviceId>)>, Error>;
}
