//! `Feed` on RabbitMQ: a quorum queue for each kind of worker and each of 8 shards of the conversations, behind one exchange, so that
//! an event is published once, however many kinds there are, and those that are published together in few messages. **Distributed**:
//! any number of processes publish and follow. A majority of the brokers has on disk what was published.
//!
//! Queues begin when they are made: so all kinds of workers are made known to [`RabbitMqFeed::migrate`], and nobody else can
//! follow. A shard goes to one follower at a time, RabbitMQ's single active consumer, and followers share the shards evenly
//! (`drivers/rabbitmq/crew.rs`). A worker that is away holds nobody up; what it will find is on the brokers' disks, and their alarm is
//! the limit. RabbitMQ confirms no commit: what was committed just before a broker or the way to it died may come again.

mod follower;

use async_trait::async_trait;
use futures_util::future::join_all;
use klatch_core::ids::ConversationId;
use klatch_ports::Error;
use klatch_ports::event_log::Record;
use klatch_ports::feed::{Feed, Follower};

use super::bundles;
use crate::drivers::rabbitmq::{Broker, Crew, Outlet, Queue};
use follower::RabbitMqFollower;

/// Shards. Were there others, a conversation's events would be in two queues for a while, and not in order.
const SHARDS: usize = 8;

/// The engine.
pub struct RabbitMqFeed {
    broker: Broker,
    /// One for each shard.
    outlets: Vec<Outlet>,
}

impl RabbitMqFeed {
    /// The queues of these kinds of workers.
    pub fn queues(broker: &Broker, workers: &[&str]) -> Vec<Queue> {
        let queue = |worker: &str, shard| {
            let bound = Some((exchange(broker), key(shard)));
            Queue { name: name(broker, worker, shard), length_max: None, bound }
        };
        workers.iter().flat_map(|worker| (0..SHARDS).map(move |shard| queue(worker, shard))).collect()
    }

    /// Makes what is not there for these kinds of workers, and returns the names of the queues it made. A new kind gets what is
    /// published from then on.
    ///
    /// # Errors
    /// `Broken` (no right to do so), `Unavailable`.
    pub async fn migrate(broker: &Broker, workers: &[&str]) -> Result<Vec<String>, Error> {
        broker.make(&[exchange(broker), Crew::exchange(broker)], &Self::queues(broker, workers)).await
    }

    /// The feed, for these kinds of workers.
    ///
    /// # Errors
    /// `Broken`: it was not made for one of them. `Unavailable`.
    pub async fn open(broker: Broker, workers: &[&str]) -> Result<Self, Error> {
        broker.expect(&Self::queues(&broker, workers)).await?;
        let outlet = |shard| Outlet::to_exchange(broker.clone(), exchange(&broker), key(shard));
        Ok(Self { outlets: (0..SHARDS).map(outlet).collect(), broker })
    }
}

fn exchange(broker: &Broker) -> String {
    broker.name("feed")
}

fn key(shard: usize) -> String {
    shard.to_string()
}

fn name(broker: &Broker, worker: &str, shard: usize) -> String {
    broker.name(&format!("feed.{worker}.{shard}"))
}

#[async_trait]
impl Feed for RabbitMqFeed {
    async fn publish(&self, events: &[(ConversationId, Record)]) -> Result<(), Error> {
        let mut shards: [Vec<_>; SHARDS] = Default::default();
        for (conversation, record) in events {
            shards[bundles::shard(*conversation, SHARDS)].push((*conversation, record));
        }
        let messages = shards.into_iter().map(bundles::encode).collect::<Result<Vec<_>, _>>()?;
        // All of them to their end, so that no shard gets an event without those before it.
        let published = join_all(self.outlets.iter().zip(&messages).map(|(outlet, messages)| outlet.put(messages)));
        published.await.into_iter().collect()
    }

    async fn follow(&self, worker: &'static str) -> Result<Box<dyn Follower>, Error> {
        Ok(Box::new(RabbitMqFollower::open(self.broker.clone(), worker).await?))
    }
}

#[cfg(test)]
mod tests;
