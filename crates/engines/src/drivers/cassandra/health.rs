//! What an operator should know of a Cassandra.

use std::collections::HashMap;

use klatch_ports::Error;

use super::{Database, Level};

/// Copies of the log with which one node may die.
const COPIES: u32 = 3;

impl Database {
    /// What an operator should change, a sentence each; none where all is well. Settings are those of the node that answers.
    ///
    /// # Errors
    /// As [`super::error`] says: nothing is known.
    pub async fn health(&self) -> Result<Vec<String>, Error> {
        let mut findings = Vec::new();
        let look = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
        let look = self.prepare(look, Level::Majority).await?;
        match self.rows::<(HashMap<String, String>,)>(&look, (&*self.keyspace,)).await?.first() {
            None => findings.push(format!("there is no keyspace {}: run `klatch migrate`", self.keyspace)),
            Some((replication,)) => {
                // Beside the numbers of copies stands the name of the strategy.
                let copies: Vec<u32> = replication.values().filter_map(|value| value.parse().ok()).collect();
                let copies = copies.iter().min().copied().unwrap_or(0);
                if copies < COPIES {
                    findings.push(format!(
                        "the keyspace {} has {copies} copies of everything: with {COPIES}, one node may die with its disk",
                        self.keyspace
                    ));
                }
            }
        }
        let look = "SELECT value FROM system_views.settings WHERE name = 'commitlog_sync'";
        let look = self.prepare(look, Level::Majority).await?;
        let sync = self.rows::<(Option<String>,)>(&look, ()).await?.into_iter().next().and_then(|(value,)| value);
        if !matches!(sync.as_deref(), Some("group" | "batch")) {
            findings.push(format!(
                "`commitlog_sync` is `{}`: with `group` or `batch`, loss of power takes nothing that was acknowledged",
                sync.unwrap_or_default()
            ));
        }
        Ok(findings)
    }

    /// The time by the clock of the node that answers: milliseconds since 1970.
    ///
    /// # Errors
    /// As [`super::error`] says.
    pub async fn now_ms(&self) -> Result<i64, Error> {
        let ask = self.prepare("SELECT toUnixTimestamp(now()) FROM system.local", Level::Majority).await?;
        let rows = self.rows::<(i64,)>(&ask, ()).await?;
        rows.first().map(|(ms,)| *ms).ok_or_else(|| Error::corrupt("Cassandra does not say its time"))
    }
}
