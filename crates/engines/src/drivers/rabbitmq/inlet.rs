//! The way of messages out of a queue to its one consumer at a time.
//!
//! What a consumer did not settle when its channel ended goes back in front of what follows it, in order. That holds because every
//! consumer of a queue may have as many messages at once as any other: so the next takes all of what went back, and nothing of it is
//! left behind when that one dies in turn. And it holds only if the channel is closed: a consumer that is merely cancelled keeps
//! what it has, and the next begins after that.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt;
use klatch_ports::{Error, ErrorKind};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};

use super::subscription::Subscription;
use super::{Broker, Crew, Way, error};
use crate::drivers::called;

/// A consumer of one queue, or one that waits for its turn. It takes its place in line anew where its crew should share.
pub struct Inlet {
    broker: Broker,
    queue: String,
    prefetch: u16,
    crew: Arc<Crew>,
    place: Option<Place>,
}

/// A place in line. The tags count its deliveries: 1, 2, 3, …
struct Place {
    subscription: Subscription,
    turn: Option<Turn>,
    delivered: u64,
    settled: u64,
}

impl Inlet {
    /// Gets in line for a queue, to have at most `prefetch` unsettled messages: the same number in whatever process, and never less
    /// than in earlier versions.
    ///
    /// # Errors
    /// `Broken` (there is no such queue), `Unavailable`.
    pub async fn open(broker: Broker, queue: String, prefetch: u16, crew: Arc<Crew>) -> Result<Self, Error> {
        let mut inlet = Self { broker, queue, prefetch, crew, place: None };
        inlet.get_in_line().await?;
        Ok(inlet)
    }

    async fn get_in_line(&mut self) -> Result<(), Error> {
        let channel = self.broker.channel(Way::In).await?;
        self.broker.asked(channel.basic_qos(self.prefetch, BasicQosOptions::default())).await?;
        let options = BasicConsumeOptions::default();
        let subscription = Subscription::to(&self.broker, channel, &self.queue, options).await?;
        self.place = Some(Place { subscription, turn: None, delivered: 0, settled: 0 });
        Ok(())
    }

    /// The next message with its tag. `Conflict` when the turn was taken away: then all that is not settled goes to the next.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<(u64, Bytes), Error>> {
        let Some(place) = &mut self.place else { return Poll::Ready(Err(over())) };
        let Some(consumer) = place.subscription.consumer() else { return Poll::Ready(Err(over())) };
        consumer.poll_next_unpin(context).map(|delivery| {
            let delivery = delivery.ok_or_else(over)?.map_err(|error| Error::new(ErrorKind::Conflict, error))?;
            place.turn.get_or_insert_with(|| Turn::begin(self.crew.clone()));
            place.delivered = delivery.delivery_tag;
            Ok((delivery.delivery_tag, delivery.data.into()))
        })
    }

    /// Settles every message up to this tag.
    ///
    /// # Errors
    /// `Conflict` as for [`Inlet::poll_next`], `Unavailable`.
    pub async fn settle(&mut self, tag: u64) -> Result<(), Error> {
        let place = self.place.as_mut().ok_or_else(over)?;
        let channel = place.subscription.channel();
        if !channel.status().connected() {
            return Err(over());
        }
        // A tag that the broker does not expect would end the channel.
        let tag = tag.min(place.delivered);
        if tag > place.settled {
            called("rabbitmq");
            let settling = channel.basic_ack(tag, BasicAckOptions { multiple: true });
            self.broker.within(settling).await?.map_err(error)?;
            place.settled = tag;
        }
        Ok(())
    }

    /// Whether nothing is unsettled that was returned by [`Inlet::poll_next`].
    pub fn is_settled(&self) -> bool {
        self.place.as_ref().is_none_or(|place| place.delivered == place.settled)
    }

    /// Gives the turn to the next and gets in line behind, if it has it, everything is settled, and others of the crew have less. If
    /// this is not awaited to its end, it does the rest when it is called again.
    ///
    /// # Errors
    /// As for [`Inlet::open`].
    pub async fn share(&mut self) -> Result<(), Error> {
        let has_turn = self.place.as_ref().is_some_and(|place| place.turn.is_some());
        if has_turn
            && self.is_settled()
            && self.crew.should_share()
            && let Some(Place { subscription, turn, .. }) = self.place.take()
        {
            drop(turn);
            subscription.close().await;
        }
        if self.place.is_none() {
            self.get_in_line().await?;
        }
        Ok(())
    }

    /// Waits until every message that the queue gave this consumer before is here.
    ///
    /// # Errors
    /// As for [`Inlet::settle`].
    pub async fn flush(&self) -> Result<(), Error> {
        let channel = self.place.as_ref().ok_or_else(over)?.subscription.channel();
        // The leader answers after it gave; then the channel answers after it handed on.
        self.broker.waiting(channel, &self.queue).await?;
        self.broker.asked(channel.basic_qos(self.prefetch, BasicQosOptions::default())).await
    }
}

/// A turn, from the first delivery on: the crew counts it.
struct Turn(Arc<Crew>);

impl Turn {
    fn begin(crew: Arc<Crew>) -> Self {
        crew.begin();
        Self(crew)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn over() -> Error {
    Error::conflict("RabbitMQ or the way to it was away, and what was not settled goes to the next")
}
