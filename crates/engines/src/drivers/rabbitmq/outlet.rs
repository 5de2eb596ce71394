//! The way of messages into the broker: a channel on which it confirms what is on disk.

use std::pin::Pin;
use std::sync::{Arc, Mutex as Latch};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use klatch_ports::{Error, ErrorKind};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Broker, Queue, Way, error};
use crate::drivers::called;

/// A delivery mode: on disk.
const PERSISTENT: u8 = 2;
/// A channel that was refused for so long is opened anew: the word that there is room again may have been lost.
const REFUSED_MAX: Duration = Duration::from_secs(1);

/// Takes messages for one key of one exchange, and keeps them in order.
///
/// On a channel's first message a quorum queue registers the channel with its leader; where there is no leader just then, it refuses,
/// and goes on refusing. Later it refuses only when it is full. So the first message goes alone. Those that come after it, pipelined,
/// are taken in order: if the connection ends, up to one of them and none after it.
pub struct Outlet {
    broker: Broker,
    exchange: String,
    key: String,
    /// The queue behind it, if there is one that may become full.
    queue: Option<Queue>,
    open: Mutex<Option<Arc<Open>>>,
}

struct Open {
    channel: Channel,
    /// The driver numbers a message and hands it on in two steps. If another came between, one would get the other's confirm.
    numbering: Latch<()>,
    /// Since when everything is refused.
    refused: Latch<Option<Instant>>,
}

/// What the broker says to a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Taken,
    /// It was not taken.
    Refused,
    /// There is no queue for it.
    Returned,
}

impl Outlet {
    /// For messages to this queue.
    pub fn to_queue(broker: Broker, queue: Queue) -> Self {
        Self { broker, exchange: String::new(), key: queue.name.clone(), queue: Some(queue), open: Mutex::default() }
    }

    /// For messages to this exchange with this key, behind which no queue becomes full.
    pub fn to_exchange(broker: Broker, exchange: String, key: String) -> Self {
        Self { broker, exchange, key, queue: None, open: Mutex::default() }
    }

    /// Puts messages into the broker, in order, and returns when a majority has all of them on disk.
    ///
    /// # Errors
    /// `Full`: the queue is full, and of several messages some were perhaps taken; a single one was not. `Broken`: there is no queue.
    /// `Unavailable`: unknown.
    pub async fn put(&self, messages: &[Bytes]) -> Result<(), Error> {
        let mut used = None;
        let done = self.broker.within(self.attempt(messages, &mut used)).await.flatten();
        if let (Err(failure), Some(used)) = (&done, used)
            && (failure.kind != ErrorKind::Full || used.is_refused_for_long())
        {
            self.forget(&used).await?;
        }
        done
    }

    async fn attempt(&self, messages: &[Bytes], used: &mut Option<Arc<Open>>) -> Result<(), Error> {
        let Some((first, rest)) = messages.split_first() else { return Ok(()) };
        let mut slot = self.open.lock().await;
        if let Some(open) = slot.as_ref().filter(|open| open.channel.status().connected()).cloned() {
            drop(slot);
            *used = Some(open.clone());
            return self.publish(&open, messages).await;
        }
        *slot = None;
        let channel = self.broker.channel(Way::Out).await?;
        self.broker.asked(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let open = Arc::new(Open { channel, numbering: Latch::default(), refused: Latch::default() });
        match self.sent(&open, first).await.map_err(error)? {
            Answer::Taken => {}
            Answer::Returned => return Err(self.missing()),
            Answer::Refused if !self.is_full(&open).await? => {
                return Err(Error::unavailable("a queue of RabbitMQ has no leader just now"));
            }
            Answer::Refused => {
                // It is registered, and will be told when there is room.
                *slot = Some(open);
                return Err(full());
            }
        }
        *slot = Some(open.clone());
        drop(slot);
        *used = Some(open.clone());
        self.publish(&open, rest).await
    }

    /// Publishes on a channel that is registered.
    async fn publish(&self, open: &Open, messages: &[Bytes]) -> Result<(), Error> {
        let mut under_way = Vec::with_capacity(messages.len());
        for message in messages {
            let mut sending: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(self.sent(open, message));
            let answer = {
                let _one_at_a_time = open.numbering.lock().expect("nobody panics while numbering");
                sending.as_mut().now_or_never()
            };
            under_way.push((sending, answer));
        }
        for (sending, answer) in under_way {
            let answer = match answer {
                Some(answer) => answer,
                None => sending.await,
            };
            match answer.map_err(error)? {
                Answer::Taken => open.set_refused(false),
                Answer::Returned => return Err(self.missing()),
                Answer::Refused if self.queue.is_none() => {
                    return Err(Error::unavailable("RabbitMQ refused a message, and did not say why"));
                }
                Answer::Refused => {
                    open.set_refused(true);
                    return Err(full());
                }
            }
        }
        Ok(())
    }

    /// Hands a message on the first time that this is polled, and waits for the answer.
    async fn sent(&self, open: &Open, message: &Bytes) -> lapin::Result<Answer> {
        called("rabbitmq");
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let (exchange, key) = (self.exchange.as_str().into(), self.key.as_str().into());
        let confirm = open.channel.basic_publish(exchange, key, options, message, properties).await?;
        Ok(match confirm.await? {
            Confirmation::Ack(None) => Answer::Taken,
            Confirmation::Ack(Some(_)) => Answer::Returned,
            // The second cannot be: the channel confirms.
            Confirmation::Nack(_) | Confirmation::NotRequested => Answer::Refused,
        })
    }

    /// Whether a first message was refused because the queue is full.
    async fn is_full(&self, open: &Open) -> Result<bool, Error> {
        let Some(queue) = &self.queue else { return Ok(false) };
        let waiting = self.broker.waiting(&open.channel, &queue.name).await?;
        Ok(queue.is_full_at(waiting))
    }

    /// Has the next message open a new channel.
    async fn forget(&self, used: &Arc<Open>) -> Result<(), Error> {
        let mut slot = self.broker.within(self.open.lock()).await?;
        if slot.as_ref().is_some_and(|open| Arc::ptr_eq(open, used)) {
            *slot = None;
        }
        Ok(())
    }

    fn missing(&self) -> Error {
        let place = if self.exchange.is_empty() { &self.key } else { &self.exchange };
        let sentence = format!("RabbitMQ has no queue for `{place}`: run `klatch migrate`");
        Error::new(ErrorKind::Broken, sentence)
    }
}

impl Open {
    fn set_refused(&self, is_refused: bool) {
        let mut refused = self.refused.lock().expect("nobody panics here");
        *refused = is_refused.then(|| refused.unwrap_or_else(Instant::now));
    }

    fn is_refused_for_long(&self) -> bool {
        let refused = self.refused.lock().expect("nobody panics here");
        refused.is_some_and(|since| since.elapsed() > REFUSED_MAX)
    }
}

fn full() -> Error {
    Error::new(ErrorKind::Full, "a queue of RabbitMQ is full")
}
