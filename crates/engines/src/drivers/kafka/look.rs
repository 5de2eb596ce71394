//! A look into a topic of one partition, whose messages lie there until somebody takes them away. How far that was done is the offset that
//! a group without members has committed; what lies before it is deleted as well. Kafka forgets the former when nothing was committed for
//! a week, and the latter when a broker is killed soon after: so it is both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use klatch_ports::{Error, ErrorKind};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::{Kafka, Message, Observer, committed, ends, error, off_the_runtime, starts};

/// How long one look for the next message lasts.
const POLL: Duration = Duration::from_millis(100);
/// The one partition.
const PARTITION: i32 = 0;

/// One who looks.
pub struct Look {
    kafka: Arc<Kafka>,
    topic: String,
    /// Taken when this ends.
    reader: Option<Arc<Observer>>,
    count: u64,
    seen_max: i64,
    /// The offsets of what is told next, after what was taken away, and after the last that there was.
    next: i64,
    taken_away: i64,
    end: i64,
}

impl Look {
    /// Looks at a topic as it is now, at no more than `seen_max` messages that are not taken away.
    ///
    /// # Errors
    /// `Unavailable`; `Broken`: there is no such topic.
    pub async fn at(kafka: &Arc<Kafka>, group: &str, topic: String, seen_max: u16) -> Result<Self, Error> {
        let (observer, name, timeout) = (Arc::new(kafka.observer(group)?), topic.clone(), kafka.timeout());
        let reader = observer.clone();
        let mut look = Self {
            kafka: kafka.clone(),
            topic,
            reader: Some(observer),
            count: 0,
            seen_max: seen_max.into(),
            next: 0,
            taken_away: 0,
            end: 0,
        };
        let asked = off_the_tasks(move || {
            let place = |offsets: super::Offsets| offsets.get(&PARTITION).copied();
            let one = || std::iter::once(PARTITION);
            let Some(start) = place(starts(&*reader, &name, one(), timeout)?) else { return Ok(None) };
            let done = place(committed(&*reader, &name, one(), timeout)?).unwrap_or(start);
            let Some(end) = place(ends(&*reader, &name, one(), timeout)?) else { return Ok(None) };
            let start = start.max(done).min(end);
            reader.assign(&one_at(&name, start)?)?;
            Ok(Some((start, end)))
        });
        let known = asked.await?.map_err(error)?;
        let missing =
            || Error::new(ErrorKind::Broken, format!("nothing is known of {}: run `klatch migrate`", look.topic));
        let (start, end) = known.ok_or_else(missing)?;
        (look.next, look.taken_away, look.end, look.count) = (start, start, end, start.abs_diff(end));
        Ok(look)
    }

    /// How many there were.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The next of them, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Message>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (from, last) =
            (self.next, self.end.min(self.taken_away + self.seen_max).min(self.next.saturating_add(limit)));
        if from >= last {
            return Ok(Vec::new());
        }
        let (reader, timeout) = (self.reader()?, self.kafka.timeout());
        let messages = off_the_tasks(move || read(&reader, last, Instant::now() + timeout)).await??;
        self.next = messages.last().map_or(last, |message: &Message| message.offset + 1).max(from);
        Ok(messages)
    }

    /// Takes away everything before this offset.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn take_away(&mut self, offset: i64) -> Result<(), Error> {
        let offset = offset.min(self.next);
        if offset <= self.taken_away {
            return Ok(());
        }
        let there = one_at(&self.topic, offset).map_err(error)?;
        let (reader, places) = (self.reader()?, there.clone());
        off_the_tasks(move || reader.commit(&places, CommitMode::Sync)).await?.map_err(error)?;
        self.taken_away = offset;
        if let Err(failure) = self.delete(&there).await {
            tracing::warn!(topic = self.topic, error = %failure, "what was taken away is not deleted yet");
        }
        Ok(())
    }

    async fn delete(&self, before: &TopicPartitionList) -> Result<(), KafkaError> {
        let admin: AdminClient<DefaultClientContext> = self.kafka.config.create()?;
        let timeout = Some(self.kafka.timeout());
        let options = AdminOptions::new().request_timeout(timeout).operation_timeout(timeout);
        let deleted = admin.delete_records(before, &options).await?;
        deleted.elements().iter().try_for_each(|element| element.error())
    }

    fn reader(&self) -> Result<Arc<Observer>, Error> {
        self.reader.clone().ok_or_else(|| Error::unavailable("the client ended"))
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            off_the_runtime("klatch-kafka-end", move || drop(reader));
        }
    }
}

/// Everything from where the reader stands, before this offset.
fn read(reader: &Observer, last: i64, deadline: Instant) -> Result<Vec<Message>, Error> {
    let mut messages = Vec::new();
    while messages.last().is_none_or(|message: &Message| message.offset + 1 < last) {
        match reader.poll(POLL) {
            Some(Ok(message)) if message.offset() < last => {
                let payload = message.payload().map(Bytes::copy_from_slice).unwrap_or_default();
                messages.push(Message { offset: message.offset(), key: Bytes::new(), payload });
            }
            // What came since. Between the last of ours and this one there was nothing.
            Some(Ok(_)) => break,
            Some(Err(failure @ KafkaError::MessageConsumptionFatal(_))) => return Err(error(failure)),
            // It goes on by itself.
            Some(Err(_)) | None if Instant::now() < deadline => {}
            Some(Err(failure)) => return Err(error(failure)),
            None => return Err(Error::unavailable("Kafka told nothing of what is there, in time")),
        }
    }
    Ok(messages)
}

/// Runs what blocks.
async fn off_the_tasks<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(job).await.map_err(Error::unavailable)
}

fn one_at(topic: &str, offset: i64) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, PARTITION, Offset::Offset(offset))?;
    Ok(list)
}
