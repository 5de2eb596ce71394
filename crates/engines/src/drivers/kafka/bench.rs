//! A cluster for a test: topics that are nobody else's.

use std::sync::Arc;

use klatch_backing::{Kind, Link, Servers};
use klatch_ports::ErrorKind;
use klatch_ports::contract::{fresh, soon};
use rdkafka::consumer::Consumer;

use super::{Kafka, Observer, committed};

/// So long that nobody loses its partitions to a stall of a busy machine.
const SESSION: &str = "session_ms=30000";
/// What Klatch does by itself, for tests in which partitions are taken over from somebody who is silent.
pub const SHORT_SESSION: &str = "session_ms=6000";

/// Another client of the topics that begin with this prefix, with a long session unless the options say otherwise.
pub fn again(servers: &Servers, prefix: &str, options: &str) -> Arc<Kafka> {
    let hosts = servers.addresses().join(",");
    if options.contains("session_ms") {
        return at(&hosts, prefix, options);
    }
    at(&hosts, prefix, &format!("{SESSION}&{options}"))
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

/// New topics with so many partitions, and a client with these options; the client's prefix comes with it.
pub async fn topics(servers: &Servers, partitions: usize, options: &str) -> (Arc<Kafka>, String) {
    let prefix = prefix();
    let brokers = servers.addresses().len();
    // Whoever is impatient later, servers that have just started take their time.
    let patient = again(servers, &prefix, &format!("copies={}", brokers.min(3)));
    until_named(&patient, brokers).await;
    make(&patient, partitions).await;
    (again(servers, &prefix, options), prefix)
}

/// Makes the topics, and waits until groups are answered as well: the first one has brokers make a topic of their own.
pub async fn make(kafka: &Arc<Kafka>, partitions: usize) {
    let made = async {
        while let Err(error) = kafka.migrate(partitions, false).await {
            assert_eq!(error.kind, ErrorKind::Unavailable, "{:?}", std::error::Error::source(&error));
        }
    };
    soon(made).await;
    let (topic, timeout) = (kafka.commands_topic(), kafka.timeout());
    until(kafka, move |observer| committed(observer, &topic, 0..1, timeout).is_ok()).await;
}

/// Waits until so many brokers are named.
pub async fn until_named(kafka: &Arc<Kafka>, brokers: usize) {
    let timeout = kafka.timeout();
    let are_named = move |observer: &Observer| {
        observer.fetch_metadata(None, timeout).is_ok_and(|metadata| metadata.brokers().len() >= brokers)
    };
    until(kafka, are_named).await;
}

/// Waits until the group of processors is answered like this.
async fn until(kafka: &Kafka, is_so: impl Fn(&Observer) -> bool + Clone + Send + 'static) {
    let observer = Arc::new(kafka.observer("processors").expect("a client"));
    let so = async {
        loop {
            let (observer, is_so) = (observer.clone(), is_so.clone());
            if tokio::task::spawn_blocking(move || is_so(&observer)).await.expect("it does not panic") {
                break;
            }
        }
    };
    soon(so).await;
}

/// The server that all tests of this process share.
pub fn shared() -> &'static Servers {
    Servers::shared(Kind::Kafka)
}

/// Opens a second way to a server of one node, on which it may be cut off; whoever comes that way stays on it.
pub async fn linked(servers: &Servers) -> Link {
    let link = Link::to(format!("{}:9094", host(servers))).await;
    listen(servers, link.address());
    link
}

/// Where a server of one node listens, without the port.
pub fn host(servers: &Servers) -> String {
    servers.address(1).strip_suffix(":9092").expect("Kafka's port").to_owned()
}

/// Starts a server of one node again with another listener ([`another_listener`]).
fn listen(servers: &Servers, known_as: &str) {
    servers.stop();
    servers.configure(1, &another_listener(&host(servers), known_as, "PLAINTEXT", ""));
    servers.revive();
}

/// The settings with which a node of this address, the only one, listens on port 9094 as well, known to clients by that address.
pub fn another_listener(host: &str, known_as: &str, protocol: &str, settings: &str) -> String {
    format!(
        "listeners=PLAINTEXT://{host}:9092,CONTROLLER://{host}:9093,OTHER://{host}:9094\n\
         advertised.listeners=PLAINTEXT://{host}:9092,OTHER://{known_as}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OTHER:{protocol}\n{settings}"
    )
}
