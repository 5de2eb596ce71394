//! The topics: making them, looking whether they are there, and where they end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use klatch_ports::{Error, ErrorKind};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::metadata::MetadataBroker;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::{Kafka, error};

/// Copies of each topic, where there are as many brokers.
pub(super) const COPIES: usize = 3;
/// How long messages are kept: seven days. The log has every event for good; a command waits no longer than an outage.
const RETENTION_MS: &str = "604800000";
/// How long dead letters are kept: until somebody takes them away.
const FOR_EVER: &str = "-1";
/// A message with all that is around it: bytes. Commands have up to 64 KiB.
const MESSAGE_BYTES_MAX: &str = "1048588";

/// Between two questions while it is not settled who leads.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A topic as it is.
pub(super) struct Topic {
    pub name: String,
    pub partitions: usize,
    /// Copies of the partition that has fewest.
    pub copies: usize,
    /// Copies in sync of the partition that has fewest.
    pub in_sync: usize,
    /// Partitions that nobody leads.
    pub leaderless: usize,
}

/// A topic as it shall be.
pub(super) struct Wanted {
    pub name: String,
    partitions: usize,
    retention_ms: &'static str,
}

impl Kafka {
    /// The topics that there shall be, where commands have so many partitions.
    pub(super) fn wanted(&self, partitions: usize) -> [Wanted; 3] {
        let topic = |name, partitions, retention_ms| Wanted { name, partitions, retention_ms };
        [
            topic(self.commands_topic(), partitions, RETENTION_MS),
            topic(self.feed_topic(), partitions, RETENTION_MS),
            topic(self.dead_topic(), 1, FOR_EVER),
        ]
    }

    /// Makes the topics, or adds the partitions that the one of commands lacks, and says what it did, or with `is_dry` would do. May be
    /// repeated. The feed keeps the number of partitions that it was made with: with another one, a conversation would change its
    /// partition, and events their order.
    ///
    /// # Errors
    /// `Broken`: the brokers refuse it, with their reason. `Unavailable`.
    pub async fn migrate(self: &Arc<Self>, partitions: usize, is_dry: bool) -> Result<Vec<String>, Error> {
        let (there, brokers) = self.topics().await?;
        let copies = self.copies.map_or(COPIES.min(brokers.len().max(1)), |copies| copies as usize);
        let admin: AdminClient<DefaultClientContext> = self.config.create().map_err(error)?;
        let options = AdminOptions::new()
            .request_timeout(Some(self.timeout))
            .operation_timeout(Some(self.timeout))
            .validate_only(is_dry);
        let copies_count = small(copies)?;
        let minimum = (copies / 2 + 1).to_string();
        let mut did = Vec::new();
        for Wanted { name, partitions, retention_ms } in self.wanted(partitions) {
            let answers = match there.iter().find(|topic| topic.name == name) {
                None => {
                    let topic = NewTopic::new(&name, small(partitions)?, TopicReplication::Fixed(copies_count))
                        .set("min.insync.replicas", &minimum)
                        .set("retention.ms", retention_ms)
                        .set("max.message.bytes", MESSAGE_BYTES_MAX)
                        .set("unclean.leader.election.enable", "false");
                    did.push(format!("made the topic {name}: {partitions} partitions, {copies} copies"));
                    admin.create_topics([&topic], &options).await
                }
                Some(topic) if topic.partitions < partitions && name == self.commands_topic() => {
                    did.push(format!("the topic {name} has {partitions} partitions now, {} before", topic.partitions));
                    admin.create_partitions([&NewPartitions::new(&name, partitions)], &options).await
                }
                Some(_) => continue,
            };
            for answer in answers.map_err(error)? {
                match answer {
                    // By another one who does the same.
                    Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                    Err((name, code)) => {
                        let kind = if is_passing(code) { ErrorKind::Unavailable } else { ErrorKind::Broken };
                        return Err(Error::new(kind, format!("the topic {name}: {code}")));
                    }
                }
            }
        }
        if !is_dry && !did.is_empty() {
            self.until_known(partitions).await?;
        }
        Ok(did)
    }

    /// Waits until the brokers name the topics and partitions that they just made: whoever starts right after that must find them. Then
    /// the producer knows of them as well.
    ///
    /// # Errors
    /// As for [`Kafka::expect`].
    pub(crate) async fn until_known(self: &Arc<Self>, partitions: usize) -> Result<(), Error> {
        let deadline = tokio::time::Instant::now() + self.timeout;
        loop {
            match self.expect_at_least(partitions).await {
                Err(error) if error.kind == ErrorKind::Broken && tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                known => return known.map(drop),
            }
        }
    }

    /// Makes sure that the topics are there, that of commands with so many partitions at least.
    ///
    /// # Errors
    /// `Broken` with a sentence, where they are not. `Unavailable`.
    pub async fn expect(self: &Arc<Self>, partitions: usize) -> Result<(), Error> {
        self.expect_at_least(partitions).await.map(drop)
    }

    async fn expect_at_least(self: &Arc<Self>, partitions: usize) -> Result<Vec<Topic>, Error> {
        let (there, _) = self.topics().await?;
        for Wanted { name, partitions, .. } in self.wanted(partitions) {
            // The feed keeps what it was made with.
            let wanted = if name == self.feed_topic() { 1 } else { partitions };
            let found = there.iter().find(|topic| topic.name == name).map_or(0, |topic| topic.partitions);
            if found < wanted {
                let name = format!("the topic {name} at {}", self.name);
                let run = match found {
                    0 => "`klatch migrate`".to_owned(),
                    _ => format!("`klatch migrate` or `klatch partitions --set {wanted}`"),
                };
                let sentence = format!("{name} has {found} partitions and needs {wanted}: run {run}");
                return Err(Error::new(ErrorKind::Broken, sentence));
            }
        }
        Ok(there)
    }

