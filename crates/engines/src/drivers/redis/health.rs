//! What an operator should know of a Redis.

use std::collections::HashMap;

use klatch_ports::Error;
use redis::{InfoDict, Value};
use tokio::time::timeout;

use super::Redis;

/// The oldest version that Klatch works with: it needs sharded channels.
const VERSION_MIN: u32 = 7;
/// What of its memory a server may have used: per cent.
const MEMORY_MAX: u64 = 85;

/// What a server says of itself.
struct Told {
    /// The first number of its version. Valkey's own began with 7, where it parted from Redis.
    version: u32,
    /// Memory that it uses, and that it may use, where it has a limit: bytes.
    memory: (u64, Option<u64>),
}

impl Redis {
    /// What an operator should change, a sentence each; none where all is well.
    pub async fn health(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for address in &self.0.seeds {
            match timeout(self.0.timeout, self.told_by(address)).await {
                Ok(Ok(told)) => findings.extend(told.findings(address)),
                Ok(Err(error)) => {
                    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    findings.push(format!("Redis at {address} cannot be asked: {source}"));
                }
                Err(_) => findings.push(format!("Redis at {address} gave no answer within {:?}", self.0.timeout)),
            }
        }
        findings
    }

    async fn told_by(&self, address: &str) -> Result<Told, Error> {
        let (mut connection, driver) = self.0.dial.connect(address, None).await?;
        let asking = async {
            let hello: HashMap<String, Value> = redis::cmd("HELLO").query_async(&mut connection).await?;
            let memory: InfoDict = redis::cmd("INFO").arg("memory").query_async(&mut connection).await?;
            Ok::<_, redis::RedisError>((hello, memory))
        };
        let (hello, memory) = tokio::select! {
            told = asking => told.map_err(Error::unavailable)?,
            () = driver => return Err(Error::unavailable("it ended the connection")),
        };
        let version = hello.get("version").and_then(|version| redis::from_redis_value_ref::<String>(version).ok());
        let first = version.as_deref().and_then(|version| version.split('.').next()?.parse().ok());
        let version = first.ok_or_else(|| Error::corrupt("it does not say its version"))?;
        let used = memory.get("used_memory").unwrap_or(0);
        Ok(Told { version, memory: (used, memory.get("maxmemory").filter(|limit| *limit > 0)) })
    }
}

impl Told {
    fn findings(&self, address: &str) -> Vec<String> {
        let mut findings = Vec::new();
        let version = self.version;
        if version < VERSION_MIN {
            findings.push(format!("Redis at {address} has version {version}: {VERSION_MIN} or later is needed"));
        }
        if let (used, Some(limit)) = self.memory
            && used.saturating_mul(100) > limit.saturating_mul(MEMORY_MAX)
        {
            let mb = |bytes: u64| bytes / 1_000_000;
            let (used, limit) = (mb(used), mb(limit));
            findings.push(format!(
                "Redis at {address} uses {used} MB of {limit} MB: raise `maxmemory`, or it refuses or forgets"
            ));
        }
        findings
    }
}
