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

/// Whether a site is here: a site moves as a whole, and is in use at one place at a time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// It is here.
    #[default]
    Here,
    /// It is here, and about to leave: whoever works for it stops, and nobody begins. Each move has a name of its own.
    Leaving(String),
    /// It is being copied here, and is in use elsewhere until that is done.
    Arriving,
    /// It was being copied here, and somebody gave that up.
    Abandoned,
    /// It was here, and left: where to, as whoever moved it wrote that down.
    Moved(String),
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

    /// Whether the site is here.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn standing(&self) -> Result<Standing, Error>;

    /// Replaces one standing by another (D15). False if it is another than `from`.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`, `Corrupt`.
    async fn set_standing(&self, from: Standing, to: Standing) -> Result<bool, Error>;
}
