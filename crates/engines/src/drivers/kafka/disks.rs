//! How much room the brokers' disks have: `DescribeLogDirs` (KIP-827), which they answer in full from Kafka 3.3 on. librdkafka has no call for
//! it, so another client asks, which lives for that question alone.

use std::collections::HashMap;

use krafka::admin::{DescribeClusterOptions, DescribeLogDirsOptions, LogDirDescription};
use krafka::auth::{AuthConfig, TlsConfig};
use rdkafka::ClientConfig;
use tokio::time::timeout;

use super::Kafka;

/// What a disk must have left: per cent of it.
pub const LEFT_MIN: u8 = 15;

/// What each broker says of its folders.
type Told = HashMap<i32, krafka::Result<HashMap<String, krafka::Result<LogDirDescription>>>>;

impl Kafka {
    /// What is wrong with the brokers' disks, a sentence each, where that is known. Brokers before Kafka 3.3 do not say how large theirs are.
    pub(in crate::drivers) async fn disks(&self, left_min: u8) -> Vec<String> {
        let told = match timeout(self.timeout, self.ask_for_disks()).await {
            Ok(Ok(told)) => told,
            Ok(Err(error)) => return vec![format!("how much room the brokers have cannot be asked: {error}")],
            Err(_) => {
                return vec![format!("the brokers did not say within {:?} how much room they have", self.timeout)];
            }
        };
        let mut findings = Vec::new();
        for (broker, folders) in told {
            match folders {
                Ok(folders) => {
                    let found = folders.into_iter().filter_map(|(folder, told)| finding(&folder, told, left_min));
                    findings.extend(found.map(|sentence| format!("broker {broker} {sentence}")));
                }
                Err(error) => findings.push(format!(
                    "how much room broker {broker} has cannot be asked: {error} (who asks needs the right to DESCRIBE the cluster)"
                )),
            }
        }
        findings.sort_unstable();
        findings
    }

    async fn ask_for_disks(&self) -> krafka::Result<Told> {
        // So that one broker that is silent does not take the time of all.
        let each = self.timeout / 3;
        let hosts = self.config.get("bootstrap.servers").unwrap_or_default();
        let client = krafka::Kafka::builder(hosts).client_id("klatch").security(security(&self.config));
        let client = client.request_timeout(each).connect_timeout(each).connect().await?;
        let admin = client.admin().default_api_timeout(each);
        let cluster = admin.describe_cluster(DescribeClusterOptions::default()).await?;
        let brokers = cluster.brokers.iter().filter(|broker| !broker.is_fenced).map(|broker| broker.id);
        admin.describe_log_dirs(brokers, DescribeLogDirsOptions::default()).await
    }
}

/// What is wrong with a folder of a broker, if it is.
fn finding(folder: &str, told: krafka::Result<LogDirDescription>, left_min: u8) -> Option<String> {
    let told = match told {
        Ok(told) => told,
        Err(error) => return Some(format!("cannot use {folder}: {error}")),
    };
    let (total, left) = (told.total_bytes?, told.usable_bytes?);
    let is_short = u128::from(left.unsigned_abs()) * 100 < u128::from(total.unsigned_abs()) * u128::from(left_min);
    is_short.then(|| {
        let gb = |bytes: i64| bytes as f64 / 1e9;
        let (left, total) = (gb(left), gb(total));
        format!("has {left:.1} GB of {total:.1} GB left for {folder}: make room, or give it a larger disk")
    })
}

/// As whom the other client goes there: as librdkafka does.
fn security(config: &ClientConfig) -> AuthConfig {
    let set = |name| config.get(name).unwrap_or_default();
    let (user, password) = (set("sasl.username"), set("sasl.password"));
    let security = match set("sasl.mechanism") {
        "PLAIN" => AuthConfig::sasl_plain(user, password),
        "SCRAM-SHA-256" => AuthConfig::sasl_scram_sha256(user, password),
        "SCRAM-SHA-512" => AuthConfig::sasl_scram_sha512(user, password),
        _ => AuthConfig::plaintext(),
    };
    if !set("security.protocol").ends_with("ssl") {
        return security;
    }
    let tls = match config.get("ssl.ca.location") {
        Some(ca) => TlsConfig::new().with_ca_cert(ca),
        None => TlsConfig::new().with_native_roots(),
    };
    security.with_tls(match (config.get("ssl.certificate.location"), config.get("ssl.key.location")) {
        (Some(certificate), Some(key)) => tls.with_client_cert(certificate, key),
        _ => tls,
    })
}
