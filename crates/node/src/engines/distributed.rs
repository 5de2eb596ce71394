//! The engines that are servers. Ports with the same address share connections.

use std::sync::Arc;

use klatch_engines::commands::kafka::KafkaCommands;
use klatch_engines::commands::rabbitmq::RabbitMqCommands;
use klatch_engines::drivers::cassandra;
use klatch_engines::drivers::kafka::Kafka;
use klatch_engines::drivers::place::Place;
use klatch_engines::drivers::postgres::Database;
use klatch_engines::drivers::rabbitmq::Broker;
use klatch_engines::drivers::redis::Redis;
use klatch_engines::event_log::cassandra::CassandraEventLog;
use klatch_engines::feed::kafka::KafkaFeed;
use klatch_engines::feed::rabbitmq::RabbitMqFeed;
use klatch_engines::live::redis::RedisLive;
use klatch_engines::mailboxes::cassandra::CassandraMailboxes;
use klatch_engines::overlay::cassandra::CassandraOverlays;
use klatch_engines::presence::ahead::Ahead;
use klatch_engines::presence::fallback::Fallback;
use klatch_engines::presence::redis::RedisPresence;
use klatch_engines::{directory, event_log, keys, mailboxes, overlay, owners, partitions, views};
use klatch_ports::commands::Commands;
use klatch_ports::directory::Directory;
use klatch_ports::event_log::EventLog;
use klatch_ports::feed::Feed;
use klatch_ports::keys::Keys;
use klatch_ports::live::Live;
use klatch_ports::mailboxes::Mailboxes;
use klatch_ports::overlay::Overlays;
use klatch_ports::owners::Owners;
use klatch_ports::partitions::Partitions;
use klatch_ports::presence::Presence;
use klatch_ports::views::Views;
use klatch_server::workers;

use super::embedded::whole;
use crate::config::Limits;

/// Connections, as they are opened.
#[derive(Default)]
pub(super) struct Servers {
    databases: Vec<(Place, Database)>,
    clusters: Vec<(Place, cassandra::Database)>,
    kafkas: Vec<(Place, Arc<Kafka>)>,
    brokers: Vec<(Place, Broker)>,
    caches: Vec<(Place, Redis)>,
}

impl Servers {
    pub(super) async fn event_log(&mut self, place: &Place) -> anyhow::Result<Arc<dyn EventLog>> {
        Ok(match place.scheme.as_str() {
            "cassandra" => Arc::new(CassandraEventLog::open(self.cluster(place).await?).await.map_err(whole)?),
            _ => Arc::new(event_log::postgres::Postgres::open(self.database(place)?).await.map_err(whole)?),
        })
    }

    pub(super) async fn overlays(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Overlays>> {
        Ok(match place.scheme.as_str() {
            "cassandra" => Arc::new(CassandraOverlays::open(self.cluster(place).await?).await.map_err(whole)?),
            _ => Arc::new(overlay::postgres::Postgres::open(self.database(place)?).await.map_err(whole)?),
        })
    }

    pub(super) async fn mailboxes(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Mailboxes>> {
        Ok(match place.scheme.as_str() {
            "cassandra" => Arc::new(CassandraMailboxes::open(self.cluster(place).await?).await.map_err(whole)?),
            _ => Arc::new(mailboxes::postgres::Postgres::open(self.database(place)?).await.map_err(whole)?),
        })
    }

    pub(super) async fn views(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Views>> {
        Ok(Arc::new(views::postgres::Postgres::open(self.database(place)?).await.map_err(whole)?))
    }

    pub(super) async fn directory(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Directory>> {
        Ok(Arc::new(directory::postgres::Postgres::open(self.database(place)?).await.map_err(whole)?))
    }

    pub(super) async fn keys(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Keys>> {
        Ok(Arc::new(keys::postgres::Postgres::open(self.database(place)?).await.map_err(whole)?))
    }

    pub(super) async fn owners(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Owners>> {
        Ok(Arc::new(owners::postgres::Postgres::open(self.database(place)?).await.map_err(whole)?))
    }

    pub(super) async fn partitions(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Partitions>> {
        Ok(Arc::new(partitions::postgres::Postgres::open(self.database(place)?).await.map_err(whole)?))
    }

    /// With so many partitions at least, of which each is full when so many commands wait.
    pub(super) async fn commands(
        &mut self,
        place: &Place,
        partitions: usize,
        limits: &Limits,
    ) -> anyhow::Result<Arc<dyn Commands>> {
        let commands: Arc<dyn Commands> = match place.scheme.as_str() {
            "kafka" => {
                let kafka = self.kafka(place)?;
                kafka.expect(partitions).await.map_err(whole)?;
                Arc::new(KafkaCommands::new(kafka, partitions).map_err(whole)?)
            }
            _ => Arc::new(RabbitMqCommands::open(self.broker(place)?, queue(limits)).await.map_err(whole)?),
        };
        commands.grow(partitions).await.map_err(whole)?;
        Ok(commands)
    }

    pub(super) async fn feed(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Feed>> {
        Ok(match place.scheme.as_str() {
            "kafka" => Arc::new(KafkaFeed::open(self.kafka(place)?).await.map_err(whole)?),
            _ => Arc::new(RabbitMqFeed::open(self.broker(place)?, &workers::NAMES).await.map_err(whole)?),
        })
    }

    pub(super) fn live(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Live>> {
        Ok(Arc::new(RedisLive::new(self.redis(place)?)))
    }

    pub(super) fn presence(&mut self, place: &Place) -> anyhow::Result<Arc<dyn Presence>> {
        Ok(Arc::new(Fallback::new(Ahead::new(RedisPresence::new(self.redis(place)?)))))
    }

    pub(super) fn database(&mut self, place: &Place) -> anyhow::Result<Database> {
        shared(&mut self.databases, place, Database::at)
    }

    /// Unlike the others, its driver opens nothing without speaking to a node.
    pub(super) async fn cluster(&mut self, place: &Place) -> anyhow::Result<cassandra::Database> {
        if let Some((_, there)) = self.clusters.iter().find(|(known, _)| known == place) {
            return Ok(there.clone());
        }
        let there = cassandra::Database::connect(place.clone()).await.map_err(whole)?;
        self.clusters.push((place.clone(), there.clone()));
        Ok(there)
    }

    pub(super) fn kafka(&mut self, place: &Place) -> anyhow::Result<Arc<Kafka>> {
        shared(&mut self.kafkas, place, |place| Kafka::at(place).map(Arc::new))
    }

    pub(super) fn broker(&mut self, place: &Place) -> anyhow::Result<Broker> {
        shared(&mut self.brokers, place, Broker::at)
    }

    pub(super) fn redis(&mut self, place: &Place) -> anyhow::Result<Redis> {
        shared(&mut self.caches, place, Redis::at)
    }
}

/// Commands that may wait for one partition, as a broker counts them.
pub(super) fn queue(limits: &Limits) -> u32 {
    u32::try_from(limits.queue).unwrap_or(u32::MAX)
}

/// What goes to this place: the same for all who do.
fn shared<T: Clone>(
    open: &mut Vec<(Place, T)>,
    place: &Place,
    at: impl FnOnce(Place) -> Result<T, String>,
) -> anyhow::Result<T> {
    if let Some((_, there)) = open.iter().find(|(known, _)| known == place) {
        return Ok(there.clone());
    }
    let there = at(place.clone()).map_err(anyhow::Error::msg)?;
    open.push((place.clone(), there.clone()));
    Ok(there)
}
