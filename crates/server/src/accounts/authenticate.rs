//! Who is the bearer of an access token?

use klatch_core::ids::{DeviceId, UserId};
use klatch_protocol::objects::Slug;

use super::signer::BadToken;
use super::{Accounts, Error, Identity};

impl Accounts {
    /// Who the bearer of this access token is, if their session still is.
    ///
    /// # Errors
    /// `unauthorized`, `token_expired`, `signed_out`, or that the directory is away.
    pub async fn authenticate(&self, token: &str) -> Result<Identity, Error> {
        let identity = self.signer.verify(self.services.workspace, token, self.now()).map_err(|bad| match bad {
            BadToken::Foreign => Error::Refused(Slug::Unauthorized, "The access token is not one of this site."),
            BadToken::Expired => {
                Error::Refused(Slug::TokenExpired, "Get a new one from POST /api/v1/sessions/refresh.")
            }
        })?;
        if self.is_signed_in(identity.user, identity.device).await? {
            Ok(identity)
        } else {
            Err(Error::Refused(Slug::SignedOut, "Sign in again."))
        }
    }

    /// Whether a session still is. The gateway asks this of its connections from time to time: a notice can be lost.
    ///
    /// # Errors
    /// That the directory is away.
    pub async fn is_signed_in(&self, user: UserId, device: DeviceId) -> Result<bool, Error> {
        let now = self.now();
        let Err(asked) = self.known.check(user, device, now) else { return Ok(true) };
        let session = self.services.directory.session(device).await?;
        let is_signed_in = session.is_some_and(|session| session.user == user);
        if is_signed_in {
            self.known.remember(asked, user, device, now);
        }
        Ok(is_signed_in)
    }
}
