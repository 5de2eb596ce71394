//! Invites, which owners make.

use klatch_ports::directory::Invite;
use klatch_protocol::objects::Slug;
use uuid::Uuid;

use super::secrets::{Purpose, link_token};
use super::{Accounts, Error, Identity, Secret};
use crate::environment::uuid_v7;

/// Longer than this is as good as for ever: ten years.
const EXPIRY_S_MAX: u64 = 10 * 365 * 24 * 3_600;

impl Accounts {
    /// Makes an invite, for so many people and seconds; without a number, for any. Its token is shown this once.
    ///
    /// # Errors
    /// `not_allowed`, `invalid_request`, `too_many`, or that the directory is away.
    pub async fn make_invite(
        &self,
        by: Identity,
        uses: Option<u32>,
        expires_in_s: Option<u64>,
    ) -> Result<(Invite, Secret), Error> {
        self.require_owner(by.user).await?;
        if uses == Some(0) || expires_in_s == Some(0) {
            return Err(Error::Refused(Slug::InvalidRequest, "`uses` and `expires_in_s` are at least 1."));
        }
        let (token, digest) = link_token(Purpose::Invite, &*self.services.entropy);
        let now = self.now();
        let invite = Invite {
            id: uuid_v7(&*self.services.clock, &*self.services.entropy),
            token: digest,
            made_by: by.user,
            created_at: now,
            uses_left: uses,
            expires_at: expires_in_s.map(|s| now.plus_ms(s.min(EXPIRY_S_MAX) * 1_000)),
        };
        if !self.services.directory.add_invite(invite.clone()).await? {
            return Err(Error::Refused(Slug::TooMany, "Take back invites that are no longer needed."));
        }
        Ok((invite, token))
    }

    /// All invites that still let somebody in, newest first.
    ///
    /// # Errors
    /// `not_allowed`, or that the directory is away.
    pub async fn invites(&self, by: Identity) -> Result<Vec<Invite>, Error> {
        self.require_owner(by.user).await?;
        Ok(self.services.directory.invites(self.now()).await?)
    }

    /// Takes an invite back.
    ///
    /// # Errors
    /// `not_allowed`, `not_found`, or that the directory is away.
    pub async fn remove_invite(&self, by: Identity, id: Uuid) -> Result<(), Error> {
        self.require_owner(by.user).await?;
        if self.services.directory.remove_invite(id).await? {
            return Ok(());
        }
        Err(Error::Refused(Slug::NotFound, "There is no such invite."))
    }
}
