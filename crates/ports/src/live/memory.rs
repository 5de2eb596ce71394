//! [`Live`] in memory. **Embedded**: everybody is in one process.
//!
//! On the path of every message: saying something takes one shared lock on a part of the topics and, for each listener, one
//! short lock on its queue. Nobody waits for anybody.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, RwLock, Weak};

use async_trait::async_trait;
use klatch_core::ids::{ConversationId, UserId};
use tokio::sync::Notify;

use super::{Listener, Live, Said, Topic, Topics};
use crate::Error;

/// Messages that wait for one listener; beyond it the oldest are lost, so that the listener soon sees a hole and knows.
pub const WAITING_MAX: usize = 16_384;
/// Bytes of the payloads that wait for one listener.
pub const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;

const SHARDS: usize = 64;

/// The engine. When it is dropped, its listeners hear what still waits, and then the end.
#[derive(Default)]
pub struct Memory {
    hub: Arc<Hub>,
}

struct Hub {
    shards: [RwLock<HashMap<Topic, Vec<Arc<Mailbox>>>>; SHARDS],
    mailboxes: Mutex<Vec<Weak<Mailbox>>>,
}

/// What waits for one listener.
struct Mailbox {
    queue: Mutex<Queue>,
    arrived: Notify,
}

struct Queue {
    waiting: VecDeque<Said>,
    bytes: usize,
    is_open: bool,
}

impl Default for Hub {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()), mailboxes: Mutex::default() }
    }
}

impl Hub {
    fn shard(&self, topic: Topic) -> &RwLock<HashMap<Topic, Vec<Arc<Mailbox>>>> {
        let (Topic::Conversation(ConversationId(id)) | Topic::User(UserId(id)) | Topic::Node(id)) = topic;
        // The last byte of every sort of id is random, or as good as.
        &self.shards[usize::from(id.as_bytes()[15]) % SHARDS]
    }

    fn say(&self, said: Said) -> usize {
        let shard = self.shard(said.topic).read().expect(NO_PANIC);
        let Some((last, others)) = shard.get(&said.topic).and_then(|mailboxes| mailboxes.split_last()) else {
            return 0;
        };
        let lost: usize = others.iter().map(|mailbox| mailbox.put(said.clone())).sum();
        lost + last.put(said)
    }

    fn forget(&self, topic: Topic, mailbox: &Arc<Mailbox>) {
        let mut shard = self.shard(topic).write().expect(NO_PANIC);
        if let Some(mailboxes) = shard.get_mut(&topic) {
            mailboxes.retain(|other| !Arc::ptr_eq(other, mailbox));
            if mailboxes.is_empty() {
                shard.remove(&topic);
            }
        }
    }
}

impl Mailbox {
    /// Puts a message behind those that wait. Returns how many are lost for it.
    fn put(&self, said: Said) -> usize {
        let mut queue = self.queue.lock().expect(NO_PANIC);
        let (was_empty, mut lost) = (queue.waiting.is_empty(), 0);
        queue.bytes += said.payload.len();
        queue.waiting.push_back(said);
        while queue.waiting.len() > WAITING_MAX || queue.bytes > WAITING_BYTES_MAX {
            let oldest = queue.waiting.pop_front().expect("there are bytes, so there is a message");
            queue.bytes -= oldest.payload.len();
            lost += 1;
        }
        drop(queue);
        if was_empty {
            self.arrived.notify_one();
        }
        lost
    }

    fn close(&self) {
        self.queue.lock().expect(NO_PANIC).is_open = false;
        self.arrived.notify_one();
    }
}

impl Memory {
    /// Says this to those who listen, without waiting. Returns how many messages were lost by listeners that do not keep up.
    pub fn say(&self, said: Said) -> usize {
        self.hub.say(said)
    }
}

#[async_trait]
impl Live for Memory {
    async fn publish(&self, messages: Vec<Said>) -> Result<(), Error> {
        for said in messages {
            self.hub.say(said);
        }
        Ok(())
    }

