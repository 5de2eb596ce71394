//! The site.

use async_trait::async_trait;
use klatch_core::ids::WorkspaceId;
use klatch_ports::directory::{Registration, Site, Sites, Standing};
use klatch_ports::{Error, ErrorKind};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::Sqlite;
use super::columns::value;
use crate::directory::{REGISTRATIONS, code, columns_of, standing_of};
use crate::drivers::sqlite::Durability::Now;

#[async_trait]
impl Sites for Sqlite {
    async fn open_site(&self, workspace: WorkspaceId, name: &str, registration: Registration) -> Result<Site, Error> {
        let (name, sql) = (
            name.to_owned(),
            "INSERT OR IGNORE INTO site (only, workspace, name, registration) VALUES (1, ?1, ?2, ?3)",
        );
        let job = move |db: &Connection| {
            db.execute(sql, params![workspace.as_bytes(), name, code(&REGISTRATIONS, &registration)]).map(drop)
        };
        self.0.write(Now, job).await?;
        self.site().await
    }

    async fn site(&self) -> Result<Site, Error> {
        self.0.read(site).await?.ok_or_else(|| Error::new(ErrorKind::Corrupt, "the site was never opened"))
    }

    async fn set_site(&self, name: Option<String>, registration: Option<Registration>) -> Result<Site, Error> {
        let sql = "UPDATE site SET name = coalesce(?1, name), registration = coalesce(?2, registration)";
        let registration = registration.map(|registration| code(&REGISTRATIONS, &registration));
        self.0.write(Now, move |db| db.execute(sql, params![name, registration]).map(drop)).await?;
        self.site().await
    }

    async fn standing(&self) -> Result<Standing, Error> {
        self.0.read(standing).await
    }

    async fn set_standing(&self, from: Standing, to: Standing) -> Result<bool, Error> {
        let job = move |db: &Connection| {
            let is_expected = standing(db)? == from;
            if is_expected {
                let (number, target) = columns_of(&to);
                let sql = "INSERT OR REPLACE INTO standing (only, standing, target) VALUES (1, ?1, ?2)";
                db.execute(sql, params![number, target])?;
            }
            Ok(is_expected)
        };
        self.0.write(Now, job).await
    }
}

/// Whether the site is here.
pub fn standing(db: &Connection) -> Result<Standing> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found = db.prepare_cached("SELECT standing, target FROM standing")?.query_row([], read).optional()?;
    let Some((number, target)) = found else { return Ok(Standing::Here) };
    let unreadable = |error| rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, Box::new(error));
    standing_of(number, target).map_err(unreadable)
}

fn site(db: &Connection) -> Result<Option<Site>> {
    let sql = "SELECT workspace, name, registration,
        EXISTS (SELECT 1 FROM accounts WHERE role = 1 AND state = 0) AS owned FROM site";
    let found = db.prepare_cached(sql)?.query_row([], |row| {
        Ok(Site {
            workspace: WorkspaceId::from_bytes(row.get("workspace")?),
            name: row.get("name")?,
            registration: value(&REGISTRATIONS, row, "registration")?,
            owned: row.get("owned")?,
        })
    });
    found.optional()
}
