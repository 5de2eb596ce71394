//! A look into a queue: what lies there stays, but for what is taken away. Whoever looks has the queue's turn, so one looks at a time.
//!
//! What was not taken away goes back when the channel is closed, in its order. Were it given back in one word, its order would be lost.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use klatch_ports::Error;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use tokio::time::sleep;

use super::subscription::Subscription;
use super::{Broker, Way, error};
use crate::drivers::called;

/// Between two questions whether the others are gone.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// One who looks. The tags count what it is given: 1, 2, 3, …
pub struct Look {
    broker: Broker,
    subscription: Subscription,
    count: u64,
    seen_max: u64,
    seen: u64,
    taken_away: u64,
}

impl Look {
    /// Looks at a queue as it is when nobody else looks there, at no more than `seen_max` messages that are not taken away.
    ///
    /// # Errors
    /// `Conflict` (another one goes on looking), `Broken` (there is no such queue), `Unavailable`.
    pub async fn at(broker: Broker, queue: &str, seen_max: u16) -> Result<Self, Error> {
        let channel = broker.channel(Way::In).await?;
        let mut is_taken = false;
        let alone = async {
            loop {
                let asking = QueueDeclareOptions::default().passive();
                let known = broker.asked(channel.queue_declare(queue.into(), asking, FieldTable::default())).await?;
                // What they have is not counted, and is back when they are gone.
                if known.consumer_count() == 0 {
                    return Ok(known);
                }
                is_taken = true;
                sleep(ASK_AGAIN).await;
            }
        };
        let known = match broker.within(alone).await {
            Err(_) if is_taken => return Err(Error::conflict("somebody else looks there just now")),
            known => known.flatten()?,
        };
        broker.asked(channel.basic_qos(seen_max, BasicQosOptions::default())).await?;
        let subscription = Subscription::to(&broker, channel, queue, BasicConsumeOptions::default()).await?;
        let (count, seen_max) = (known.message_count().into(), seen_max.into());
        Ok(Self { broker, subscription, count, seen_max, seen: 0, taken_away: 0 })
    }

    /// How many there were.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The next of them with their tags, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<(u64, Bytes)>, Error> {
        let last = self.count.min(self.taken_away + self.seen_max).min(self.seen.saturating_add(limit as u64));
        let Self { broker, subscription, seen, .. } = self;
        let consumer = subscription.consumer().ok_or_else(over)?;
        let reading = async {
            let mut messages = Vec::new();
            while *seen < last {
                let delivery = consumer.next().await.ok_or_else(over)?.map_err(error)?;
                *seen = delivery.delivery_tag;
                messages.push((delivery.delivery_tag, delivery.data.into()));
            }
            Ok(messages)
        };
        broker.within(reading).await?
    }

    /// Takes away everything up to this tag.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn take_away(&mut self, tag: u64) -> Result<(), Error> {
        let channel = self.subscription.channel();
        // A tag that the broker does not expect would end the channel.
        let tag = tag.min(self.seen);
        if tag > self.taken_away {
            called("rabbitmq");
            let taking = channel.basic_ack(tag, BasicAckOptions { multiple: true });
            self.broker.within(taking).await?.map_err(error)?;
            self.taken_away = tag;
            // What is taken away is not confirmed; an answer that comes after it is.
            self.broker.asked(channel.basic_qos(self.seen_max as u16, BasicQosOptions::default())).await?;
        }
        Ok(())
    }
}

fn over() -> Error {
    Error::unavailable("RabbitMQ or the way to it was away")
}
