//! People: their names, profiles and passwords.

use std::fmt;

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};

use super::{Admission, Digest};
use crate::Error;

/// What an account may do on its site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Chats.
    Member,
    /// Runs the site.
    Owner,
}

/// Whether an account is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// In use.
    Active,
    /// Closed: nobody can sign in.
    Closed,
    /// Made by an import: nobody can sign in.
    Imported,
}

/// Where somebody was imported from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Origin {
    /// The network: `irc`, `slack`, …
    pub network: String,
    /// The name there.
    pub name: String,
}

/// A person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The id.
    pub id: UserId,
    /// The unique name, in lower case.
    pub name: String,
    /// The name to be shown.
    pub display_name: String,
    /// What they say about themselves.
    pub about: String,
    /// What they may do on the site.
    pub role: Role,
    /// Whether the account is in use.
    pub state: State,
    /// Where they come from, if they were imported.
    pub origin: Option<Origin>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A password as it is kept: a strong, salted hash that names its own parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// An account to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAccount {
    /// The id.
    pub id: UserId,
    /// The name, in lower case.
    pub name: String,
    /// The name to be shown.
    pub display_name: String,
    /// The password.
    pub password: PasswordHash,
    /// What tells the request that makes it from all others, if its client wants to be able to repeat it.
    pub request: Option<Digest>,
    /// Now.
    pub at: Timestamp,
}

/// What became of a creation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Created {
    /// Here it is.
    Now(Account),
    /// The same request made it before.
    Before(Account),
    /// Somebody has the name.
    NameTaken,
    /// The invite or claim is unknown, used up or has expired.
    NotAdmitted,
}

/// Somebody to be imported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The id they get, unless they were imported before.
    pub id: UserId,
    /// Names in order of preference, in lower case. One of them must be free: let the last hold the id.
    pub names: Vec<String>,
    /// The name to be shown.
    pub display_name: String,
    /// Where they come from.
    pub origin: Origin,
}

/// What to change of a profile; what is `None` stays.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Profile {
    /// The name to be shown.
    pub display_name: Option<String>,
    /// What they say about themselves.
    pub about: Option<String>,
}

/// What became of closing an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Closed {
    /// It is closed; these sessions ended.
    Now(Vec<DeviceId>),
    /// It is the last active owner's.
    LastOwner,
    /// There is no such active account.
    Missing,
}

/// What became of setting a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoleSet {
    /// It is this one's role now.
    Now(Account),
    /// It is the last active owner.
    LastOwner,
    /// There is no such active account.
    Missing,
}

/// Questions about people. The promises stand on [`super::Directory`].
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// Makes an account for somebody who is admitted.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn create(&self, new: NewAccount, admission: Admission) -> Result<Created, Error>;

    /// Makes people who come from elsewhere, or finds those who were made before; their ids in order.
    ///
    /// # Errors
    /// `Conflict` (all names of one are taken, nobody was made), `Unavailable`, `Broken`.
    async fn import(&self, people: Vec<Imported>, now: Timestamp) -> Result<Vec<UserId>, Error>;

    /// These people, in their order.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn accounts(&self, ids: &[UserId]) -> Result<Vec<Option<Account>>, Error>;

    /// Whoever has this name.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn named(&self, name: &str) -> Result<Option<Account>, Error>;

    /// At most `limit` people whose name or display name holds `query`, from after the name `after` on (D4).
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn search(&self, query: &str, after: Option<&str>, limit: usize) -> Result<Vec<Account>, Error>;

    /// Changes the profile of an active account.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn set_profile(&self, user: UserId, profile: Profile) -> Result<Option<Account>, Error>;

    /// Sets the role of an active account (D6).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn set_role(&self, user: UserId, role: Role) -> Result<RoleSet, Error>;

    /// The password of an active account.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn password(&self, user: UserId) -> Result<Option<PasswordHash>, Error>;

    /// Sets the password of an active account and ends its sessions, but for `keep`; those that ended (D9).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn set_password(
        &self,
        user: UserId,
        password: PasswordHash,
        keep: Option<DeviceId>,
    ) -> Result<Vec<DeviceId>, Error>;

    /// Closes an account (D6).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn close(&self, user: UserId) -> Result<Closed, Error>;

    /// Closed accounts of which something outside the directory may not be erased yet, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn closures(&self, limit: usize) -> Result<Vec<UserId>, Error>;

    /// Everything of this closed account is erased.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn finish_closure(&self, user: UserId) -> Result<(), Error>;
}
