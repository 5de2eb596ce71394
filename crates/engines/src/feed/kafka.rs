//! `Feed` on Kafka: a topic, of which each conversation has its partition and so its order, and a consumer group for each kind of worker.
//! **Distributed**: what was published is on all replicas in sync; several followers of a kind share the partitions.
//!
//! The topic keeps seven days. The log has everything: a worker that was away for longer is brought up by replay.
//!
//! Events that are published together lie in few messages.

mod follower;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use futures_util::future::join_all;
use klatch_core::ids::ConversationId;
use klatch_ports::event_log::Record;
use klatch_ports::feed::{Feed, Follower};
use klatch_ports::{Error, ErrorKind};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::bundles;
use crate::drivers::kafka::{Inboxes, Kafka, Member, Room};
use follower::KafkaFollower;

/// What a follower reads ahead of each partition.
const AHEAD: Room = Room { messages_max: 1_024, bytes_max: 4 << 20 };

/// The engine.
pub struct KafkaFeed {
    kafka: Arc<Kafka>,
    topic: String,
    partitions: usize,
    /// The last follower of each kind of worker.
    last: Mutex<HashMap<&'static str, Last>>,
}

/// A follower that may be gone.
#[derive(Clone)]
struct Last {
    /// By which its group knew it.
    name: Uuid,
    member: Weak<Member>,
    /// True when it has left its group.
    left: watch::Receiver<bool>,
}

impl Last {
    fn is_dropped(&self) -> bool {
        self.member.strong_count() == 0
    }
}

impl KafkaFeed {
    /// The feed of this cluster, with the partitions that its topic was made with.
    ///
    /// # Errors
    /// `Broken`: there is no topic. `Unavailable`.
    pub async fn open(kafka: Arc<Kafka>) -> Result<Self, Error> {
        let (topic, partitions) = (kafka.feed_topic(), kafka.feed_partitions().await?);
        Ok(Self { kafka, topic, partitions, last: Mutex::default() })
    }

    /// Waits until a follower that was dropped has left its group: else the next one would find its partitions taken. Returns by which name
    /// the group is to know the next one: that of the former, whose place it takes where that one failed and could not leave.
    async fn after_the_last(&self, worker: &'static str) -> Result<Uuid, Error> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = last().get(worker).filter(|last| last.is_dropped()).cloned();
        let Some(Last { left, .. }) = dropped else { return Ok(Uuid::now_v7()) };
        self.kafka.until_left(left).await?;
        // Another one may have taken it meanwhile.
        let mut last = last();
        let former = if last.get(worker).is_some_and(Last::is_dropped) { last.remove(worker) } else { None };
        Ok(former.map_or_else(Uuid::now_v7, |former| former.name))
    }
}

#[async_trait]
impl Feed for KafkaFeed {
    async fn publish(&self, events: &[(ConversationId, Record)]) -> Result<(), Error> {
        let mut partitions: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (conversation, record) in events {
            let partition = bundles::shard(*conversation, self.partitions);
            partitions.entry(partition).or_default().push((*conversation, record));
        }
        let (mut sending, mut failure) = (Vec::with_capacity(partitions.len()), None);
        'all: for (partition, events) in partitions {
            for message in bundles::encode(events)? {
                match self.kafka.send(&self.topic, i32::try_from(partition).ok(), &[], &message) {
                    Ok(sent) => sending.push(sent.confirmed()),
                    // What follows would come before it.
                    Err(error) => {
                        failure = Some(error);
                        break 'all;
                    }
                }
            }
        }
        let confirmed = join_all(sending).await.into_iter().collect::<Result<Vec<_>, _>>();
        match failure.map_or(confirmed.map(drop), Err) {
            Err(error) if error.kind == ErrorKind::Full => Err(Error::unavailable(error)),
            done => done,
        }
    }

    async fn follow(&self, worker: &'static str) -> Result<Box<dyn Follower>, Error> {
        let name = self.after_the_last(worker).await?;
        let changed = Arc::new(Notify::new());
        let wake = {
            let changed = changed.clone();
            move |_| changed.notify_one()
        };
        let inboxes = Inboxes::new(AHEAD, wake);
        let member = Arc::new(Member::join(&self.kafka, &format!("worker.{worker}"), name, &self.topic, inboxes)?);
        let last = Last { name, member: Arc::downgrade(&member), left: member.left() };
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(worker, last);
        Ok(Box::new(KafkaFollower::new(member, changed, &self.kafka)))
    }

    async fn have_left(&self) {
        self.kafka.have_left().await;
    }
}
