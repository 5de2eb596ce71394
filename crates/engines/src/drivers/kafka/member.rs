//! A member of a consumer group: a client with a thread that takes part in the group and fills the [`Inboxes`]. The thread never waits
//! for those who work, so that partitions move however slow they are: a partition whose inbox is full is paused.
//!
//! A member whose partitions are lost ends, as after a session in which no coordinator answered. librdkafka would go on, under another id;
//! but commits that it could not send wait in it, and once there is a coordinator again each of them is one of somebody else with this
//! member's name, which ends the client for good (`FENCED_INSTANCE_ID`), seconds after everybody had their partitions again. What joins
//! instead has no past.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use klatch_ports::Error;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::client::{Client, Statistics};
use super::inboxes::{Inboxes, Message};
use super::{Kafka, error, set, set_reading};

/// How long the thread waits for something to come before it looks whether it shall end.
const POLL: Duration = Duration::from_millis(250);
/// The same, while an inbox that was full may have room again.
const POLL_PAUSED: Duration = Duration::from_millis(5);
/// How long the thread rests after it has handed on everything that came: what comes meanwhile comes with one request.
const REST: Duration = Duration::from_millis(5);
/// Between two tries to commit while partitions are being handed out anew.
const COMMIT_AGAIN: Duration = Duration::from_millis(20);
/// Between two questions how many partitions there are.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Calls of one member that may block at the same time: each has a thread.
const CALLS_MAX: usize = 16;

/// A member of a consumer group. Dropping it leaves the group, without waiting for that ([`Kafka::have_left`] does).
pub struct Member {
    inboxes: Arc<Inboxes>,
    topic: String,
    timeout: Duration,
    stop: Arc<AtomicBool>,
    reader: Arc<Reader>,
    /// One for each call that may block at the same time.
    calls: Arc<Semaphore>,
    /// True when the group was left.
    left: watch::Receiver<bool>,
}

/// The client, until the thread takes it away: its end blocks, so it must not be an async task that drops it.
type Reader = Mutex<Option<Arc<BaseConsumer<Group>>>>;

/// How far the work at a partition is, to be committed.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    /// The partition.
    pub partition: i32,
    /// In whose turn it was done; if that is over, nothing is committed.
    pub turn: u64,
    /// The offset to go on from.
    pub offset: i64,
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {}, offset {}", self.partition, self.offset - 1)
    }
}

impl Member {
    /// Joins a group, which takes a while, and goes on by itself. The group knows it by this name (`group.instance.id`, KIP-345): who lost
    /// its session because the coordinator was away for as long is followed by a member with the same name, which so does not wait for the
    /// session of the one that it was. Of two with the same name the first one ends. It leaves at its end, like one without a name.
    ///
    /// # Errors
    /// `Unavailable`: there is no client or no thread to be had.
    pub fn join(kafka: &Kafka, group: &str, name: Uuid, topic: &str, inboxes: Inboxes) -> Result<Self, Error> {
        let inboxes = Arc::new(inboxes);
        let mut config = kafka.config.clone();
        set_reading(&mut config, &kafka.group(group), kafka.session);
        set(&mut config, "group.instance.id", name);
        let (has_lost, idle_at) = (AtomicBool::new(false), AtomicI64::new(i64::MIN));
        let context = Group { client: Client::new(&kafka.requests), inboxes: inboxes.clone(), has_lost, idle_at };
        let consumer: BaseConsumer<Group> = config.create_with_context(context).map_err(error)?;
        let consumer = Arc::new(consumer);
        let (stop, (tell, left)) = (Arc::new(AtomicBool::new(false)), watch::channel(false));
        let reader = Arc::new(Mutex::new(Some(consumer.clone())));
        let work = {
            let (inboxes, topic, stop, reader) = (inboxes.clone(), topic.to_owned(), stop.clone(), reader.clone());
            move || {
                let reason = read(&consumer, &topic, &inboxes, &stop);
                inboxes.end(&reason);
                leave(&consumer);
                drop(reader.lock().unwrap_or_else(PoisonError::into_inner).take());
                drop(consumer);
                tell.send_replace(true);
            }
        };
        // If that fails, the client goes with the closure, which is a rare wait.
        std::thread::Builder::new().name("klatch-kafka".to_owned()).spawn(work).map_err(Error::unavailable)?;
        kafka.joined(left.clone());
        let (topic, calls) = (topic.to_owned(), Arc::new(Semaphore::new(CALLS_MAX)));
        Ok(Self { inboxes, topic, timeout: kafka.timeout, stop, reader, calls, left })
    }

