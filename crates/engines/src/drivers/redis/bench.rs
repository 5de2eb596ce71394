//! A Redis for a test, with keys and channels of its own.

use std::sync::OnceLock;

use klatch_backing::{Kind, Servers};
use klatch_ports::contract::fresh;

use super::*;

/// One server that all tests of this process share.
pub fn server() -> String {
    Servers::shared(Kind::Redis).address(1)
}

/// A cluster of three that all tests of this process share.
pub fn cluster() -> String {
    static CLUSTER: OnceLock<Servers> = OnceLock::new();
    cluster_of(CLUSTER.get_or_init(|| Servers::start(Kind::Redis, 3)))
}

/// A Valkey that all tests of this process share.
pub fn valkey() -> String {
    Servers::shared(Kind::Valkey).address(1)
}

/// A cluster of three of these.
pub fn valkey_cluster() -> String {
    static CLUSTER: OnceLock<Servers> = OnceLock::new();
    cluster_of(CLUSTER.get_or_init(|| Servers::start(Kind::Valkey, 3)))
}

/// What follows `redis://` for a cluster.
pub fn cluster_of(servers: &Servers) -> String {
    format!("{}?cluster=true", servers.addresses().join(","))
}

/// The Redis that `redis://` and this leads to, with keys and channels of its own. A stall of a busy machine is not taken for its loss.
pub fn redis(address: &str) -> Redis {
    with_prefix(address, &prefix())
}

/// The same with these keys and channels.
pub fn with_prefix(address: &str, prefix: &str) -> Redis {
    at(address, &format!("timeout_ms=10000&prefix={prefix}"))
}

/// The same with keys and channels of its own, that is taken for lost as soon as Klatch does by itself: for tests of silence.
pub fn impatient(address: &str) -> Redis {
    at(address, &format!("prefix={}", prefix()))
}

fn at(address: &str, options: &str) -> Redis {
    let and = if address.contains('?') { '&' } else { '?' };
    Redis::at(format!("redis://{address}{and}{options}").parse().unwrap()).unwrap()
}

fn prefix() -> String {
    format!("test-{}", fresh().simple())
}

/// What one node answers.
pub async fn ask(address: &str, name: &'static str, args: &[&str]) -> Value {
    let args = args.iter().map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect();
    let call = Call { key: Bytes::new(), name, args };
    redis(address).call(&[call]).await.unwrap().remove(0).unwrap()
}

/// What one node answers, as text.
pub async fn ask_text(address: &str, name: &'static str, args: &[&str]) -> String {
    redis::from_redis_value(ask(address, name, args).await).unwrap()
}

/// Moves the slot of a key to another node of a cluster, when nothing is in it. Returns the two nodes' numbers.
pub async fn move_slot(servers: &Servers, key: &str) -> (usize, usize) {
    let slot = slots::slot_of(key.as_bytes()).to_string();
    let redis = redis(&cluster_of(servers));
    let owner = redis.slots().await.unwrap().node_of(key.as_bytes()).unwrap().clone();
    let from = (1..=3).find(|node| servers.address(*node) == *owner).unwrap();
    let to = from % 3 + 1;
    let [from_id, id] = [from, to].map(async |node| ask_text(&servers.address(node), "CLUSTER", &["MYID"]).await);
    let (from_id, id) = (from_id.await, id.await);
    // A node that was not importing takes no newer epoch with the slot, and may be told by the former owner that it is not its own.
    ask(&servers.address(to), "CLUSTER", &["SETSLOT", &slot, "IMPORTING", &from_id]).await;
    ask(&servers.address(from), "CLUSTER", &["SETSLOT", &slot, "MIGRATING", &id]).await;
    for node in [to, from, to % 3 + 1] {
        ask(&servers.address(node), "CLUSTER", &["SETSLOT", &slot, "NODE", &id]).await;
    }
    (from, to)
}
