//! `Commands` on Kafka: a topic with a partition for each of ours, and one consumer group for all processors. **Distributed**: what was
//! taken is on all replicas in sync, and a partition whose process died goes to another one.
//!
//! A process takes part in the group as long as it has consumers, and one member of the group does for all of them. The group hands out
//! partitions whether somebody here waits for them or not: so a process consumes all partitions, or none. When another process
//! joins, some of them go there, and whoever had them gets `Conflict`. So it is with partitions that are new, too: one may be given to a
//! process that has not grown, and is consumed once that has.
//!
//! What was settled is committed a moment later, that of all partitions together: a process that dies leaves the last of it to be delivered
//! again.
//!
//! Dead letters have a topic of one partition.
//!
//! LIMIT: a consumer gets no more than [`UNSETTLED`] before it settles some.

mod backlog;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use klatch_ports::commands::{Commands, Consumer, DEAD_MAX, DEAD_SEEN_MAX, Dead, Delivery, PerPartition};
use klatch_ports::{Error, ErrorKind};
use tokio::sync::{Notify, OwnedMutexGuard};
use uuid::Uuid;

use crate::drivers::kafka::{Inboxes, Kafka, Look, Member, Message, Room, Settled};
use backlog::{Backlog, number};

/// The group of all processors.
const GROUP: &str = "processors";
/// The group that remembers which dead letters were taken away.
const OPERATORS: &str = "operators";
/// What a partition's consumer may have, or have before it, without settling it.
const UNSETTLED: Room = Room { messages_max: 4_096, bytes_max: 16 << 20 };
/// How long a process without consumers stays in the group: who begins again after a failure finds its partitions.
const STAY: Duration = Duration::from_secs(2);

/// The engine.
pub struct KafkaCommands {
    shared: Arc<Shared>,
}

/// What consumers share with the engine.
struct Shared {
    kafka: Arc<Kafka>,
    /// By which the group knows this process: the member that follows on one that failed takes its place.
    name: Uuid,
    topic: String,
    lines: Arc<PerPartition<Line>>,
    backlog: Arc<Backlog>,
    seat: Mutex<Seat>,
}

/// Where the consumers of a partition stand in this process.
#[derive(Default)]
struct Line {
    /// Who holds this is the first in line.
    first: Arc<tokio::sync::Mutex<()>>,
    /// There is something new for the first in line.
    changed: Notify,
}

/// This process's place in the group.
#[derive(Default)]
struct Seat {
    member: Option<Arc<Member>>,
    consumers: usize,
    /// How often there was none left.
    emptied: u64,
}

impl KafkaCommands {
    /// With this many partitions, of those that the topic has (see [`Kafka::expect`]).
    ///
    /// # Errors
    /// `Unavailable`: there is no client or no thread to be had. `Broken`: so many partitions cannot be.
    pub fn new(kafka: Arc<Kafka>, partitions: usize) -> Result<Self, Error> {
        let topic = kafka.commands_topic();
        let backlog = Backlog::watch(&kafka, GROUP, &topic, partitions)?;
        let lines = Arc::new(PerPartition::new(partitions, |_| Line::default()));
        Ok(Self {
            shared: Arc::new(Shared { kafka, name: Uuid::now_v7(), topic, lines, backlog, seat: Mutex::default() }),
        })
    }
}

#[async_trait]
impl Commands for KafkaCommands {
    fn partitions(&self) -> usize {
        self.shared.lines.count()
    }

    async fn grow(&self, partitions: usize) -> Result<(), Error> {
        let Shared { kafka, lines, backlog, .. } = &*self.shared;
        if partitions <= lines.count() {
            return Ok(());
        }
        kafka.until_known(partitions).await?;
        let member = self.shared.seat().member.clone().filter(|member| !*member.left().borrow());
        let hand_out = async {
            match member {
                Some(member) => member.grow(partitions).await,
                // Whoever joins now asks what there is.
                None => Ok(()),
            }
        };
        tokio::try_join!(backlog.grow(partitions, kafka.timeout()), hand_out)?;
        lines.grow(partitions, |_| Line::default());
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn submit(&self, partition: usize, payload: Bytes) -> Result<(), Error> {
        let Shared { kafka, topic, backlog, .. } = &*self.shared;
        let place = backlog.enter(partition, kafka.timeout()).await?;
        let offset = kafka.send(topic, Some(place.partition()), &[], &payload)?.confirmed().await?;
        place.taken(offset);
        Ok(())
    }

    async fn consume(&self, partition: usize) -> Result<Box<dyn Consumer>, Error> {
        let line = self.shared.lines.get(partition)?;
        self.shared.after_the_last().await?;
        let member = Shared::sit_down(&self.shared)?;
        let place = Place { shared: self.shared.clone(), member, partition, line, first: None, turn: None };
        Ok(Box::new(place))
    }

    async fn have_left(&self) {
        self.shared.kafka.have_left().await;
    }

    async fn bury(&self, letters: Vec<Bytes>) -> Result<(), Error> {
        if letters.is_empty() {
            return Ok(());
        }
        let there = self.shared.look().await?.count();
        if there + letters.len() as u64 > DEAD_MAX.into() {
            return Err(Error::new(ErrorKind::Full, "there is no room for another dead letter"));
        }
        let (kafka, topic) = (&self.shared.kafka, self.shared.kafka.dead_topic());
        let mut sending = Vec::with_capacity(letters.len());
        for letter in &letters {
            sending.push(kafka.send(&topic, Some(0), &[], letter)?.confirmed());
        }
        join_all(sending).await.into_iter().try_for_each(|sent| sent.map(drop))
    }

    async fn dead(&self) -> Result<Box<dyn Dead>, Error> {
        Ok(Box::new(Grave(self.shared.look().await?)))
    }
}

/// One who looks at the dead letters.
struct Grave(Look);

#[async_trait]
impl Dead for Grave {
    fn count(&self) -> u64 {
        self.0.count()
    }

    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let letters = self.0.next(limit).await?;
        Ok(letters.into_iter().map(delivery).collect())
    }

