//! People, as others see them.

use klatch_core::ids::UserId;
use klatch_ports::directory::{Account, Profile, Role, RoleSet, State};
use klatch_protocol::objects::{AccountRole, AccountState, Origin, Slug, User};

use super::notices::AccountNotice;
use super::{Accounts, Error, Identity, names};

/// Characters that are searched for; what follows is not looked at.
const QUERY_CHARS_MAX: usize = 80;

/// An account, as others see it.
pub fn user_object(account: Account) -> User {
    User {
        id: account.id.0,
        name: account.name,
        display_name: account.display_name,
        about: account.about,
        role: match account.role {
            Role::Member => AccountRole::Member,
            Role::Owner => AccountRole::Owner,
        },
        state: match account.state {
            State::Active => AccountState::Active,
            State::Closed => AccountState::Closed,
            State::Imported => AccountState::Imported,
        },
        origin: account.origin.map(|origin| Origin { network: origin.network, name: origin.name }),
    }
}

impl Accounts {
    /// One person.
    ///
    /// # Errors
    /// `not_found`, or that the directory is away.
    pub async fn account(&self, user: UserId) -> Result<Account, Error> {
        let found = self.services.directory.accounts(&[user]).await?.pop().flatten();
        found.ok_or(Error::Refused(Slug::NotFound, "There is no such person."))
    }

    /// Those of these people whom there are.
    ///
    /// # Errors
    /// That the directory is away.
    pub async fn accounts(&self, users: &[UserId]) -> Result<Vec<Account>, Error> {
        Ok(self.services.directory.accounts(users).await?.into_iter().flatten().collect())
    }

    /// People whose name or display name holds the query, in order of name, from after the name `after` on.
    ///
    /// # Errors
    /// That the directory is away.
    pub async fn search(&self, query: &str, after: Option<&str>, limit: usize) -> Result<Vec<Account>, Error> {
        let query: String = query.trim().chars().take(QUERY_CHARS_MAX).collect();
        Ok(self.services.directory.search(&query, after, limit).await?)
    }

    /// Changes one's own profile.
    ///
    /// # Errors
    /// `invalid_name`, `invalid_request`, or that the directory is away.
    pub async fn set_profile(&self, user: UserId, profile: Profile) -> Result<Account, Error> {
        profile.display_name.as_deref().map_or(Ok(()), names::check_display_name)?;
        profile.about.as_deref().map_or(Ok(()), names::check_about)?;
        let changed = self.services.directory.set_profile(user, profile).await?;
        let account = changed.ok_or(Error::Refused(Slug::AccountClosed, "This account is closed."))?;
        self.tell(user, vec![AccountNotice::ProfileChanged]).await;
        Ok(account)
    }

    /// Makes somebody an owner of the site, or no longer.
    ///
    /// # Errors
    /// `not_allowed`, `not_found`, `last_owner`, or that the directory is away.
    pub async fn set_role(&self, by: Identity, user: UserId, role: Role) -> Result<Account, Error> {
        self.require_owner(by.user).await?;
        match self.services.directory.set_role(user, role).await? {
            RoleSet::Now(account) => {
                self.tell(user, vec![AccountNotice::ProfileChanged]).await;
                Ok(account)
            }
            RoleSet::LastOwner => {
                Err(Error::Refused(Slug::LastOwner, "Make somebody else an owner of the site first."))
            }
            RoleSet::Missing => Err(Error::Refused(Slug::NotFound, "There is no such active account.")),
        }
    }

    /// Only owners of the site may go on.
    pub(crate) async fn require_owner(&self, user: UserId) -> Result<(), Error> {
        let account = self.account(user).await?;
        if account.role == Role::Owner && account.state == State::Active {
            return Ok(());
        }
        Err(Error::Refused(Slug::NotAllowed, "Only an owner of the site may do this."))
    }
}
