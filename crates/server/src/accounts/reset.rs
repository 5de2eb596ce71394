//! Setting passwords: one's own, or with a link that an owner made.

use std::net::IpAddr;

use klatch_core::ids::{Timestamp, UserId};
use klatch_protocol::objects::Slug;

use super::secrets::{Purpose, link_token, parse_link_token};
use super::{Accounts, Attempt, Error, Identity, Secret, names};

/// How long a link to set a password is good.
pub const RESET_MS: u64 = 24 * 3_600_000;

const RESET_INVALID: Error = Error::Refused(Slug::ResetInvalid, "Ask an owner of the site for another link.");

impl Accounts {
    /// Sets one's own password. All other sessions end.
    ///
    /// # Errors
    /// `wrong_password`, `weak_password`, `rate_limited`, or that a port is away.
    pub async fn change_password(&self, identity: Identity, current: &str, new: &str) -> Result<(), Error> {
        let account = self.account(identity.user).await?;
        names::check_password(new, &account.name)?;
        self.prove(identity.user, current).await?;
        let hash = self.passwords.hash(new, &*self.services.entropy).await?;
        let ended = self.services.directory.set_password(identity.user, hash, Some(identity.device)).await?;
        self.ended(identity.user, ended).await;
        Ok(())
    }

    /// Makes a link with which a person sets a new password; until when it is good.
    ///
    /// # Errors
    /// `not_allowed`, `not_found`, or that a port is away.
    pub async fn make_reset(&self, by: Identity, user: UserId) -> Result<(Secret, Timestamp), Error> {
        self.require_owner(by.user).await?;
        let (token, digest) = link_token(Purpose::Reset, &*self.services.entropy);
        let expires_at = self.now().plus_ms(RESET_MS);
        if !self.services.directory.set_reset(user, digest, expires_at).await? {
            return Err(Error::Refused(Slug::NotFound, "There is no such active account."));
        }
        Ok((token, expires_at))
    }

    /// Sets the password of the person for whom a link was made. All their sessions end.
    ///
    /// # Errors
    /// `reset_invalid`, `weak_password`, `rate_limited`, or that a port is away.
    pub async fn redeem_reset(&self, token: &str, password: &str, from: IpAddr) -> Result<(), Error> {
        self.count(Attempt::Address(from)).await?;
        let directory = &self.services.directory;
        let Some((Purpose::Reset, digest)) = parse_link_token(token) else { return Err(RESET_INVALID) };
        let user = directory.reset(digest, self.now()).await?.ok_or(RESET_INVALID)?;
        names::check_password(password, &self.account(user).await?.name)?;
        let hash = self.passwords.hash(password, &*self.services.entropy).await?;
        let (user, ended) = directory.redeem_reset(digest, hash, self.now()).await?.ok_or(RESET_INVALID)?;
        self.ended(user, ended).await;
        Ok(())
    }

    /// Whoever is signed in proves that they are the one.
    pub(crate) async fn prove(&self, user: UserId, password: &str) -> Result<(), Error> {
        self.count(Attempt::Proof(user)).await?;
        let hash = self.services.directory.password(user).await?;
        if self.passwords.verify(password, hash).await? {
            return Ok(());
        }
        Err(Error::Refused(Slug::WrongPassword, "This is not your password."))
    }
}
