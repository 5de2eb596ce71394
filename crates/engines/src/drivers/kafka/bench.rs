//! A cluster for a test: topics that are nobody else's.

use std::sync::Arc;

use klatch_backing::{Kind, Link, Servers};
use klatch_ports::contract::fresh;

use super::Kafka;

/// Another client of the topics that begin with this prefix.
pub fn again(servers: &Servers, prefix: &str, options: &str) -> Arc<Kafka> {
    at(&servers.addresses().join(","), prefix, options)
}

/// The same at any address.
pub fn at(hosts: &str, prefix: &str, options: &str) -> Arc<Kafka> {
    let place = format!("kafka://{hosts}/{prefix}?{options}");
    Arc::new(Kafka::at(place.parse().expect("an address")).expect("a place"))
}

/// A prefix that nobody else has.
pub fn prefix() -> String {
    format!("test-{}", fresh().simple())
}

/// New topics with so many partitions; the client's prefix comes with it.
pub async fn topics(servers: &Servers, partitions: usize, options: &str) -> (Arc<Kafka>, String) {
    let prefix = prefix();
    let kafka = again(servers, &prefix, options);
    kafka.migrate(partitions, false).await.expect("the topics are made");
    (kafka, prefix)
}

/// The server that all tests of this process share.
pub fn shared() -> &'static Servers {
    Servers::shared(Kind::Kafka)
}

/// Opens a second way to a server of one node, on which it may be cut off; whoever comes that way stays on it.
pub async fn linked(servers: &Servers) -> Link {
    let link = Link::to(format!("{}:9094", host(servers))).await;
    listen(servers, link.address(), "PLAINTEXT", "");
    link
}

/// Where a server of one node listens, without the port.
pub fn host(servers: &Servers) -> String {
    servers.address(1).strip_suffix(":9092").expect("Kafka's port").to_owned()
}

/// Starts a server of one node again with another listener on port 9094, known to clients by that address.
pub fn listen(servers: &Servers, known_as: &str, protocol: &str, settings: &str) {
    let host = host(servers);
    let settings = format!(
        "listeners=PLAINTEXT://{host}:9092,CONTROLLER://{host}:9093,OTHER://{host}:9094\n\
         advertised.listeners=PLAINTEXT://{host}:9092,OTHER://{known_as}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OTHER:{protocol}\n{settings}"
    );
    servers.stop();
    servers.configure(1, &settings);
    servers.revive();
}
