//! The site: its name, and who may sign up.

use async_trait::async_trait;
use klatch_core::ids::WorkspaceId;

use crate::Error;

/// Who may sign up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registration {
    /// Whoever has an invite.
    Invite,
    /// Everybody.
    Open,
    /// Nobody.
    Closed,
}

/// The site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// The workspace, which never changes.
    pub workspace: WorkspaceId,
    /// The name.
    pub name: String,
    /// Who may sign up.
    pub registration: Registration,
    /// Whether an active owner exists.
    pub owned: bool,
}

/// Questions about the site. The promises stand on [`super::Directory`].
#[async_trait]
pub trait Sites: Send + Sync + 'static {
    /// Opens the site with these settings, unless it was opened before; the site as it is then (D12).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn open_site(&self, workspace: WorkspaceId, name: &str, registration: Registration) -> Result<Site, Error>;

    /// The site.
    ///
    /// # Errors
    /// `Unavailable`; `Corrupt`, also where it was never opened.
    async fn site(&self) -> Result<Site, Error>;

    /// Changes the site; what is `None` stays.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn set_site(&self, name: Option<String>, registration: Option<Registration>) -> Result<Site, Error>;
}