    async fn listen(&self) -> Result<(Arc<dyn Topics>, Box<dyn Listener>), Error> {
        let queue = Queue { waiting: VecDeque::new(), bytes: 0, is_open: true };
        let mailbox = Arc::new(Mailbox { queue: Mutex::new(queue), arrived: Notify::new() });
        let mut mailboxes = self.hub.mailboxes.lock().expect(NO_PANIC);
        mailboxes.retain(|other| other.strong_count() > 0);
        mailboxes.push(Arc::downgrade(&mailbox));
        let topics = HeardTopics { hub: self.hub.clone(), mailbox: mailbox.clone() };
        Ok((Arc::new(topics), Box::new(Ear { hub: self.hub.clone(), mailbox })))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        for mailbox in self.hub.mailboxes.lock().expect(NO_PANIC).iter().filter_map(Weak::upgrade) {
            mailbox.close();
        }
    }
}

struct HeardTopics {
    hub: Arc<Hub>,
    mailbox: Arc<Mailbox>,
}

#[async_trait]
impl Topics for HeardTopics {
    async fn add(&self, topic: Topic) -> Result<(), Error> {
        let mut shard = self.hub.shard(topic).write().expect(NO_PANIC);
        // INVARIANT: a closed mailbox is in no shard. It is closed before the shards are searched for it, and this is under lock.
        if self.mailbox.queue.lock().expect(NO_PANIC).is_open {
            let mailboxes = shard.entry(topic).or_default();
            if !mailboxes.iter().any(|other| Arc::ptr_eq(other, &self.mailbox)) {
                mailboxes.push(self.mailbox.clone());
            }
        }
        Ok(())
    }

    async fn remove(&self, topic: Topic) -> Result<(), Error> {
        self.hub.forget(topic, &self.mailbox);
        Ok(())
    }
}

struct Ear {
    hub: Arc<Hub>,
    mailbox: Arc<Mailbox>,
}

#[async_trait]
impl Listener for Ear {
    async fn next(&mut self) -> Option<Vec<Said>> {
        loop {
            {
                let mut queue = self.mailbox.queue.lock().expect(NO_PANIC);
                if !queue.waiting.is_empty() {
                    queue.bytes = 0;
                    return Some(Vec::from(std::mem::take(&mut queue.waiting)));
                }
                if !queue.is_open {
                    return None;
                }
            }
            self.mailbox.arrived.notified().await;
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.mailbox.close();
        // Listeners are few and live long, so their topics are searched for here rather than kept twice.
        for shard in &self.hub.shards {
            shard.write().expect(NO_PANIC).retain(|_, mailboxes| {
                mailboxes.retain(|other| !Arc::ptr_eq(other, &self.mailbox));
                !mailboxes.is_empty()
            });
        }
        self.mailbox.queue.lock().expect(NO_PANIC).waiting.clear();
    }
}

const NO_PANIC: &str = "nobody panics while holding this lock";

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::contract::fresh;

    crate::live_contract!(async || Arc::new(Memory::default()));

    #[tokio::test]
    async fn a_listener_that_went_leaves_nothing_behind() {
        let live = Memory::default();
        let (topics, listener) = live.listen().await.unwrap();
        for _ in 0..100 {
            topics.add(Topic::Node(fresh())).await.unwrap();
        }
        drop(listener);
        topics.add(Topic::Node(fresh())).await.unwrap();
        assert!(live.hub.shards.iter().all(|shard| shard.read().unwrap().is_empty()));
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes_too() {
        let live = Memory::default();
        let (topics, mut listener) = live.listen().await.unwrap();
        let topic = Topic::Node(fresh());
        topics.add(topic).await.unwrap();
        let payload = Bytes::from(vec![0; WAITING_BYTES_MAX / 10]);
        live.publish(vec![Said { topic, payload }; 15]).await.unwrap();
        assert_eq!(listener.next().await.unwrap().len(), 10);
    }
}
