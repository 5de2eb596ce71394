//! What an operator should know of a PostgreSQL.

use klatch_ports::{Error, ErrorKind};
use tokio_postgres::types::Type;

use super::columns::{column, get};
use super::{Database, Row};

/// The oldest version that Klatch works with, as PostgreSQL counts: 14.0.
const VERSION_MIN: i32 = 140_000;

impl Database {
    /// What an operator should change, a sentence each; none where all is well.
    ///
    /// # Errors
    /// As for [`Database::query`]: nothing is known.
    pub async fn health(&self) -> Result<Vec<String>, Error> {
        let mut findings = Vec::new();
        let name = &self.name;
        match self.expect_durable().await {
            Err(error) if error.kind == ErrorKind::Broken => {
                findings.extend(std::error::Error::source(&error).map(ToString::to_string));
            }
            done => done?,
        }
        let rows = self.query("SELECT current_setting('server_version_num')::int AS version", &[]).await?;
        let version: i32 = get(first(&rows)?, "version")?;
        if version < VERSION_MIN {
            findings.push(format!("PostgreSQL at {name} has version {}: 14 or later is needed", version / 10_000));
        }
        if self.setting("synchronous_standby_names").await?.is_empty() {
            findings.push(format!(
                "nobody but PostgreSQL at {name} itself has what it confirms: set `synchronous_standby_names`, or the loss of its \
                 disk takes what was acknowledged last"
            ));
        } else if ["local", "remote_write"].contains(&&*self.setting("synchronous_commit").await?) {
            findings.push(format!(
                "`synchronous_commit` at {name} does not wait for a replica's disk: set `on`, or another that takes over may \
                 lack what was acknowledged last"
            ));
        }
        if self.setting("autovacuum").await? == "off" {
            findings.push(format!("`autovacuum` is off at {name}: what was erased stays in its files"));
        }
        Ok(findings)
    }

    /// The time by the server's clock: milliseconds since 1970.
    ///
    /// # Errors
    /// As for [`Database::query`].
    pub async fn now_ms(&self) -> Result<i64, Error> {
        let ask = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now";
        let rows = self.query(ask, &[]).await?;
        get(first(&rows)?, "now")
    }

    async fn setting(&self, name: &str) -> Result<String, Error> {
        let rows = self.query("SELECT current_setting($1)", &[(&name, Type::TEXT)]).await?;
        column(first(&rows)?, 0)
    }
}

fn first(rows: &[Row]) -> Result<&Row, Error> {
    rows.first().ok_or_else(|| Error::corrupt("PostgreSQL gave no row"))
}
