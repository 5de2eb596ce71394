//! `Commands` on RabbitMQ: a quorum queue for each partition, and one for dead letters. **Distributed**: any number of processes submit
//! and consume. A majority of the brokers has on disk what was accepted.
//!
//! A turn is RabbitMQ's single active consumer: the next in line gets it, whatever process that is in, when the channel of the one
//! before ends. Processes share the partitions evenly (`drivers/rabbitmq/crew.rs`). RabbitMQ confirms no settling: what was settled just
//! before a broker or the way to it died may be delivered again.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use klatch_ports::commands::{Commands, Consumer, DEAD_MAX, DEAD_SEEN_MAX, Dead, Delivery, PerPartition};
use klatch_ports::{Error, ErrorKind};
use tokio::time::sleep;

use crate::drivers::rabbitmq::{BEAT, Broker, Crew, Inlet, Look, Outlet, Queue};

/// Commands that may wait in a partition, unless told otherwise, beside those that its consumer has not settled.
pub const WAITING_MAX: u32 = 100_000;
/// Partitions, at most.
pub const PARTITIONS_MAX: usize = 256;
/// LIMIT: messages that a consumer may have unsettled, each of which may hold 64 KiB of commands: after an outage a process has this much
/// of every partition in memory. It must never become less: see [`Inlet`].
pub const UNSETTLED_MAX: u16 = 256;

/// The engine.
pub struct RabbitMqCommands {
    broker: Broker,
    outlets: PerPartition<Outlet>,
    /// Commands that may wait in a partition.
    waiting_max: u32,
    /// To the dead letters.
    grave: Outlet,
    /// Joined by processes that consume.
    crew: OnceLock<Arc<Crew>>,
}

impl RabbitMqCommands {
    /// The queues of so many partitions, each of which is full when `waiting_max` commands wait, and that of dead letters.
    pub fn queues(broker: &Broker, partitions: usize, waiting_max: u32) -> Vec<Queue> {
        (0..partitions).map(|partition| queue(broker, partition, waiting_max)).chain([Self::grave(broker)]).collect()
    }

    /// Where dead letters lie.
    fn grave(broker: &Broker) -> Queue {
        Queue { name: broker.name("dead"), length_max: Some(DEAD_MAX), bound: None }
    }

    /// Makes what is not there of so many partitions, and returns the names of the queues it made. There are never less than before.
    /// A limit stays what it was when the queue was made.
    ///
    /// # Errors
    /// `Broken` (too many; no right to do so), `Unavailable`.
    pub async fn migrate(broker: &Broker, partitions: usize, waiting_max: u32) -> Result<Vec<String>, Error> {
        if partitions == 0 || partitions > PARTITIONS_MAX {
            let sentence = format!("there are 1 to {PARTITIONS_MAX} partitions, not {partitions}");
            return Err(Error::new(ErrorKind::Broken, sentence));
        }
        let queues = Self::queues(broker, partitions, waiting_max);
        broker.make(&[Crew::exchange(broker)], &queues).await
    }

    /// The queues as they are, with the limit that they were made with.
    ///
    /// # Errors
    /// `Broken`: they were not made. `Unavailable`.
    pub async fn open(broker: Broker, waiting_max: u32) -> Result<Self, Error> {
        let mut partitions = 0;
        while partitions < PARTITIONS_MAX && broker.has(&name(&broker, partitions)).await? {
            partitions += 1;
        }
        let grave = Self::grave(&broker);
        let wanted = if partitions == 0 { Self::queues(&broker, 1, waiting_max) } else { vec![grave.clone()] };
        broker.expect(&wanted).await?;
        let outlets = PerPartition::new(partitions, |partition| outlet(&broker, partition, waiting_max));
        let grave = Outlet::to_queue(broker.clone(), grave);
        Ok(Self { outlets, waiting_max, grave, broker, crew: OnceLock::new() })
    }
}

fn name(broker: &Broker, partition: usize) -> String {
    broker.name(&format!("commands.{partition}"))
}

fn queue(broker: &Broker, partition: usize, waiting_max: u32) -> Queue {
    Queue { name: name(broker, partition), length_max: Some(waiting_max), bound: None }
}

fn outlet(broker: &Broker, partition: usize, waiting_max: u32) -> Outlet {
    Outlet::to_queue(broker.clone(), queue(broker, partition, waiting_max))
}

#[async_trait]
impl Commands for RabbitMqCommands {
    fn partitions(&self) -> usize {
        self.outlets.count()
    }

    async fn grow(&self, partitions: usize) -> Result<(), Error> {
        for partition in self.partitions()..partitions {
            let name = name(&self.broker, partition);
            if partition >= PARTITIONS_MAX || !self.broker.has(&name).await? {
                let sentence = format!("RabbitMQ has no queue `{name}`: run `klatch partitions --set {partitions}`");
                return Err(Error::new(ErrorKind::Broken, sentence));
            }
        }
        self.outlets.grow(partitions, |partition| outlet(&self.broker, partition, self.waiting_max));
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn submit(&self, partition: usize, payload: Bytes) -> Result<(), Error> {
        self.outlets.get(partition)?.put(&[payload]).await
    }

    async fn consume(&self, partition: usize) -> Result<Box<dyn Consumer>, Error> {
        self.outlets.get(partition)?;
        let partitions = self.partitions();
        let join = || Crew::join(self.broker.clone(), "commands".to_owned(), partitions);
        let (broker, crew) = (self.broker.clone(), self.crew.get_or_init(join).clone());
        // Who grew consumes what is new: so the crew need not hear of it before.
        crew.grow(partitions);
        let inlet = Inlet::open(broker, name(&self.broker, partition), UNSETTLED_MAX, crew).await?;
        Ok(Box::new(Place(inlet)))
    }

    async fn bury(&self, letters: Vec<Bytes>) -> Result<(), Error> {
        self.grave.put(&letters).await
    }

    async fn dead(&self) -> Result<Box<dyn Dead>, Error> {
        let Queue { name, .. } = Self::grave(&self.broker);
        Ok(Box::new(Grave(Look::at(self.broker.clone(), &name, DEAD_SEEN_MAX as u16).await?)))
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
        Ok(letters.into_iter().map(|(position, payload)| Delivery { position, payload }).collect())
    }

    async fn take_away(&mut self, position: u64) -> Result<(), Error> {
        self.0.take_away(position).await
    }
}

/// A consumer's place in line.
struct Place(Inlet);

impl Place {
    fn poll(&mut self, context: &mut std::task::Context<'_>) -> Poll<Result<Delivery, Error>> {
        self.0.poll_next(context).map_ok(|(position, payload)| Delivery { position, payload })
    }
}

#[async_trait]
impl Consumer for Place {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let first = loop {
            self.0.share().await?;
            tokio::select! {
                first = poll_fn(|context| self.poll(context)) => break first?,
                // By then there may be others to share with.
                () = sleep(BEAT) => {}
            }
        };
        // From here on nothing waits, so that nothing is lost.
        let mut deliveries = vec![first];
        while deliveries.len() < limit {
            match poll_fn(|context| self.poll(context)).now_or_never() {
                Some(Ok(delivery)) => deliveries.push(delivery),
                // A failure comes again.
                Some(Err(_)) | None => break,
            }
        }
        Ok(deliveries)
    }

    async fn settle(&mut self, position: u64) -> Result<(), Error> {
        self.0.settle(position).await
    }
}

#[cfg(test)]
mod tests;
