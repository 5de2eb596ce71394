//! Renewing a session.
//!
//! A token stays valid until its successor is first used, at most 60 s: so two tabs that ask at once, an answer that is lost, and
//! a server that is killed before it answers sign nobody out, for the same token gets the same successor again. One that comes
//! later than that is in two hands: the session ends.

use klatch_ports::directory::Rotation;
use klatch_protocol::objects::Slug;

use super::secrets::RefreshToken;
use super::{Accounts, Attempt, Error, SignedIn};

const SIGNED_OUT: Error = Error::Refused(Slug::SignedOut, "The session has ended. Sign in again.");

impl Accounts {
    /// Renews a session.
    ///
    /// # Errors
    /// `signed_out`, `rate_limited`, or that a port is away.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn, Error> {
        let token = RefreshToken::decode(token, &self.signer).ok_or(SIGNED_OUT)?;
        self.count_if_possible(Attempt::Refresh(token.device)).await?;
        let directory = &self.services.directory;
        match directory.rotate(token.device, token.digest(), token.generation, self.now()).await? {
            Rotation::Current { session, generation } => {
                let account = directory.accounts(&[session.user]).await?.pop().flatten().ok_or(SIGNED_OUT)?;
                self.signed_in(account, session, &token.with_generation(generation))
            }
            Rotation::Reused(session) => {
                tracing::warn!(user = %session.user, device = %session.device, "a refresh token was used again: its session ends");
                self.ended(session.user, vec![session.device]).await;
                Err(SIGNED_OUT)
            }
            Rotation::Unknown => Err(SIGNED_OUT),
        }
    }
}
