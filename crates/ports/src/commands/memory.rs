//! [`Commands`] in memory. **Embedded**: what waits is lost with the process, so nobody is told that a command is safe before
//! it is in the log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{Notify, OwnedMutexGuard};

use super::{Commands, Consumer, DEAD_MAX, DEAD_SEEN_MAX, Dead, Delivery, PerPartition};
use crate::{Error, ErrorKind};

/// Bytes of unsettled commands in one partition, beyond which it is full.
pub const PARTITION_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The engine.
pub struct Memory {
    partitions: PerPartition<Partition>,
    commands_max: usize,
    dead: Arc<Mutex<Letters>>,
}

impl Memory {
    /// With this many partitions, each of which is full at `commands_max` unsettled commands.
    pub fn new(partitions: usize, commands_max: usize) -> Self {
        let partitions = PerPartition::new(partitions, |_| Partition::default());
        Self { partitions, commands_max, dead: Arc::default() }
    }
}

#[derive(Default)]
struct Partition {
    queue: Mutex<Queue>,
    /// There is something to deliver.
    changed: Notify,
    /// Who holds this is the consumer; the others wait in line.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Queue {
    unsettled: VecDeque<Bytes>,
    bytes: usize,
    /// How many were settled so far: the position of the last of them.
    settled: u64,
    /// How many of `unsettled` the present consumer has.
    delivered: usize,
}

#[derive(Default)]
struct Letters {
    there: VecDeque<Bytes>,
    /// How many were taken away so far: the position of the last of them.
    taken_away: u64,
}

#[async_trait]
impl Commands for Memory {
    fn partitions(&self) -> usize {
        self.partitions.count()
    }

    async fn grow(&self, partitions: usize) -> Result<(), Error> {
        // There is nobody else to make them.
        self.partitions.grow(partitions, |_| Partition::default());
        Ok(())
    }

    fn is_durable(&self) -> bool {
        false
    }

    async fn submit(&self, partition: usize, payload: Bytes) -> Result<(), Error> {
        let partition = self.partitions.get(partition)?;
        let mut queue = partition.queue.lock().expect(NO_PANIC);
        let bytes = queue.bytes + payload.len();
        if queue.unsettled.len() >= self.commands_max || (bytes > PARTITION_BYTES_MAX && queue.bytes > 0) {
            return Err(Error::new(ErrorKind::Full, "the partition's queue is full"));
        }
        queue.bytes = bytes;
        queue.unsettled.push_back(payload);
        drop(queue);
        partition.changed.notify_one();
        Ok(())
    }

    async fn consume(&self, partition: usize) -> Result<Box<dyn Consumer>, Error> {
        Ok(Box::new(Place { partition: self.partitions.get(partition)?, turn: None }))
    }

    async fn bury(&self, letters: Vec<Bytes>) -> Result<(), Error> {
        let mut dead = self.dead.lock().expect(NO_PANIC);
        if dead.there.len() + letters.len() > DEAD_MAX as usize {
            return Err(Error::new(ErrorKind::Full, "there is no room for another dead letter"));
        }
        dead.there.extend(letters);
        Ok(())
    }

    async fn dead(&self) -> Result<Box<dyn Dead>, Error> {
        let (taken_away, count) = {
            let dead = self.dead.lock().expect(NO_PANIC);
            (dead.taken_away, dead.there.len() as u64)
        };
        let letters = self.dead.clone();
        Ok(Box::new(Look { letters, count, told: taken_away, end: taken_away + count }))
    }
}

/// One who looks at dead letters.
struct Look {
    letters: Arc<Mutex<Letters>>,
    count: u64,
    /// The position of the last that was told.
    told: u64,
    /// The position of the last that there was.
    end: u64,
}

#[async_trait]
impl Dead for Look {
    fn count(&self) -> u64 {
        self.count
    }

    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let letters = self.letters.lock().expect(NO_PANIC);
        let last = self.end.min(letters.taken_away + DEAD_SEEN_MAX as u64);
        let known = letters.there.iter().zip(letters.taken_away + 1..);
        let told: Vec<_> = known
            .filter(|(_, position)| *position > self.told && *position <= last)
            .map(|(payload, position)| Delivery { position, payload: payload.clone() })
            .take(limit)
            .collect();
        self.told = told.last().map_or(self.told, |letter| letter.position);
        Ok(told)
    }

    async fn take_away(&mut self, position: u64) -> Result<(), Error> {
        let mut letters = self.letters.lock().expect(NO_PANIC);
        while letters.taken_away < position.min(self.told) && letters.there.pop_front().is_some() {
            letters.taken_away += 1;
        }
        Ok(())
    }
}

/// A consumer's place in a partition.
struct Place {
    partition: Arc<Partition>,
    turn: Option<OwnedMutexGuard<()>>,
}

#[async_trait]
impl Consumer for Place {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        if self.turn.is_none() {
            self.turn = Some(self.partition.turn.clone().lock_owned().await);
            self.partition.queue.lock().expect(NO_PANIC).delivered = 0;
        }
        loop {
            // Made before looking, so that it hears of whatever comes after.
            let changed = self.partition.changed.notified();
            {
                let mut queue = self.partition.queue.lock().expect(NO_PANIC);
                let first = queue.delivered;
                let last = queue.unsettled.len().min(first + limit.max(1));
                if first < last {
                    queue.delivered = last;
                    let positions = queue.settled + first as u64 + 1..;
                    let payloads = queue.unsettled.range(first..last).cloned();
                    return Ok(positions
                        .zip(payloads)
                        .map(|(position, payload)| Delivery { position, payload })
                        .collect());
                }
            }
            changed.await;
        }
    }

    async fn settle(&mut self, position: u64) -> Result<(), Error> {
        let mut queue = self.partition.queue.lock().expect(NO_PANIC);
        while queue.settled < position && queue.delivered > 0 {
            let payload = queue.unsettled.pop_front().expect("what was delivered is there until it is settled");
            queue.bytes -= payload.len();
            queue.delivered -= 1;
            queue.settled += 1;
        }
        Ok(())
    }
}

const NO_PANIC: &str = "nobody panics while holding this lock";

#[cfg(test)]
mod tests {
    use super::*;

    crate::commands_contract!(
        {
            let commands = Arc::new(Memory::new(2, 100));
            async move || commands.clone()
        },
        {
            let commands = Arc::new(Memory::new(1, 100));
            async move |_| commands.clone()
        }
    );

    #[tokio::test]
    async fn a_partition_is_full_by_number_or_by_bytes() {
        let commands = Memory::new(2, 3);
        for _ in 0..3 {
            commands.submit(0, Bytes::from_static(b"x")).await.unwrap();
        }
        assert_eq!(commands.submit(0, Bytes::new()).await.unwrap_err().kind, ErrorKind::Full);

        let large = Bytes::from(vec![0; PARTITION_BYTES_MAX / 2 + 1]);
        commands.submit(1, large.clone()).await.unwrap();
        assert_eq!(commands.submit(1, large.clone()).await.unwrap_err().kind, ErrorKind::Full);
        let mut consumer = commands.consume(1).await.unwrap();
        let position = consumer.next(1).await.unwrap()[0].position;
        let refused = commands.submit(1, large.clone()).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Full, "delivered is not settled");
        consumer.settle(position).await.unwrap();
        commands.submit(1, large).await.unwrap();
    }
}