    /// How many partitions the topic of the feed has.
    ///
    /// # Errors
    /// `Broken`: there is no such topic. `Unavailable`.
    pub(crate) async fn feed_partitions(self: &Arc<Self>) -> Result<usize, Error> {
        let there = self.expect_at_least(1).await?;
        let feed = there.iter().find(|topic| topic.name == self.feed_topic());
        feed.map(|topic| topic.partitions).ok_or_else(|| Error::unavailable("Kafka did not name the topic of the feed"))
    }

    /// Our topics, as far as they are there, and the brokers.
    pub(super) async fn topics(self: &Arc<Self>) -> Result<(Vec<Topic>, Vec<i32>), Error> {
        let kafka = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let producer = kafka.producer()?;
            let (client, mut there, mut brokers) = (producer.client(), Vec::new(), Vec::new());
            for Wanted { name, .. } in kafka.wanted(1) {
                let metadata = client.context().explain(client.fetch_metadata(Some(&name), kafka.timeout))?;
                brokers = metadata.brokers().iter().map(MetadataBroker::id).collect();
                let found = metadata.topics().iter().find(|topic| topic.name() == name && topic.error().is_none());
                there.extend(found.map(Topic::of));
            }
            Ok((there, brokers))
        });
        asked.await.map_err(Error::unavailable)?
    }
}

impl Topic {
    fn of(topic: &rdkafka::metadata::MetadataTopic) -> Self {
        let least = |count: fn(&rdkafka::metadata::MetadataPartition) -> usize| {
            topic.partitions().iter().map(count).min().unwrap_or(0)
        };
        Self {
            name: topic.name().to_owned(),
            partitions: topic.partitions().len(),
            copies: least(|partition| partition.replicas().len()),
            in_sync: least(|partition| partition.isr().len()),
            leaderless: topic.partitions().iter().filter(|partition| partition.leader() < 0).count(),
        }
    }
}

/// An offset of each partition. One of which nothing was learned is left out.
pub type Offsets = BTreeMap<i32, i64>;

/// The offset after the last message of each of these partitions, by one request to each broker that leads some.
///
/// # Errors
/// That of the request.
pub fn ends<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partitions: impl Iterator<Item = i32>,
    timeout: Duration,
) -> KafkaResult<Offsets> {
    // To Kafka, the end and the beginning are times like others.
    ask(list(topic, partitions, Offset::End)?, timeout, |times| consumer.offsets_for_times(times, timeout))
}

/// The offset of the first message of each of these partitions, as for [`ends`].
///
/// # Errors
/// That of the request.
pub fn starts<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partitions: impl Iterator<Item = i32>,
    timeout: Duration,
) -> KafkaResult<Offsets> {
    ask(list(topic, partitions, Offset::Beginning)?, timeout, |times| consumer.offsets_for_times(times, timeout))
}

/// The offset that the consumer's group committed for each of these partitions, as far as it did, by one request.
///
/// # Errors
/// That of the request.
pub fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partitions: impl Iterator<Item = i32>,
    timeout: Duration,
) -> KafkaResult<Offsets> {
    ask(list(topic, partitions, Offset::Invalid)?, timeout, |partitions| {
        consumer.committed_offsets(partitions, timeout)
    })
}

fn list(topic: &str, partitions: impl Iterator<Item = i32>, at: Offset) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition_offset(topic, partition, at)?;
    }
    Ok(list)
}

/// What is answered, and asked again until `timeout` while it is not settled who leads, or who keeps what groups committed: right after a
/// topic was made, or the first group, or when a broker died.
fn ask(
    list: TopicPartitionList,
    timeout: Duration,
    question: impl Fn(TopicPartitionList) -> KafkaResult<TopicPartitionList>,
) -> KafkaResult<Offsets> {
    if list.count() == 0 {
        return Ok(Offsets::new());
    }
    let deadline = Instant::now() + timeout;
    let answer = loop {
        let answer = question(list.clone());
        let is_settled = match &answer {
            Err(error) => !error.rdkafka_error_code().is_some_and(is_unsettled),
            Ok(answer) => !answer.elements().iter().any(|element| {
                element.error().is_err_and(|error| error.rdkafka_error_code().is_some_and(is_unsettled))
            }),
        };
        if is_settled || Instant::now() >= deadline {
            break answer?;
        }
        std::thread::sleep(ASK_AGAIN);
    };
    let known = answer.elements().into_iter().filter(|element| element.error().is_ok());
    // What is below 0 is no place, but says that there is none.
    let place = |offset: Offset| offset.to_raw().filter(|raw| *raw >= 0);
    Ok(known.filter_map(|element| Some((element.partition(), place(element.offset())?))).collect())
}

fn is_unsettled(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::NotLeaderForPartition
            | Code::LeaderNotAvailable
            | Code::UnknownTopicOrPartition
            | Code::NotCoordinator
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
    )
}

/// Whether what was asked of the controller may be asked again as it is.
fn is_passing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::NotController
            | Code::BrokerNotAvailable
            | Code::NetworkException
            | Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::ThrottlingQuotaExceeded
            | Code::ReassignmentInProgress
    )
}

/// A number for the protocol.
fn small(number: usize) -> Result<i32, Error> {
    i32::try_from(number).map_err(|_| Error::new(ErrorKind::Broken, format!("{number} is too many for Kafka")))
}
