//! A consumer of a queue on a channel of its own, which is closed with it.

use std::time::Duration;

use klatch_ports::Error;
use lapin::Channel;
use lapin::options::BasicConsumeOptions;
use lapin::types::FieldTable;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::Broker;

/// Within which a channel is closed in order. Then whatever ends the connection ends it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A channel and, once the broker has answered, its consumer.
///
/// INVARIANT: the channel is closed whenever this is dropped, also while there is no answer yet. When one comes that nobody waits for any
/// more, the driver keeps a consumer all the same, and that keeps its channel: it would have the queue's turn for as long as the connection
/// lasts, and nobody would read what it is given.
pub struct Subscription {
    channel: Channel,
    consumer: Option<lapin::Consumer>,
}

impl Subscription {
    /// Consumes a queue on this channel, which nobody else uses.
    ///
    /// # Errors
    /// `Broken` (there is no such queue), `Unavailable`.
    pub async fn to(
        broker: &Broker,
        channel: Channel,
        queue: &str,
        options: BasicConsumeOptions,
    ) -> Result<Self, Error> {
        let mut subscription = Self { channel, consumer: None };
        let consuming = subscription.channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        let consumer = broker.asked(consuming).await?;
        subscription.consumer = Some(consumer);
        Ok(subscription)
    }

    /// The channel.
    pub const fn channel(&self) -> &Channel {
        &self.channel
    }

    /// What the queue gives, until the channel has ended.
    pub fn consumer(&mut self) -> Option<&mut lapin::Consumer> {
        self.consumer.as_mut().filter(|_| self.channel.status().connected())
    }

    /// Closes the channel, and returns when that is done.
    pub async fn close(mut self) {
        close(self.channel.clone(), self.consumer.take()).await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Without a runtime there is no connection either.
        if let (true, Ok(runtime)) = (self.channel.status().connected(), Handle::try_current()) {
            runtime.spawn(close(self.channel.clone(), self.consumer.take()));
        }
    }
}

/// Closes the channel before the driver lets go of the consumer, which would cancel it.
async fn close(channel: Channel, consumer: Option<lapin::Consumer>) {
    let _ = timeout(CLOSE_TIMEOUT, channel.close(200, "".into())).await;
    drop(consumer);
}
