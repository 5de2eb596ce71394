use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use klatch_backing::{Flow, Kind, Servers};
use klatch_core::ids::{CommandId, Seq, Uuid};
use klatch_ports::contract::{soon, within};
use klatch_ports::event_log::{EventLog, MemoryEventLog};
use klatch_ports::feed::contract::Bench;

use super::*;
use crate::drivers::kafka::bench;

/// A log in memory and a feed on a topic of its own.
struct Topic {
    log: Arc<MemoryEventLog>,
    feed: Arc<KafkaFeed>,
    elsewhere: Arc<KafkaFeed>,
    prefix: String,
}

impl Topic {
    async fn new() -> Self {
        let (kafka, prefix) = bench::topics(bench::shared(), 4, "").await;
        let (feed, elsewhere) = (Arc::new(KafkaFeed::open(kafka).await.unwrap()), again(&prefix).await);
        Self { log: Arc::default(), feed, elsewhere, prefix }
    }
}

async fn again(prefix: &str) -> Arc<KafkaFeed> {
    Arc::new(KafkaFeed::open(bench::again(bench::shared(), prefix, "")).await.unwrap())
}

#[async_trait]
impl Bench for Topic {
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
        self.feed = again(&self.prefix).await;
    }
}

klatch_ports::feed_contract!(Topic::new().await);

fn conversation(n: u8) -> ConversationId {
    ConversationId::from_bytes([n; 16])
}

/// The event of this seq in each of eight conversations.
fn events(seq: u64) -> Vec<(ConversationId, Record)> {
    let id = CommandId(Uuid::from_u128(seq.into()));
    let record = Record { seq: Seq(seq), id, head: Bytes::new(), body: Bytes::from_static(b"body") };
    (0..8).map(|n| (conversation(n), record.clone())).collect()
}

/// Follows until it has heard of the events of this seq, and returns all of which it heard, in order.
async fn hear(follower: &mut dyn Follower, last: u64) -> Vec<(ConversationId, u64)> {
    let mut heard = Vec::new();
    try_hear(follower, last, &mut heard).await.unwrap();
    heard
}

/// The same, as long as the follower does; adds to what was `heard`.
async fn try_hear(follower: &mut dyn Follower, last: u64, heard: &mut Vec<(ConversationId, u64)>) -> Result<(), Error> {
    let mut left: BTreeSet<_> = (0..8).map(conversation).collect();
    while !left.is_empty() {
        for entry in soon(follower.next(50)).await? {
            heard.push((entry.conversation, entry.record.seq.0));
            if entry.record.seq.0 == last {
                left.remove(&entry.conversation);
            }
        }
    }
    Ok(())
}

/// Publishes until that is confirmed, as whoever publishes must.
async fn until_published(feed: &KafkaFeed, seq: u64) {
    soon(async { while feed.publish(&events(seq)).await.is_err() {} }).await;
}

#[tokio::test]
async fn what_was_published_survives_the_broker_and_is_followed_again() {
    let servers = Servers::start(Kind::Kafka, 1);
    let options = format!("timeout_ms=2000&{}", bench::SHORT_SESSION);
    let (kafka, _) = bench::topics(&servers, 3, &options).await;
    let opened = async {
        loop {
            match KafkaFeed::open(kafka.clone()).await {
                Ok(feed) => break feed,
                Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable),
            }
        }
    };
    let feed = soon(opened).await;
    let mut follower = feed.follow("search").await.unwrap();
    let mut published = Vec::new();
    for seq in 1..=20 {
        until_published(&feed, seq).await;
        published.push(seq);
    }
    let mut heard = hear(&mut *follower, 1).await;
    servers.kill(1);
    let mut seq = 21;
    soon(async { while feed.publish(&events(seq)).await.is_ok() {} }).await;
    servers.revive();
    seq += 1;
    let is_back = async {
        until_published(&feed, seq).await;
        // A follower whose session ended meanwhile ended with it.
        while try_hear(&mut *follower, seq, &mut heard).await.is_err() {
            follower = feed.follow("search").await.unwrap();
        }
    };
    within(Duration::from_secs(10), is_back).await;
    published.push(seq);
    for n in 0..8 {
        let seqs: Vec<_> = heard.iter().filter(|(of, _)| *of == conversation(n)).map(|(_, seq)| *seq).collect();
        assert!(published.iter().all(|seq| seqs.contains(seq)), "{seqs:?}");
        let firsts: Vec<_> = (1..=seq).filter_map(|seq| seqs.iter().position(|heard| *heard == seq)).collect();
        assert!(firsts.is_sorted(), "{seqs:?}");
    }
}

#[tokio::test]
async fn a_worker_that_is_cut_off_commits_nothing_more_and_another_one_does_its_work() {
    let servers = Servers::start(Kind::Kafka, 1);
    let link = bench::linked(&servers).await;
    let (kafka, prefix) = bench::topics(&servers, 3, "").await;
    let distant = KafkaFeed::open(bench::at(link.address(), &prefix, "timeout_ms=2000")).await.unwrap();
    let near = KafkaFeed::open(kafka).await.unwrap();
    near.publish(&events(1)).await.unwrap();
    let mut former = distant.follow("search").await.unwrap();
    let mut last = 0;
    for _ in 0..8 {
        last = soon(former.next(1)).await.unwrap()[0].position;
    }
    link.set(Flow::Held, Flow::Held);
    let is_taken_over = async {
        assert_eq!(former.commit(last).await.unwrap_err().kind, ErrorKind::Unavailable);
        let mut latter = near.follow("search").await.unwrap();
        assert_eq!(hear(&mut *latter, 1).await.len(), 8, "nothing was committed");
    };
    within(Duration::from_secs(15), is_taken_over).await;
}

#[tokio::test]
async fn what_cannot_be_read_stops_a_follower_after_what_came_before() {
    let (kafka, _) = bench::topics(bench::shared(), 1, "").await;
    let feed = KafkaFeed::open(kafka.clone()).await.unwrap();
    feed.publish(&events(1)).await.unwrap();
    kafka.send(&kafka.feed_topic(), None, &[7; 16], b"\x03 from the future").unwrap().confirmed().await.unwrap();
    feed.publish(&events(2)).await.unwrap();
    for _ in 0..2 {
        let mut follower = feed.follow("search").await.unwrap();
        let mut count = 0;
        let refused = loop {
            match soon(follower.next(100)).await {
                Ok(entries) => count += entries.len(),
                Err(error) => break error,
            }
        };
        assert_eq!((count, refused.kind), (8, ErrorKind::Corrupt));
        let source = std::error::Error::source(&refused).unwrap().to_string();
        assert!(source.contains("version 3") && source.contains("offset 1)"), "{source}");
        assert_eq!(soon(follower.next(1)).await.unwrap_err().kind, ErrorKind::Corrupt, "it stays there");
    }
}
