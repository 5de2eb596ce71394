//! `Live` on Redis and Valkey: each topic is a channel, sharded over the nodes of a cluster and plain on one server. **Distributed**:
//! whoever knows the Redis hears and is heard.
//!
//! A process has one connection to each node on which it hears, however many topics and listeners there are; from there messages
//! go to its listeners in memory. What is published goes over the connection for calls: a listener that Redis cuts off, because it
//! did not keep up, loses messages and not the word.

mod ear;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{ConversationId, UserId, Uuid};
use klatch_ports::Error;
use klatch_ports::live::memory::Memory;
use klatch_ports::live::{Listener, Live, Said, Topic, Topics};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::drivers::redis::{Call, Redis, keep};
use ear::{Ear, EarVisitor};

/// How long it is rested before a cluster of which no node answers is asked again who has what.
const REST: Duration = Duration::from_millis(500);

/// The engine. When it is dropped, its listeners hear what still waits, and then the end.
///
/// While Redis is away, `publish` fails, within the time that the address says (one second, unless told otherwise) and at once as
/// soon as the loss has been noticed. `add` does not fail: the topic is remembered, and heard when Redis is back; until then its
/// messages are lost, as those of all topics are. So nobody is kept from joining a conversation.
pub struct RedisLive {
    hearing: Arc<Hearing>,
    /// Hands to the listeners of this process what their topics' channels said.
    local: Arc<Memory>,
    /// Keeps the ears, once somebody listens. They end with it.
    keeping: Mutex<JoinSet<()>>,
}

/// What this process wants to hear, and where.
struct Hearing {
    redis: Redis,
    /// How many listeners want a topic.
    wanted: Mutex<HashMap<Topic, usize>>,
    /// One for each node.
    ears: watch::Sender<HashMap<Arc<str>, Arc<Ear>>>,
}

impl RedisLive {
    /// On this Redis. Nobody is connected to yet.
    pub fn new(redis: Redis) -> Self {
        let hearing = Hearing { redis, wanted: Mutex::default(), ears: watch::Sender::default() };
        Self { hearing: Arc::new(hearing), local: Arc::default(), keeping: Mutex::default() }
    }

    fn keep_ears(&self) {
        let mut keeping = self.keeping.lock().expect(NO_PANIC);
        if keeping.is_empty() {
            keeping.spawn(keep_ears(self.hearing.clone(), self.local.clone()));
        }
    }
}

#[async_trait]
impl Live for RedisLive {
    async fn publish(&self, messages: Vec<Said>) -> Result<(), Error> {
        let name = if self.hearing.redis.is_cluster() { "SPUBLISH" } else { "PUBLISH" };
        let call = |said: Said| {
            let channel = self.hearing.channel(said.topic);
            Call { key: channel.clone(), name, args: vec![channel, said.payload] }
        };
        let calls: Vec<_> = messages.into_iter().map(call).collect();
        match self.hearing.redis.call(&calls).await?.into_iter().find_map(Result::err) {
            Some(refused) => Err(Error::unavailable(refused)),
            None => Ok(()),
        }
    }

    async fn listen(&self) -> Result<(Arc<dyn Topics>, Box<dyn Listener>), Error> {
        self.keep_ears();
        let (local, listener) = self.local.listen().await?;
        let topics = HeardTopics { local, hearing: self.hearing.clone(), own: Mutex::new(Some(HashSet::new())) };
        let topics = Arc::new(topics);
        Ok((topics.clone(), Box::new(HeardListener { listener, topics })))
    }
}

/// Keeps an ear at each node that has slots, and none elsewhere.
async fn keep_ears(hearing: Arc<Hearing>, local: Arc<Memory>) {
    let mut slots = hearing.redis.watch_slots();
    let mut kept: HashMap<Arc<str>, JoinSet<()>> = HashMap::new();
    loop {
        let nodes = slots.borrow_and_update().nodes();
        kept.retain(|address, _| nodes.contains(address));
        hearing.ears.send_modify(|ears| ears.retain(|address, _| nodes.contains(address)));
        for address in nodes {
            kept.entry(address.clone()).or_insert_with(|| {
                let ear = Arc::new(Ear::default());
                hearing.ears.send_modify(|ears| drop(ears.insert(address.clone(), ear.clone())));
                let visitor = EarVisitor::new(address.clone(), ear, hearing.clone(), local.clone());
                let mut keeping = JoinSet::new();
                keeping.spawn(keep(hearing.redis.dial(), address, hearing.redis.timeout(), visitor));
                keeping
            });
        }
        if kept.is_empty() && hearing.redis.slots().await.is_err() {
            sleep(REST).await;
        } else if !kept.is_empty() && slots.changed().await.is_err() {
            return;
        }
    }
}

