//! Kafka: how its clients are set up, one producer for all engines of a process, topics, and memberships in consumer groups.
//!
//! Every time limit is set here and none is left to its default. A consumer that dies is replaced after its session
//! (`session_ms`); what a broker does not confirm within the call's timeout is given up, and what became of it is unknown.
//! The producer is idempotent and asks all replicas in sync (`acks=all`), with up to five requests on their way to a broker: so a
//! retry neither doubles nor reorders.
//!
//! Requests are counted as librdkafka sends them, not as engines ask for them: many commands share one.

#[cfg(test)]
pub(crate) mod bench;
mod client;
mod disks;
mod health;
mod inboxes;
mod look;
mod member;
mod producer;
mod settings;
#[cfg(test)]
mod tests;
mod topics;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use klatch_ports::{Error, ErrorKind};
use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::{oneshot, watch};

use super::place::Place;
use client::Client;
pub(crate) use inboxes::{Inboxes, Message, Places, Room};
pub(crate) use look::Look;
pub(crate) use member::{Member, Settled};
use producer::{Delivered, Producer};
use settings::{set, set_limits, set_reading, set_security};
pub(crate) use topics::{Offsets, committed, ends, starts};

const PORT: u16 = 9092;
/// Before the names of topics and groups, unless told otherwise.
const PREFIX: &str = "klatch";
/// Within which a call must be answered, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The shortest timeout that librdkafka takes beside a fetch that may wait for half a second.
const TIMEOUT_MIN: Duration = Duration::from_millis(1_500);
/// Commands that may wait in a partition, unless told otherwise.
const QUEUE_LIMIT: u32 = 100_000;
/// How long a member of a group may be silent before its partitions go to others, unless told otherwise: the shortest that brokers take
/// by default.
const SESSION: Duration = Duration::from_secs(6);
/// The longest that brokers take by default.
const SESSION_MAX: Duration = Duration::from_secs(30 * 60);

/// A Kafka cluster, and where in it Klatch has its topics.
pub struct Kafka {
    config: ClientConfig,
    prefix: String,
    /// Commands that may wait in a partition.
    queue_limit: u32,
    /// How many copies of each topic there shall be, where the operator says so.
    copies: Option<u32>,
    timeout: Duration,
    /// How long a member of a group may be silent.
    session: Duration,
    /// As errors call it.
    name: String,
    producer: Mutex<Option<Arc<Producer>>>,
    /// Of each member of a group whether it has left: true when it has.
    members: Mutex<Vec<watch::Receiver<bool>>>,
    /// Requests that all clients sent.
    requests: Arc<AtomicU64>,
}

impl Kafka {
    /// A cluster at `kafka://user:password@host,host/prefix`, where the prefix begins the names of topics and groups (default
    /// `klatch`). Options: `queue_limit` (commands per partition beyond which it is full), `copies` (of each topic, when it is made),
    /// `timeout_ms`, `session_ms` (how long a process may be silent before its partitions go to others: 6,000, or as much as the brokers
    /// take), `sasl` (`plain`, `scram-sha-256` or `scram-sha-512`, which is the default where there is a user). Nobody is connected to yet.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn at(mut place: Place) -> Result<Self, String> {
        let number = |option: Option<String>, name: &str| match option.map(|number| number.parse::<u32>()) {
            None => Ok(None),
            Some(Ok(number @ 1..)) => Ok(Some(number)),
            Some(_) => Err(format!("the option `{name}` is not a number above 0")),
        };
        let queue_limit = number(place.take("queue_limit"), "queue_limit")?.unwrap_or(QUEUE_LIMIT);
        let copies = number(place.take("copies"), "copies")?;
        let timeout = number(place.take("timeout_ms"), "timeout_ms")?;
        let timeout = timeout.map_or(TIMEOUT, |ms| Duration::from_millis(ms.into()));
        if timeout < TIMEOUT_MIN {
            return Err(format!("the option `timeout_ms` of `kafka://` is at least {}", TIMEOUT_MIN.as_millis()));
        }
        let session = number(place.take("session_ms"), "session_ms")?;
        let session = session.map_or(SESSION, |ms| Duration::from_millis(ms.into()));
        if !(SESSION..=SESSION_MAX).contains(&session) {
            let (min, max) = (SESSION.as_millis(), SESSION_MAX.as_millis());
            return Err(format!("the option `session_ms` of `kafka://` is at least {min} and at most {max}"));
        }
        let mechanism = place.take("sasl");
        place.done()?;
        let prefix = if place.path.is_empty() { PREFIX.to_owned() } else { place.path.clone() };
        // What Kafka allows, with room for what follows.
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if !prefix.chars().all(is_allowed) || prefix.len() > 200 {
            return Err(format!("`{prefix}` cannot begin a topic's name: use letters, digits, `.`, `_` and `-`"));
        }
        let hosts = place.hosts_or(PORT).join(",");
        let mut config = ClientConfig::new();
        set(&mut config, "bootstrap.servers", &hosts);
        set_security(&mut config, place.tls.as_ref(), place.user.as_deref(), place.password.as_ref(), mechanism)?;
        set_limits(&mut config, timeout);
        let name = format!("{hosts}/{prefix}");
        Ok(Self {
            config,
            prefix,
            queue_limit,
            copies,
            timeout,
            session,
            name,
            producer: Mutex::default(),
            members: Mutex::default(),
            requests: Arc::default(),
        })
    }

    /// Requests that this process sent to the cluster, as of a second ago.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The topic of commands.
    pub(crate) fn commands_topic(&self) -> String {
        format!("{}.commands", self.prefix)
    }

    /// The topic of the feed.
    pub(crate) fn feed_topic(&self) -> String {
        format!("{}.feed", self.prefix)
    }

    /// The topic of dead letters.
    pub(crate) fn dead_topic(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// A consumer group's name.
    pub(crate) fn group(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    /// Commands that may wait in a partition.
    pub(crate) fn queue_limit(&self) -> u32 {
        self.queue_limit
    }

    /// Within which a call must be answered.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long a member of a group may be silent.
    pub(crate) fn session(&self) -> Duration {
        self.session
    }

    /// Waits until a member that ended has left its group: who has its name next would be taken for it.
    ///
    /// # Errors
    /// `Unavailable`: it has not yet.
    pub(crate) async fn until_left(&self, mut left: watch::Receiver<bool>) -> Result<(), Error> {
        let left = tokio::time::timeout(2 * self.timeout, left.wait_for(|left| *left)).await;
        left.map_err(|_| Error::unavailable("a former member has not left its group yet"))?
            .map_err(Error::unavailable)?;
        Ok(())
    }

    /// Returns when every member has left its group. They must be on their way.
    pub(crate) async fn have_left(&self) {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for mut left in members {
            // One whose thread is gone has left as well.
            let _ = left.wait_for(|left| *left).await;
        }
    }

    fn joined(&self, left: watch::Receiver<bool>) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.retain(|left| !*left.borrow());
        members.push(left);
    }

    /// Gives a message to the producer, which keeps the order of those for one partition. Which partition, if it is not said, follows
    /// from the key, by the hash that Java's clients use.
    ///
    /// # Errors
    /// `Full`: too much waits in the producer, and this was not taken. Otherwise as [`error`] says.
    pub(crate) fn send(
        &self,
        topic: &str,
        partition: Option<i32>,
        key: &[u8],
        payload: &[u8],
    ) -> Result<Sending, Error> {
        let key = (!key.is_empty()).then_some(key);
        let delivered = self.producer()?.send(topic, partition, key, payload)?;
        Ok(Sending { delivered, timeout: self.timeout })
    }

    /// The producer; another one, where it met an error that it cannot go on from.
    fn producer(&self) -> Result<Arc<Producer>, Error> {
        let mut place = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(producer) = &*place {
            match producer.client().fatal_error() {
                None => return Ok(producer.clone()),
                Some((_, reason)) => tracing::error!(reason, "a producer of Kafka ended; there is another one"),
            }
        }
        let made = Producer::start(&self.config, Client::new(&self.requests))?;
        Ok(place.insert(Arc::new(made)).clone())
    }
}

