//! What an operator should know of a Redis.

use std::collections::HashMap;

use klatch_ports::Error;
use redis::Value;
use tokio::time::timeout;

use super::Redis;

/// The oldest version that Klatch works with: it needs sharded channels.
const VERSION_MIN: u32 = 7;

impl Redis {
    /// What an operator should change, a sentence each; none where all is well.
    pub async fn health(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for address in &self.0.seeds {
            match timeout(self.0.timeout, self.version_of(address)).await {
                Ok(Ok(version)) if version < VERSION_MIN => {
                    findings
                        .push(format!("Redis at {address} has version {version}: {VERSION_MIN} or later is needed"));
                }
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    findings.push(format!("Redis at {address} cannot be asked: {source}"));
                }
                Err(_) => findings.push(format!("Redis at {address} gave no answer within {:?}", self.0.timeout)),
            }
        }
        findings
    }

    /// The first number of a node's version. Valkey's own began with 7, where it parted from Redis.
    async fn version_of(&self, address: &str) -> Result<u32, Error> {
        let (mut connection, driver) = self.0.dial.connect(address, None).await?;
        let hello = redis::cmd("HELLO");
        let told: HashMap<String, Value> = tokio::select! {
            told = hello.query_async(&mut connection) => told.map_err(Error::unavailable)?,
            () = driver => return Err(Error::unavailable("it ended the connection")),
        };
        let version = told.get("version").and_then(|version| redis::from_redis_value_ref::<String>(version).ok());
        let first = version.as_deref().and_then(|version| version.split('.').next()?.parse().ok());
        first.ok_or_else(|| Error::corrupt("it does not say its version"))
    }
}
