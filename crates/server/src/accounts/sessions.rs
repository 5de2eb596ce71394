//! Sessions: opened, listed and ended.

use klatch_core::ids::{DeviceId, UserId};
use klatch_ports::directory::{Account, NewSession, Opened, Session};
use klatch_protocol::objects::Slug;

use super::secrets::RefreshToken;
use super::{Accounts, Error, Identity, Secret, names};
use crate::environment::uuid_v7;

/// Somebody has signed in, or has renewed their session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub account: Account,
    /// On which device.
    pub session: Session,
    /// Good for ten minutes.
    pub access_token: Secret,
    /// Good for the next renewal.
    pub refresh_token: Secret,
}

impl Accounts {
    /// Opens a session.
    pub(crate) async fn open(&self, account: Account, device_name: Option<&str>) -> Result<SignedIn, Error> {
        let services = &self.services;
        let device = DeviceId(uuid_v7(&*services.clock, &*services.entropy));
        let token = RefreshToken::first(device, &*services.entropy);
        let at = self.now();
        let new = NewSession { device, user: account.id, name: names::device(device_name), secret: token.digest(), at };
        let session = Session { device, user: new.user, name: new.name.clone(), created_at: at, last_used_at: at };
        match services.directory.open_session(new).await? {
            Opened::Now(gave_way) => self.ended(account.id, gave_way).await,
            Opened::NotActive => return Err(Error::Refused(Slug::AccountClosed, "This account is closed.")),
        }
        self.signed_in(account, session, &token)
    }

    /// What somebody gets who has a session.
    pub(crate) fn signed_in(
        &self,
        account: Account,
        session: Session,
        token: &RefreshToken,
    ) -> Result<SignedIn, Error> {
        let access = self.signer.sign(self.services.workspace, account.id, session.device, self.now())?;
        Ok(SignedIn { account, session, access_token: Secret::new(access), refresh_token: token.encode(&self.signer) })
    }

    /// All sessions of a person, last used first.
    ///
    /// # Errors
    /// That the directory is away.
    pub async fn sessions(&self, user: UserId) -> Result<Vec<Session>, Error> {
        Ok(self.services.directory.sessions(user).await?)
    }

    /// Ends one of one's own sessions, and closes its connections. This is also how one signs out.
    ///
    /// # Errors
    /// `not_found`, or that the directory is away.
    pub async fn end_session(&self, identity: Identity, device: DeviceId) -> Result<(), Error> {
        // It counts as ended before the directory says so: if that is away in between, the next request asks.
        self.known.forget(&[device]);
        if !self.services.directory.end_session(identity.user, device).await? {
            return Err(Error::Refused(Slug::NotFound, "There is no such session."));
        }
        self.ended(identity.user, vec![device]).await;
        Ok(())
    }
}
