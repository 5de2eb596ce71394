//! What an operator should know of a Cassandra.

use std::collections::HashMap;
use std::net::IpAddr;

use klatch_ports::Error;

use super::{Database, Level};

/// Copies of the log with which one node may die.
const COPIES: u32 = 3;
/// Cassandra's setting of how full a disk may be before its node says so: per cent, and -1 for never.
const DISK_WARNING: &str = "data_disk_usage_percentage_warn_threshold";

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
        let (sync, paxos) = (self.setting("commitlog_sync").await?, self.setting("paxos_variant").await?);
        findings.extend(unsafe_settings(sync.as_deref(), paxos.as_deref()));
        findings.extend(self.disks().await?);
        Ok(findings)
    }

    /// What is wrong with the nodes' disks, where Cassandra watches them (a guardrail, CEP-3). Those before 4.1, and ScyllaDB, do not.
    async fn disks(&self) -> Result<Vec<String>, Error> {
        match self.setting(DISK_WARNING).await?.as_deref() {
            None => return Ok(Vec::new()),
            Some("-1") => {
                return Ok(vec![format!(
                    "nobody watches the disks of Cassandra's nodes: set `{DISK_WARNING}`, to 60 for example, since compaction needs room of \
                     its own; then it is said here which of them are nearly full"
                )]);
            }
            Some(_) => {}
        }
        let look = self.prepare("SELECT address, disk_usage FROM system_views.gossip_info", Level::Majority).await?;
        let nodes = self.rows::<(IpAddr, Option<String>)>(&look, ()).await?;
        let is_short = |usage: &Option<String>| matches!(usage.as_deref(), Some("STUFFED" | "FULL"));
        let short = nodes.into_iter().filter(|(_, usage)| is_short(usage));
        Ok(short
            .map(|(node, _)| {
                format!(
                    "the disk of Cassandra's node {node} is nearly full: make room, give it a larger one, or add nodes"
                )
            })
            .collect())
    }

    async fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        let look = self.prepare("SELECT value FROM system_views.settings WHERE name = ?", Level::Majority).await?;
        Ok(self.rows::<(Option<String>,)>(&look, (name,)).await?.into_iter().next().and_then(|(value,)| value))
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

/// What is wrong with these settings. ScyllaDB has but one variant, and does not name it.
fn unsafe_settings(commitlog_sync: Option<&str>, paxos_variant: Option<&str>) -> Vec<String> {
    let mut findings = Vec::new();
    if !matches!(commitlog_sync, Some("group" | "batch")) {
        findings.push(format!(
            "`commitlog_sync` is `{}`: with `group` or `batch`, loss of power takes nothing that was acknowledged",
            commitlog_sync.unwrap_or_default()
        ));
    }
    if paxos_variant == Some("v1") {
        let sentence = "`paxos_variant` is `v1`: with `v2`, appends are decided for certain also while nodes are added, removed or \
                        replaced, and take fewer trips between nodes";
        findings.push(sentence.to_owned());
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::unsafe_settings;

    #[test]
    fn settings_by_which_appends_could_be_lost_are_named() {
        let defaults = unsafe_settings(Some("periodic"), Some("v1"));
        assert!(defaults[0].contains("`commitlog_sync` is `periodic`"), "{defaults:?}");
        assert!(defaults[1].contains("`paxos_variant` is `v1`"), "{defaults:?}");
        for (sync, paxos) in [("group", Some("v2")), ("batch", None)] {
            assert_eq!(unsafe_settings(Some(sync), paxos), Vec::<String>::new());
        }
    }
}