    /// What it was given.
    pub fn inboxes(&self) -> &Inboxes {
        &self.inboxes
    }

    /// Becomes true when it has left the group.
    pub fn left(&self) -> watch::Receiver<bool> {
        self.left.clone()
    }

    /// Says how far the work is. The client commits it soon, together with what else was settled, and before it gives up the partition; what
    /// was settled just before a process or the way to Kafka died may be delivered again.
    ///
    /// # Errors
    /// `Conflict`: the turn is over. `Unavailable`: the member ended.
    pub fn settle(&self, Settled { partition, turn, offset }: Settled) -> Result<(), Error> {
        // Held meanwhile, so that it is not this task that ends the client.
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let consumer = reader.as_ref().ok_or_else(ended)?;
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(&self.topic, partition, Offset::Offset(offset)).map_err(error)?;
        let _turns_last = self.inboxes.commits();
        if !self.inboxes.holds(partition, turn) {
            return Err(Inboxes::turn_is_over());
        }
        consumer.store_offsets(&offsets).map_err(error)
    }

    /// Commits how far the work is, but for turns that are over, and returns how many were not.
    ///
    /// # Errors
    /// As [`error`](super::error) says. Whether it is committed is unknown where the kind is `Unavailable`.
    pub async fn commit(&self, settled: Vec<Settled>) -> Result<usize, Error> {
        let deadline = Instant::now() + self.timeout;
        let settled = Arc::new(settled);
        loop {
            let (inboxes, topic, settled) = (self.inboxes.clone(), self.topic.clone(), settled.clone());
            let commit = self.with_client(deadline, move |consumer| {
                let _turns_last = inboxes.commits();
                let mut offsets = TopicPartitionList::new();
                for it in settled.iter().filter(|it| inboxes.holds(it.partition, it.turn)) {
                    offsets.add_partition_offset(&topic, it.partition, Offset::Offset(it.offset))?;
                }
                if offsets.count() > 0 {
                    consumer.commit(&offsets, CommitMode::Sync)?;
                }
                Ok(offsets.count())
            });
            match commit.await? {
                // The group is being put together anew. Between two tries partitions may be given up, and then they are not committed.
                Err(KafkaError::ConsumerCommit(
                    RDKafkaErrorCode::RebalanceInProgress | RDKafkaErrorCode::IllegalGeneration,
                )) if Instant::now() < deadline => tokio::time::sleep(COMMIT_AGAIN).await,
                committed => return committed.map_err(error),
            }
        }
    }

    /// Has the group hand out its topic's partitions, which are at least so many by now.
    ///
    /// # Errors
    /// As [`error`](super::error) says.
    pub async fn grow(&self, partitions: usize) -> Result<(), Error> {
        let deadline = Instant::now() + self.timeout;
        let known = || async {
            let (topic, timeout) = (self.topic.clone(), self.timeout);
            let ask = self.with_client(deadline, move |consumer| {
                // Of an answer about a single topic librdkafka makes nothing for the group.
                let metadata = consumer.fetch_metadata(None, timeout)?;
                let found = metadata.topics().iter().find(|found| found.name() == topic);
                Ok(found.map_or(0, |found| found.partitions().len()))
            });
            ask.await?.map_err(error)
        };
        // Not every broker hears of them at once.
        while known().await? < partitions {
            tokio::time::sleep(ASK_AGAIN).await;
        }
        Ok(())
    }

