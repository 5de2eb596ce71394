//! A keyspace for a test: empty, and nobody else's.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use klatch_backing::{Kind, Link, Servers};
use klatch_ports::ErrorKind;
use klatch_ports::contract::{fresh, soon};
use scylla::errors::TranslationError;
use scylla::policies::address_translator::{AddressTranslator, UntranslatedPeer};

use super::{Database, Place, Schema};

/// Where a keyspace can be made that nobody else has, on these nodes. A stall of a busy machine is not taken for their loss.
pub fn place(servers: &Servers) -> Place {
    let nodes = servers.addresses();
    let name = format!("test_{}", fresh().simple());
    let address = format!("cassandra://{}/{name}?timeout_ms=10000&replication={}", nodes.join(","), nodes.len());
    address.parse().expect("an address")
}

/// The same place for who waits no longer than Klatch does by itself: for tests of silence.
pub fn impatient(mut place: Place) -> Place {
    place.take("timeout_ms");
    place
}

/// Where such a keyspace is, with these tables, on a server that all tests of this process share.
pub async fn prepared(schema: &Schema) -> Place {
    prepared_on(Servers::shared(Kind::Cassandra), schema).await
}

/// The same on these nodes.
pub async fn prepared_on(servers: &Servers, schema: &Schema) -> Place {
    let place = place(servers);
    migrated(&open(&place).await, schema).await;
    place
}

/// Makes these tables, and returns the steps that this took. Where several nodes have just started on a busy machine, they lose sight of each
/// other for a moment.
pub async fn migrated(database: &Database, schema: &Schema) -> Vec<usize> {
    soon(async {
        loop {
            match database.migrate(schema).await {
                Ok(steps) => break steps,
                Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "it takes tables: {error:?}"),
            }
        }
    })
    .await
}

/// A session of its own to this place.
pub async fn open(place: &Place) -> Database {
    Database::connect(place.clone()).await.expect("it is there")
}

/// Links to each node of these, through which [`open_through`] goes.
pub async fn links(servers: &Servers) -> HashMap<IpAddr, Link> {
    let mut links = HashMap::new();
    for address in servers.addresses() {
        let node: SocketAddr = address.parse().expect("an address");
        links.insert(node.ip(), Link::to(address).await);
    }
    links
}

/// A session to this place, every connection of which goes through a link.
pub async fn open_through(place: &Place, links: &HashMap<IpAddr, Link>) -> Database {
    let there = |link: &Link| link.address().parse::<SocketAddr>().expect("an address");
    let nodes: HashMap<_, _> = links.iter().map(|(node, link)| (*node, there(link))).collect();
    let mut place = place.clone();
    place.hosts = nodes.values().map(|there| (there.ip().to_string(), Some(there.port()))).collect();
    let through = Database::connect_by(place, |builder| builder.address_translator(Arc::new(Through(nodes))));
    through.await.expect("it is there")
}

/// Nodes tell each other's addresses to the driver; this puts the links in their place.
struct Through(HashMap<IpAddr, SocketAddr>);

#[async_trait]
impl AddressTranslator for Through {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn translate_address(&self, peer: &UntranslatedPeer) -> Result<SocketAddr, TranslationError> {
        let node = peer.untranslated_address();
        self.0.get(&node.ip()).copied().ok_or(TranslationError::NoRuleForAddress(node))
    }
}
