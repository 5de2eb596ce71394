//! Who else does the same work. A queue gives itself to whoever came first, and to one alone; so that several share many queues,
//! each tells the others every second that it is there, and who has more than its part gives of it. That is for speed: who is
//! miscounted has too much or too little to do, and no message goes astray.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use klatch_ports::Error;
use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::subscription::Subscription;
use super::{Broker, Way, error};
use crate::drivers::called;

/// How often a member says that it is there.
pub const BEAT: Duration = Duration::from_secs(1);
/// Who was silent for so long is there no more.
const SILENCE_MAX: Duration = Duration::from_secs(3);
/// Members that are counted.
const MEMBERS_MAX: usize = 1_000;

/// One's part of the work on some queues. It leaves the crew when dropped.
pub struct Crew {
    queues: AtomicUsize,
    members: Arc<AtomicUsize>,
    /// Queues that this member has its turn on, as far as it knows: that something came from them.
    held: AtomicUsize,
    telling: JoinHandle<()>,
}

impl Crew {
    /// The exchange on which members hear of each other.
    pub fn exchange(broker: &Broker) -> String {
        broker.name("crews")
    }

    /// Joins the crew of this name, which works on so many queues.
    pub fn join(broker: Broker, name: String, queues: usize) -> Arc<Self> {
        let members = Arc::new(AtomicUsize::new(1));
        let telling = tokio::spawn(tell(broker, name, members.clone()));
        Arc::new(Self { queues: queues.into(), members, held: AtomicUsize::new(0), telling })
    }

    /// It works on so many queues now, if those are more than before.
    pub fn grow(&self, queues: usize) {
        self.queues.fetch_max(queues, Ordering::Relaxed);
    }

    /// A turn began.
    pub(super) fn begin(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// A turn ended.
    pub(super) fn end(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether one of the queues should go to another member: it is more than a fair part.
    pub(super) fn should_share(&self) -> bool {
        let part = self.queues.load(Ordering::Relaxed).div_ceil(self.members.load(Ordering::Relaxed).max(1));
        self.held.load(Ordering::Relaxed) > part
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

async fn tell(broker: Broker, name: String, members: Arc<AtomicUsize>) {
    loop {
        let Err(error) = tell_on(&broker, &name, &members).await;
        tracing::debug!(crew = name, source = ?std::error::Error::source(&error), "nothing is heard of others that do the same");
        members.store(1, Ordering::Relaxed);
        sleep(BEAT).await;
    }
}

/// Tells and hears on one channel, until that ends.
async fn tell_on(broker: &Broker, name: &str, members: &AtomicUsize) -> Result<Infallible, Error> {
    let mut hearing = hear(broker, name).await?;
    let exchange = Crew::exchange(broker);
    let own = rand::random::<u128>().to_be_bytes();
    let mut heard = HashMap::new();
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beat.tick() => {
                called("rabbitmq");
                let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
                let (exchange, key) = (exchange.as_str().into(), name.into());
                let telling = hearing.channel().basic_publish(exchange, key, options, &own, properties);
                broker.within(telling).await?.map_err(error)?;
            }
            delivery = next(&mut hearing) => {
                let delivery = delivery.ok_or_else(|| Error::unavailable("the queue is gone"))?.map_err(error)?;
                if let (Ok(member), true) = (<[u8; 16]>::try_from(delivery.data), heard.len() < MEMBERS_MAX) {
                    heard.insert(member, Instant::now());
                }
            }
        }
        heard.retain(|_, at: &mut Instant| at.elapsed() < SILENCE_MAX);
        members.store(heard.len().max(1), Ordering::Relaxed);
    }
}

/// A queue of one's own, which goes with the connection.
async fn hear(broker: &Broker, name: &str) -> Result<Subscription, Error> {
    let channel = broker.channel(Way::In).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(MEMBERS_MAX as i32));
    let queue = broker.asked(channel.queue_declare("".into(), QueueDeclareOptions::exclusive(), arguments)).await?;
    let (exchange, options) = (Crew::exchange(broker).into(), QueueBindOptions::default());
    broker
        .asked(channel.queue_bind(queue.name().clone(), exchange, name.into(), options, FieldTable::default()))
        .await?;
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    Subscription::to(broker, channel, queue.name().as_str(), options).await
}

async fn next(hearing: &mut Subscription) -> Option<lapin::Result<lapin::message::Delivery>> {
    hearing.consumer()?.next().await
}