    /// Does what blocks with the client, on a thread of its own: a commit may wait for as long as the group's coordinator is out of
    /// reach, and the end of a runtime would wait for it, too.
    ///
    /// # Errors
    /// `Unavailable`: not by then, or the member ended.
    pub async fn with_client<T: Send + 'static>(
        &self,
        deadline: Instant,
        job: impl FnOnce(&BaseConsumer<Group>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let late = |_| Error::unavailable(format!("Kafka gave no answer within {:?}", self.timeout));
        // Given back when the job is over, not when its caller gave up.
        let turn = tokio::time::timeout_at(deadline, self.calls.clone().acquire_owned()).await;
        let turn = turn.map_err(late)?.map_err(Error::unavailable)?;
        let (tell, told) = oneshot::channel();
        let reader = self.reader.clone();
        let work = move || {
            let _turn = turn;
            // Cloned, and the lock given back: the last one to have it ends it, which is the member's thread or this one.
            let consumer = reader.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // Nobody hears it where the caller gave up.
            let _ = tell.send(consumer.map(|consumer| job(&consumer)));
        };
        std::thread::Builder::new().name("klatch-kafka-call".to_owned()).spawn(work).map_err(Error::unavailable)?;
        match tokio::time::timeout_at(deadline, told).await.map_err(late)? {
            Ok(Some(done)) => Ok(done),
            Ok(None) => Err(ended()),
            Err(error) => Err(Error::unavailable(error)),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The thread: until it is stopped, or the client cannot go on. Returns why it ends.
fn read(consumer: &BaseConsumer<Group>, topic: &str, inboxes: &Inboxes, stop: &AtomicBool) -> String {
    if let Err(error) = consumer.subscribe(&[topic]) {
        return error.to_string();
    }
    let (mut paused, mut is_busy) = (BTreeSet::new(), false);
    while !stop.load(Ordering::Relaxed) {
        let patience = match is_busy {
            true => Duration::ZERO,
            false if paused.is_empty() => POLL,
            false => POLL_PAUSED,
        };
        match consumer.poll(patience) {
            Some(Ok(message)) => {
                is_busy = true;
                let partition = message.partition();
                let copy = |bytes: Option<&[u8]>| bytes.map(Bytes::copy_from_slice).unwrap_or_default();
                let (key, payload) = (copy(message.key()), copy(message.payload()));
                if !inboxes.put(partition, Message { offset: message.offset(), key, payload }) {
                    // Whatever was fetched ahead is dropped by that, and fetched again.
                    flow(consumer.pause(&one(topic, partition)));
                    paused.insert(partition);
                }
            }
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return error.to_string(),
            // It goes on by itself.
            Some(Err(error)) => tracing::debug!(topic, %error, "nothing to read for now"),
            None if is_busy => {
                is_busy = false;
                std::thread::sleep(REST);
            }
            None => {}
        }
        if consumer.context().has_lost.load(Ordering::Relaxed) {
            return "it lost its partitions".to_owned();
        }
        paused.retain(|partition| {
            let is_over = inboxes.has_room(*partition);
            if is_over {
                flow(consumer.resume(&one(topic, *partition)));
            }
            !is_over
        });
    }
    "the group was left".to_owned()
}

/// Leaves the group, and returns when no answer of it is on its way any more: librdkafka 2.12 reads at no address if one to its joining
/// comes after its end (confluentinc/librdkafka#5347). It goes on by itself where nobody answers, as its requests end.
fn leave(consumer: &BaseConsumer<Group>) {
    consumer.unsubscribe();
    let now = clock_gettime(ClockId::Monotonic);
    let left = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
    while consumer.context().idle_at.load(Ordering::Relaxed) <= left {
        // What it returns is of a turn that is over.
        drop(consumer.poll(POLL));
    }
}

fn ended() -> Error {
    Error::unavailable("the member of the group ended")
}

fn one(topic: &str, partition: i32) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    list
}

fn flow(done: Result<(), KafkaError>) {
    if let Err(error) = done {
        // That of a partition that is not ours any more; one that comes again is not paused.
        tracing::debug!(%error, "a partition was not paused or resumed");
    }
}

/// The context of a member's client.
pub struct Group {
    client: Client,
    inboxes: Arc<Inboxes>,
    /// Others may have its partitions, and nobody asked for them.
    has_lost: AtomicBool,
    /// When it last said that it is in no group and about to join none: microseconds of the monotonic clock.
    idle_at: AtomicI64,
}

impl ClientContext for Group {
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
        self.client.log(level, facility, message);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        let Some(statistics) = Statistics::read(statistics) else { return };
        if statistics.cgrp.as_ref().is_some_and(|group| group.join_state == "init") {
            self.idle_at.store(statistics.ts, Ordering::Relaxed);
        }
        self.client.count(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.client.error(error, reason);
    }
}

impl ConsumerContext for Group {
    /// Called on the member's thread, before it is so.
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let partitions = |list: &TopicPartitionList| -> Vec<i32> {
            list.elements().iter().map(|element| element.partition()).collect()
        };
        match rebalance {
            Rebalance::Assign(list) => self.inboxes.assign(partitions(list).into_iter()),
            Rebalance::Revoke(list) => {
                let are_lost = consumer.assignment_lost();
                self.inboxes.revoke(partitions(list).into_iter(), are_lost);
                self.has_lost.fetch_or(are_lost, Ordering::Relaxed);
            }
            Rebalance::Error(error) => tracing::warn!(%error, "partitions were not handed out"),
        }
    }
}