impl Hearing {
    /// The channel of a topic.
    fn channel(&self, topic: Topic) -> Bytes {
        let (kind, id) = match topic {
            Topic::Conversation(ConversationId(id)) => ('c', id),
            Topic::User(UserId(id)) => ('u', id),
            Topic::Node(id) => ('n', id),
        };
        format!("{}:{kind}:{id}", self.redis.prefix()).into()
    }

    /// The topic of a channel, if it is one of ours.
    fn topic(&self, channel: &[u8]) -> Option<Topic> {
        let rest = std::str::from_utf8(channel).ok()?.strip_prefix(self.redis.prefix())?;
        let (kind, id) = rest.strip_prefix(':')?.split_once(':')?;
        let id = Uuid::parse_str(id).ok()?;
        match kind {
            "c" => Some(Topic::Conversation(ConversationId(id))),
            "u" => Some(Topic::User(UserId(id))),
            "n" => Some(Topic::Node(id)),
            _ => None,
        }
    }

    fn want(&self, topic: Topic) {
        *self.wanted.lock().expect(NO_PANIC).entry(topic).or_default() += 1;
    }

    fn want_no_more(&self, topic: Topic) {
        let mut wanted = self.wanted.lock().expect(NO_PANIC);
        if let Some(count) = wanted.get_mut(&topic) {
            *count -= 1;
            if *count > 0 {
                return;
            }
            wanted.remove(&topic);
        }
        drop(wanted);
        let slots = self.redis.watch_slots().borrow().clone();
        let ear = slots.node_of(&self.channel(topic)).and_then(|address| self.ears.borrow().get(address).cloned());
        // An ear that does not know the slot's node yet begins with nothing, so there is nothing to end.
        if let Some(ear) = ear {
            ear.look_at(topic);
        }
    }

    fn is_wanted(&self, topic: Topic) -> bool {
        self.wanted.lock().expect(NO_PANIC).contains_key(&topic)
    }

    fn all_wanted(&self) -> Vec<Topic> {
        self.wanted.lock().expect(NO_PANIC).keys().copied().collect()
    }

    /// Waits until the server has confirmed that a topic is heard. `false` where Redis is away.
    async fn is_heard(&self, topic: Topic) -> bool {
        let (channel, mut asked) = (self.channel(topic), None::<Arc<str>>);
        loop {
            let Ok(slots) = self.redis.slots().await else { return false };
            // If the slot has moved since, the next node is asked.
            let address = slots.node_of(&channel).filter(|address| asked.as_ref() != Some(*address)).cloned();
            let Some(address) = address else { return false };
            let Some(ear) = self.ear_at(&address).await else { return false };
            if ear.hear(topic).await {
                return true;
            }
            asked = Some(address);
        }
    }

    async fn ear_at(&self, address: &Arc<str>) -> Option<Arc<Ear>> {
        let mut ears = self.ears.subscribe();
        ears.wait_for(|ears| ears.contains_key(address)).await.ok()?.get(address).cloned()
    }
}

struct HeardTopics {
    local: Arc<dyn Topics>,
    hearing: Arc<Hearing>,
    /// What this listener wants, while it is there.
    own: Mutex<Option<HashSet<Topic>>>,
}

#[async_trait]
impl Topics for HeardTopics {
    async fn add(&self, topic: Topic) -> Result<(), Error> {
        self.local.add(topic).await?;
        if let Some(own) = &mut *self.own.lock().expect(NO_PANIC) {
            if own.insert(topic) {
                self.hearing.want(topic);
            }
        } else {
            return Ok(());
        }
        let heard = timeout(self.hearing.redis.timeout(), self.hearing.is_heard(topic)).await;
        if heard != Ok(true) {
            metrics::counter!("klatch_live_remembered_total").increment(1);
            tracing::debug!(?topic, "Redis is away: a topic is heard when it is back");
        }
        Ok(())
    }

    async fn remove(&self, topic: Topic) -> Result<(), Error> {
        self.local.remove(topic).await?;
        if self.own.lock().expect(NO_PANIC).as_mut().is_some_and(|own| own.remove(&topic)) {
            self.hearing.want_no_more(topic);
        }
        Ok(())
    }
}

struct HeardListener {
    listener: Box<dyn Listener>,
    topics: Arc<HeardTopics>,
}

#[async_trait]
impl Listener for HeardListener {
    async fn next(&mut self) -> Option<Vec<Said>> {
        self.listener.next().await
    }
}

impl Drop for HeardListener {
    fn drop(&mut self) {
        let own = self.topics.own.lock().expect(NO_PANIC).take();
        for topic in own.into_iter().flatten() {
            self.topics.hearing.want_no_more(topic);
        }
    }
}

const NO_PANIC: &str = "nobody panics while holding this lock";

#[cfg(test)]
mod tests;
