//! The site's own settings.

use klatch_core::text;
use klatch_ports::directory::{Registration, Site};
use klatch_protocol::objects::Slug;

use super::{Accounts, Error, Identity};

/// Characters of a site's name.
const SITE_NAME_CHARS_MAX: usize = 80;

impl Accounts {
    /// Opens the site with this name, unless it was opened before. The node does this when it starts.
    ///
    /// # Errors
    /// That the directory is away.
    pub async fn open_site(&self, name: &str, registration: Registration) -> Result<Site, Error> {
        Ok(self.services.directory.open_site(self.services.workspace, name, registration).await?)
    }

    /// The site.
    ///
    /// # Errors
    /// That the directory is away.
    pub async fn site(&self) -> Result<Site, Error> {
        Ok(self.services.directory.site().await?)
    }

    /// Changes the site.
    ///
    /// # Errors
    /// `not_allowed`, `invalid_name`, or that the directory is away.
    pub async fn set_site(
        &self,
        by: Identity,
        name: Option<String>,
        registration: Option<Registration>,
    ) -> Result<Site, Error> {
        self.require_owner(by.user).await?;
        if name.as_deref().is_some_and(|name| !text::is_name(name, SITE_NAME_CHARS_MAX)) {
            return Err(Error::Refused(Slug::InvalidName, "A site's name has 1 to 80 characters that can be seen."));
        }
        Ok(self.services.directory.set_site(name, registration).await?)
    }
}
