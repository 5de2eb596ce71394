//! Closing an account for good.

use klatch_ports::directory::Closed;
use klatch_protocol::objects::Slug;

use super::notices::AccountNotice;
use super::{Accounts, Error, Identity};

/// Accounts whose keys are destroyed in one call.
const CLOSURES_AT_ONCE: usize = 100;

impl Accounts {
    /// Closes one's own account. Nobody signs in with it again, its name stays taken, and the key that its messages were sealed
    /// with is destroyed: nobody will read them again.
    ///
    /// # Errors
    /// `wrong_password`, `last_owner`, `rate_limited`, or that a port is away.
    pub async fn close(&self, identity: Identity, password: &str) -> Result<(), Error> {
        self.prove(identity.user, password).await?;
        match self.services.directory.close(identity.user).await? {
            Closed::Now(devices) => self.known.forget(&devices),
            Closed::LastOwner => {
                return Err(Error::Refused(Slug::LastOwner, "Make somebody else an owner of the site first."));
            }
            Closed::Missing => return Err(Error::Refused(Slug::AccountClosed, "This account is closed already.")),
        }
        self.finish_closures().await
    }

    /// Destroys the keys of closed accounts: what is away when somebody closes theirs is asked again from time to time.
    pub(crate) async fn finish_closures(&self) -> Result<(), Error> {
        let closed = self.services.directory.closures(CLOSURES_AT_ONCE).await?;
        self.services.keys.destroy(&closed).await?;
        for user in closed {
            self.services.directory.finish_closure(user).await?;
            // Only now: whoever hears it forgets the key, and must not find it again.
            self.tell(user, vec![AccountNotice::AccountClosed, AccountNotice::ProfileChanged]).await;
        }
        Ok(())
    }
}
