use std::sync::Arc;

use bytes::Bytes;
use klatch_core::ids::{CommandId, Seq, Uuid};
use klatch_ports::ErrorKind;
use klatch_ports::contract::soon;
use klatch_ports::event_log::{EventLog, MemoryEventLog};
use klatch_ports::feed::UNCOMMITTED_MAX;
use klatch_ports::feed::contract::Bench;

use super::super::bundles::EVENTS_MAX;
use super::*;
use crate::drivers::rabbitmq::bench;

const WORKERS: &[&str] = &["search", "push", "slow"];

struct Feeds {
    address: String,
    log: Arc<MemoryEventLog>,
    feed: Arc<RabbitMqFeed>,
    elsewhere: Arc<RabbitMqFeed>,
}

async fn at(address: &str) -> Arc<RabbitMqFeed> {
    let broker = bench::at(address);
    RabbitMqFeed::migrate(&broker, WORKERS).await.unwrap();
    Arc::new(RabbitMqFeed::open(broker, WORKERS).await.unwrap())
}

async fn feeds() -> Feeds {
    let address = bench::shared();
    let (feed, elsewhere) = (at(&address).await, at(&address).await);
    Feeds { address, log: Arc::default(), feed, elsewhere }
}

#[async_trait]
impl Bench for Feeds {
    fn log(&self) -> Arc<dyn EventLog> {
        self.log.clone()
    }

    fn feed(&self) -> Arc<dyn Feed> {
        self.feed.clone()
    }

    fn feed_elsewhere(&self) -> Option<Arc<dyn Feed>> {
        Some(self.elsewhere.clone())
    }

    async fn reopen(&mut self) {
        self.feed = at(&self.address).await;
    }
}

klatch_ports::feed_contract!(feeds().await);

#[tokio::test]
async fn nobody_follows_who_was_not_made_known() {
    let address = bench::shared();
    let feed = at(&address).await;
    assert_eq!(feed.follow("stranger").await.err().unwrap().kind, ErrorKind::Broken);
    let broker = bench::at(&address);
    assert_eq!(RabbitMqFeed::open(broker.clone(), &["stranger"]).await.err().unwrap().kind, ErrorKind::Broken);
    assert_eq!(RabbitMqFeed::migrate(&broker, &["search", "stranger"]).await.unwrap().len(), SHARDS);
    feed.follow("stranger").await.unwrap();
}

#[tokio::test]
async fn who_never_commits_is_stopped() {
    let feed = at(&bench::shared()).await;
    let events: Vec<_> = (0..UNCOMMITTED_MAX as u128 + 10).map(event).collect();
    for events in events.chunks(500) {
        feed.publish(events).await.unwrap();
    }
    let mut follower = feed.follow("search").await.unwrap();
    let mut last = 0;
    while last < UNCOMMITTED_MAX as u64 {
        last = soon(follower.next(500)).await.unwrap().last().unwrap().position;
    }
    assert_eq!(soon(follower.next(500)).await.unwrap_err().kind, ErrorKind::Full);
    follower.commit(last).await.unwrap();
    let next = soon(follower.next(10)).await.unwrap();
    assert_eq!(next[0].position, last + 1, "and goes on when it does");
}

#[tokio::test]
async fn events_that_are_published_together_cost_few_messages_whatever_the_kinds_of_workers() {
    let feed = at(&bench::shared()).await;
    let events: Vec<_> = (0..200).map(event).collect();
    // The first on each way open it.
    feed.publish(&events).await.unwrap();
    let calls = bench::Calls::default();
    let _counting = metrics::set_default_local_recorder(&calls);
    feed.publish(&events).await.unwrap();
    let fewest = events.len().div_ceil(EVENTS_MAX) as u64;
    assert!((fewest..fewest + SHARDS as u64).contains(&calls.take()));
    let mut follower = feed.follow("search").await.unwrap();
    let mut last = 0;
    while last < 400 {
        last = soon(follower.next(400)).await.unwrap().last().unwrap().position;
    }
    calls.take();
    follower.commit(last).await.unwrap();
    // One for each shard, and what the crew says each second meanwhile.
    assert!(calls.take() < 2 * SHARDS as u64);
}

/// An event in a conversation of its own.
fn event(n: u128) -> (ConversationId, Record) {
    let id = CommandId(Uuid::from_u128(n));
    (ConversationId(id.0), Record { seq: Seq(1), id, head: Bytes::new(), body: Bytes::new() })
}