/// A client that asks about a group and its topic, and is no member of it. It blocks.
pub(crate) type Observer = BaseConsumer<Client>;

impl Kafka {
    /// A client that asks about a group.
    ///
    /// # Errors
    /// `Unavailable`: there is none to be had.
    pub(crate) fn observer(&self, group: &str) -> Result<Observer, Error> {
        let mut config = self.config.clone();
        set_reading(&mut config, &self.group(group), self.session);
        // It settles nothing, and would wake at each commit to see that.
        set(&mut config, "enable.auto.commit", false);
        config.create_with_context(Client::new(&self.requests)).map_err(error)
    }
}

/// A message on its way to a broker.
pub(crate) struct Sending {
    delivered: oneshot::Receiver<Delivered>,
    timeout: Duration,
}

impl Sending {
    /// Waits until all replicas in sync have it, and returns its offset.
    ///
    /// # Errors
    /// As [`error`] says. What became of it is unknown where the kind is `Unavailable`.
    pub async fn confirmed(self) -> Result<i64, Error> {
        // The producer gives up by itself at that time; this is for one that hangs.
        let patience = self.timeout + Duration::from_secs(1);
        match tokio::time::timeout(patience, self.delivered).await {
            Ok(Ok(Ok(offset))) => Ok(offset),
            Ok(Ok(Err(failure))) => Err(error(failure)),
            Ok(Err(_)) => Err(Error::unavailable("the producer ended")),
            Err(_) => Err(Error::unavailable(format!("Kafka confirmed nothing within {patience:?}"))),
        }
    }
}

/// What a caller can do about a failure: `Full` where the producer is, and nothing was sent; `Conflict` where this member's part of
/// the work was given to others; `Broken` where the brokers refuse for good; otherwise `Unavailable`.
pub(crate) fn error(error: KafkaError) -> Error {
    use RDKafkaErrorCode as Code;
    let kind = match error.rdkafka_error_code() {
        Some(Code::QueueFull) => ErrorKind::Full,
        Some(Code::IllegalGeneration | Code::UnknownMemberId | Code::FencedInstanceId) => ErrorKind::Conflict,
        Some(
            Code::MessageSizeTooLarge
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::InvalidTopic
            | Code::PolicyViolation,
        ) => ErrorKind::Broken,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, error)
}

/// Runs what blocks on a thread of its own, where nobody waits for it.
fn off_the_runtime(name: &str, job: impl FnOnce() + Send + 'static) {
    if let Err(error) = std::thread::Builder::new().name(name.to_owned()).spawn(job) {
        tracing::error!(%error, "there is no thread to end a client of Kafka on");
    }
}
