//! Blocking people.

use klatch_core::ids::UserId;
use klatch_protocol::objects::Slug;

use super::notices::AccountNotice;
use super::{Accounts, Error};

impl Accounts {
    /// Blocks a person, or goes on blocking them.
    ///
    /// # Errors
    /// `not_found`, `not_allowed` (oneself), `too_many`, or that the directory is away.
    pub async fn block(&self, user: UserId, other: UserId) -> Result<(), Error> {
        if user == other {
            return Err(Error::Refused(Slug::NotAllowed, "Nobody can block themselves."));
        }
        self.account(other).await?;
        if !self.services.directory.block(user, other, self.now()).await? {
            return Err(Error::Refused(Slug::TooMany, "One person can block 1,000 others."));
        }
        self.tell(user, vec![AccountNotice::BlocksChanged]).await;
        Ok(())
    }

    /// Takes a block back, if there is one.
    ///
    /// # Errors
    /// That the directory is away.
    pub async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Error> {
        self.services.directory.unblock(user, other).await?;
        self.tell(user, vec![AccountNotice::BlocksChanged]).await;
        Ok(())
    }

    /// Whom somebody has blocked.
    ///
    /// # Errors
    /// That the directory is away.
    pub async fn blocks(&self, user: UserId) -> Result<Vec<UserId>, Error> {
        Ok(self.services.directory.blocks(user).await?)
    }
}
