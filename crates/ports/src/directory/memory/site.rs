//! The site.

use async_trait::async_trait;
use klatch_core::ids::WorkspaceId;

use super::super::{Registration, Site, Sites, Standing};
use super::Memory;
use crate::{Error, ErrorKind};

#[async_trait]
impl Sites for Memory {
    async fn open_site(&self, workspace: WorkspaceId, name: &str, registration: Registration) -> Result<Site, Error> {
        self.world().site.get_or_insert_with(|| (workspace, name.to_owned(), registration));
        self.site().await
    }

    async fn site(&self) -> Result<Site, Error> {
        let world = self.world();
        let Some((workspace, name, registration)) = world.site.clone() else {
            return Err(Error::new(ErrorKind::Corrupt, "the site was never opened"));
        };
        Ok(Site { workspace, name, registration, owned: world.owners() > 0 })
    }

    async fn set_site(&self, name: Option<String>, registration: Option<Registration>) -> Result<Site, Error> {
        if let Some(site) = &mut self.world().site {
            site.1 = name.unwrap_or_else(|| site.1.clone());
            site.2 = registration.unwrap_or(site.2);
        }
        self.site().await
    }

    async fn standing(&self) -> Result<Standing, Error> {
        Ok(self.world().standing.clone())
    }

    async fn set_standing(&self, from: Standing, to: Standing) -> Result<bool, Error> {
        let mut world = self.world();
        let is_expected = world.standing == from;
        if is_expected {
            world.standing = to;
        }
        Ok(is_expected)
    }
}
