//! The site.

use async_trait::async_trait;
use klatch_core::ids::WorkspaceId;
use klatch_ports::directory::{Registration, Site, Sites, Standing};
use klatch_ports::{Error, ErrorKind};
use tokio_postgres::types::Type;

use super::Postgres;
use super::columns::{code, value};
use crate::directory::{REGISTRATIONS, columns_of, standing_of};
use crate::drivers::postgres::Param;
use crate::drivers::postgres::columns::get;

/// The row of the standing, where there is none yet.
pub const FIRST_STANDING: &str = "INSERT INTO directory.standing (standing) VALUES (0) ON CONFLICT DO NOTHING";

#[async_trait]
impl Sites for Postgres {
    async fn open_site(&self, workspace: WorkspaceId, name: &str, registration: Registration) -> Result<Site, Error> {
        let sql =
            "INSERT INTO directory.site (workspace, name, registration) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let registration = code(&REGISTRATIONS, &registration);
        let params: [Param<'_>; 3] = [(&workspace.0, Type::UUID), (&name, Type::TEXT), (&registration, Type::INT2)];
        self.0.query(sql, &params).await?;
        self.site().await
    }

    async fn site(&self) -> Result<Site, Error> {
        let sql = "SELECT workspace, name, registration,
            EXISTS (SELECT FROM directory.accounts WHERE role = 1 AND state = 0) AS owned FROM directory.site";
        let rows = self.0.query(sql, &[]).await?;
        let row = rows.first().ok_or_else(|| Error::new(ErrorKind::Corrupt, "the site was never opened"))?;
        Ok(Site {
            workspace: WorkspaceId(get(row, "workspace")?),
            name: get(row, "name")?,
            registration: value(&REGISTRATIONS, row, "registration")?,
            owned: get(row, "owned")?,
        })
    }

    async fn set_site(&self, name: Option<String>, registration: Option<Registration>) -> Result<Site, Error> {
        let sql = "UPDATE directory.site SET name = coalesce($1, name), registration = coalesce($2, registration)";
        let registration = registration.map(|registration| code(&REGISTRATIONS, &registration));
        self.0.query(sql, &[(&name, Type::TEXT), (&registration, Type::INT2)]).await?;
        self.site().await
    }

    async fn standing(&self) -> Result<Standing, Error> {
        let rows = self.0.query("SELECT standing, target FROM directory.standing", &[]).await?;
        rows.first().map_or(Ok(Standing::Here), |row| standing_of(get(row, "standing")?, get(row, "target")?))
    }

    async fn set_standing(&self, from: Standing, to: Standing) -> Result<bool, Error> {
        // Of those that come where there is no row yet, one makes it, and the others then wait for that one.
        self.0.query(FIRST_STANDING, &[]).await?;
        let sql = "UPDATE directory.standing SET standing = $3, target = $4
            WHERE standing = $1 AND target IS NOT DISTINCT FROM $2 RETURNING 1";
        let ((before, there), (after, elsewhere)) = (columns_of(&from), columns_of(&to));
        let params: [Param<'_>; 4] =
            [(&before, Type::INT2), (&there, Type::TEXT), (&after, Type::INT2), (&elsewhere, Type::TEXT)];
        Ok(!self.0.query(sql, &params).await?.is_empty())
    }
}