    async fn take_away(&mut self, position: u64) -> Result<(), Error> {
        self.0.take_away(i64::try_from(position).map_err(Error::corrupt)?).await
    }
}

fn delivery(message: Message) -> Delivery {
    // That which is committed once it is settled.
    Delivery { position: message.offset.unsigned_abs() + 1, payload: message.payload }
}

impl Shared {
    async fn look(&self) -> Result<Look, Error> {
        Look::at(&self.kafka, OPERATORS, self.kafka.dead_topic(), DEAD_SEEN_MAX as u16).await
    }

    /// Waits until a member that ended has left the group.
    async fn after_the_last(&self) -> Result<(), Error> {
        let member = self.seat().member.clone();
        match member.filter(|member| member.inboxes().places().is_err()) {
            Some(ended) => self.kafka.until_left(ended.left()).await,
            None => Ok(()),
        }
    }

    /// One consumer more, and the member of the group that it shares with the others.
    fn sit_down(shared: &Arc<Self>) -> Result<Arc<Member>, Error> {
        let mut seat = shared.seat();
        let member = match &seat.member {
            Some(member) if !*member.left().borrow() => member.clone(),
            _ => {
                let lines = shared.lines.clone();
                let wake = move |partition: Option<i32>| match partition {
                    None => lines.all().iter().for_each(|line| line.changed.notify_one()),
                    // Nobody waits at one that we have not heard of. Who will looks first.
                    Some(partition) => {
                        let line = usize::try_from(partition).ok().and_then(|partition| lines.get(partition).ok());
                        line.into_iter().for_each(|line| line.changed.notify_one());
                    }
                };
                let inboxes = Inboxes::new(UNSETTLED, wake);
                Arc::new(Member::join(&shared.kafka, GROUP, shared.name, &shared.topic, inboxes)?)
            }
        };
        seat.member = Some(member.clone());
        seat.consumers += 1;
        Ok(member)
    }

    /// One consumer less. After the last one the group is left, so that others get what nobody here asks for.
    fn stand_up(shared: &Arc<Self>) {
        let mut seat = shared.seat();
        seat.consumers -= 1;
        if seat.consumers > 0 {
            return;
        }
        seat.emptied += 1;
        let emptied = seat.emptied;
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            seat.member = None;
            return;
        };
        let shared = Arc::downgrade(shared);
        runtime.spawn(async move {
            tokio::time::sleep(STAY).await;
            let Some(shared) = shared.upgrade() else { return };
            let mut seat = shared.seat();
            if seat.consumers == 0 && seat.emptied == emptied {
                seat.member = None;
            }
        });
    }

    fn seat(&self) -> MutexGuard<'_, Seat> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A consumer's place in a partition's line.
struct Place {
    shared: Arc<Shared>,
    member: Arc<Member>,
    partition: usize,
    line: Arc<Line>,
    /// Held by the first in line of this process.
    first: Option<OwnedMutexGuard<()>>,
    /// Its turn, once the partition is this process's.
    turn: Option<u64>,
}

impl Place {
    /// What there is to hand out now, if it is our turn.
    fn look(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let (inboxes, number) = (self.member.inboxes(), number(self.partition));
        if self.turn.is_none() {
            self.turn = inboxes.begin(number)?;
        }
        let Some(turn) = self.turn else { return Ok(Vec::new()) };
        let messages = inboxes.hand_out(number, turn, limit)?;
        Ok(messages.into_iter().map(delivery).collect())
    }
}

#[async_trait]
impl Consumer for Place {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        if self.first.is_none() {
            self.first = Some(self.line.first.clone().lock_owned().await);
        }
        loop {
            let deliveries = self.look(limit)?;
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
            // What changed since we looked has left word.
            self.line.changed.notified().await;
        }
    }

    async fn settle(&mut self, position: u64) -> Result<(), Error> {
        let (partition, inboxes) = (number(self.partition), self.member.inboxes());
        let turn = self.turn.ok_or_else(|| Error::conflict("nothing was delivered here"))?;
        let offset = i64::try_from(position).map_err(Error::corrupt)?;
        let Some(offset) = inboxes.to_settle(partition, turn, offset)? else { return Ok(()) };
        self.member.settle(Settled { partition, turn, offset })?;
        inboxes.settled(partition, turn, offset);
        self.shared.backlog.settled(self.partition, offset);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        Shared::stand_up(&self.shared);
    }
}
