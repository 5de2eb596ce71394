//! [`Commands`] in memory. **Embedded**: what waits is lost with the process, so nobody is told that a command is safe before
//! it is in the log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;

use super::{Commands, Consumer, Delivery};
use crate::{Error, ErrorKind};

/// Bytes of unsettled commands in one partition, beyond which it is full.
pub const PARTITION_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The engine.
pub struct Memory {
    partitions: Vec<Arc<Partition>>,
    commands_max: usize,
}

impl Memory {
    /// With this many partitions, each of which is full at `commands_max` unsettled commands.
    pub fn new(partitions: usize, commands_max: usize) -> Self {
        Self { partitions: (0..partitions).map(|_| Arc::default()).collect(), commands_max }
    }
}

#[derive(Default)]
struct Partition {
    queue: Mutex<Queue>,
    /// There is something to deliver, or another consumer.
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    unsettled: VecDeque<Bytes>,
    bytes: usize,
    /// How many were settled so far: the position of the last of them.
    settled: u64,
    /// How many of `unsettled` the present consumer has.
    delivered: usize,
    /// Which consumer is the present one.
    consumer: u64,
}

impl Queue {
    fn of(&self, consumer: u64) -> Result<(), Error> {
        if self.consumer == consumer {
            Ok(())
        } else {
            Err(Error::conflict("another consumer took the partition over"))
        }
    }
}

#[async_trait]
impl Commands for Memory {
    fn partitions(&self) -> usize {
        self.partitions.len()
    }

    fn is_durable(&self) -> bool {
        false
    }

    async fn submit(&self, partition: usize, payload: Bytes) -> Result<(), Error> {
        let partition = &self.partitions[partition];
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
        let partition = self.partitions[partition].clone();
        let consumer = {
            let mut queue = partition.queue.lock().expect(NO_PANIC);
            queue.consumer += 1;
            queue.delivered = 0;
            queue.consumer
        };
        partition.changed.notify_waiters();
        Ok(Box::new(Place { partition, consumer }))
    }
}

/// A consumer's place in a partition.
struct Place {
    partition: Arc<Partition>,
    consumer: u64,
}

#[async_trait]
impl Consumer for Place {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        loop {
            // Made before looking, so that it hears of whatever comes after.
            let changed = self.partition.changed.notified();
            {
                let mut queue = self.partition.queue.lock().expect(NO_PANIC);
                queue.of(self.consumer)?;
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
        queue.of(self.consumer)?;
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

    crate::commands_contract!({
        let commands = Arc::new(Memory::new(2, 100));
        async move || commands.clone()
    });

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
        consumer.settle(position).await.unwrap();
        commands.submit(1, large).await.unwrap();
    }
}
