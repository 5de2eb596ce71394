//! What is heard on the connection to one node. What ought to be heard and what is are compared topic by topic, so that it does not
//! matter in which order they changed, or what was lost meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use klatch_ports::live::memory::Memory;
use klatch_ports::live::{Said, Topic};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Pipeline, PushInfo, PushKind, Value};
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

use super::{Hearing, NO_PANIC};
use crate::drivers::redis::{CHECK_EVERY, Push, Visitor, check, count};

/// Topics that are dealt with in one round trip.
const BATCH_MAX: usize = 1_000;
/// Within how many times that of a call a round trip must be made.
const BATCH_TIMEOUTS: u32 = 2;

/// What is heard at one node, and what is to be looked at.
#[derive(Default)]
pub struct Ear {
    desk: Mutex<Desk>,
    news: Notify,
}

#[derive(Default)]
struct Desk {
    is_away: bool,
    /// What the server has confirmed, and nobody is about to end.
    heard: HashSet<Topic>,
    /// What is to be looked at, and who waits for that. Each topic is there once.
    changed: HashMap<Topic, Vec<oneshot::Sender<()>>>,
    /// How many channels we have ended of which the server has not said so yet.
    ending: usize,
    /// Whether we wait for an answer.
    is_asking: bool,
    /// The server ended a channel by itself: its slot has moved.
    has_moved: bool,
    /// It did so while we waited for an answer. The library takes that for the answer, and all later ones for those before them.
    is_confused: bool,
}

impl Ear {
    /// A topic is wanted, or no longer.
    pub fn look_at(&self, topic: Topic) {
        let mut desk = self.desk.lock().expect(NO_PANIC);
        // The next connection begins by looking at everything.
        if !desk.is_away {
            desk.changed.entry(topic).or_default();
            self.news.notify_one();
        }
    }

    /// Waits until a topic that is wanted is heard. `false` if the node is away, or no longer has the topic's slot.
    pub async fn hear(&self, topic: Topic) -> bool {
        let (done, is_done) = oneshot::channel();
        {
            let mut desk = self.desk.lock().expect(NO_PANIC);
            if desk.is_away {
                return false;
            }
            if desk.heard.contains(&topic) {
                return true;
            }
            desk.changed.entry(topic).or_default().push(done);
            self.news.notify_one();
        }
        is_done.await.is_ok()
    }

    /// Whether no connection came about when it was last tried.
    #[cfg(test)]
    pub fn is_away(&self) -> bool {
        self.desk.lock().expect(NO_PANIC).is_away
    }

    /// Topics to look at, and who waits for them.
    fn take_changed(&self) -> HashMap<Topic, Vec<oneshot::Sender<()>>> {
        let mut desk = self.desk.lock().expect(NO_PANIC);
        if desk.changed.len() <= BATCH_MAX {
            return std::mem::take(&mut desk.changed);
        }
        let some: Vec<Topic> = desk.changed.keys().take(BATCH_MAX).copied().collect();
        some.into_iter().filter_map(|topic| desk.changed.remove_entry(&topic)).collect()
    }
}

/// Keeps one ear at its node.
pub struct EarVisitor {
    address: Arc<str>,
    ear: Arc<Ear>,
    hearing: Arc<Hearing>,
    local: Arc<Memory>,
}

/// A topic to look at, and who waits until it is heard.
type Change = (Topic, Vec<oneshot::Sender<()>>);

/// Topics of one round trip: whom to hear, and whom no longer.
struct Batch {
    begin: Vec<Change>,
    end: Vec<Topic>,
}

impl EarVisitor {
    /// Keeps this ear at that node.
    pub fn new(address: Arc<str>, ear: Arc<Ear>, hearing: Arc<Hearing>, local: Arc<Memory>) -> Self {
        Self { address, ear, hearing, local }
    }

    /// Everything that is wanted, and everything that is heard, is to be looked at.
    fn look_at_everything(&self) {
        let wanted = self.hearing.all_wanted();
        let mut desk = self.ear.desk.lock().expect(NO_PANIC);
        let heard: Vec<Topic> = desk.heard.iter().copied().collect();
        for topic in wanted.into_iter().chain(heard) {
            desk.changed.entry(topic).or_default();
        }
    }

    /// What is to be done about topics. Who waits for one that is not heard here is told by letting go of what they wait for.
    fn decide(&self, changed: HashMap<Topic, Vec<oneshot::Sender<()>>>) -> Batch {
        let slots = self.hearing.redis.watch_slots().borrow().clone();
        let mut batch = Batch { begin: Vec::new(), end: Vec::new() };
        // INVARIANT: what is about to be ended is not in `heard`, and this is under the lock under which `hear` looks there. So who
        // adds a topic just now either is seen here, or waits.
        let mut desk = self.ear.desk.lock().expect(NO_PANIC);
        for (topic, waiting) in changed {
            let is_here = slots.node_of(&self.hearing.channel(topic)) == Some(&self.address);
            match (is_here && self.hearing.is_wanted(topic), desk.heard.contains(&topic)) {
                (true, false) => batch.begin.push((topic, waiting)),
                (false, true) => {
                    desk.heard.remove(&topic);
                    batch.end.push(topic);
                }
                (true, true) => tell(waiting),
                (false, false) => {}
            }
        }
        desk.ending += batch.end.len();
        desk.is_asking = true;
        batch
    }

    /// One round trip. Returns what the server refused; fails when the connection is of no use any more.
    async fn settle(&self, connection: &mut MultiplexedConnection, batch: Batch) -> Result<Vec<Change>, String> {
        let [begin, end] =
            if self.hearing.redis.is_cluster() { ["SSUBSCRIBE", "SUNSUBSCRIBE"] } else { ["SUBSCRIBE", "UNSUBSCRIBE"] };
        // One command a channel: those of one command would have to share a slot.
        let mut pipeline = Pipeline::with_capacity(batch.begin.len() + batch.end.len());
        for (topic, _) in &batch.begin {
            pipeline.cmd(begin).arg(&*self.hearing.channel(*topic));
        }
        for topic in &batch.end {
            pipeline.cmd(end).arg(&*self.hearing.channel(*topic));
        }
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        count(&pipeline);
        let patience = self.hearing.redis.timeout() * BATCH_TIMEOUTS;
        let asked = timeout(patience, connection.req_packed_commands(&pipeline, 0, pipeline.len())).await;
        let answers =
            asked.map_err(|_| format!("no answer within {patience:?}"))?.map_err(|error| error.to_string())?;
        let mut desk = self.ear.desk.lock().expect(NO_PANIC);
        let mut refused = Vec::new();
        for ((topic, waiting), answer) in batch.begin.into_iter().zip(answers) {
            if let Value::ServerError(error) = answer {
                tracing::debug!(address = %self.address, %error, "a topic is not heard yet");
                refused.push((topic, waiting));
                continue;
            }
            desk.heard.insert(topic);
            tell(waiting);
        }
        Ok(refused)
    }

    /// Looks at topics until there are none left to look at. Returns what was refused.
    async fn settle_all(&self, connection: &mut MultiplexedConnection) -> Result<Vec<Change>, String> {
        let mut refused = Vec::new();
        loop {
            let changed = self.ear.take_changed();
            if changed.is_empty() {
                return Ok(refused);
            }
            let batch = self.decide(changed);
            refused.extend(self.settle(connection, batch).await?);
            self.answered()?;
        }
    }

    async fn check(&self, connection: &mut MultiplexedConnection) -> Result<(), String> {
        self.ear.desk.lock().expect(NO_PANIC).is_asking = true;
        check(connection, self.hearing.redis.timeout()).await?;
        self.answered()
    }

    fn answered(&self) -> Result<(), String> {
        let mut desk = self.ear.desk.lock().expect(NO_PANIC);
        desk.is_asking = false;
        if desk.is_confused { Err("a slot moved while Redis was asked something".to_owned()) } else { Ok(()) }
    }

    /// Hears until the connection is of no use any more.
    async fn hear(&self, connection: &mut MultiplexedConnection) -> Result<(), String> {
        let mut slots = self.hearing.redis.watch_slots();
        self.look_at_everything();
        loop {
            let refused = self.settle_all(connection).await?;
            if self.put_off(refused) {
                self.hearing.redis.refresh_later();
            }
            tokio::select! {
                () = self.ear.news.notified() => {}
                Ok(()) = slots.changed() => self.look_at_everything(),
                () = sleep(CHECK_EVERY) => self.check(connection).await?,
            }
        }
    }

    /// Keeps what was refused: it is looked at again when anything else is, at the latest when the connection is next asked after.
    /// Returns whether slots have moved.
    fn put_off(&self, refused: Vec<Change>) -> bool {
        let mut desk = self.ear.desk.lock().expect(NO_PANIC);
        let have_moved = std::mem::take(&mut desk.has_moved) || !refused.is_empty();
        for (topic, waiting) in refused {
            desk.changed.entry(topic).or_default().extend(waiting);
        }
        have_moved
    }
}

#[async_trait]
impl Visitor for EarVisitor {
    fn push(&mut self) -> Option<Push> {
        let (ear, hearing, local) = (self.ear.clone(), self.hearing.clone(), self.local.clone());
        Some(Box::new(move |info| hear(&ear, &hearing, &local, info)))
    }

    async fn up(&mut self, mut connection: MultiplexedConnection) -> String {
        self.ear.desk.lock().expect(NO_PANIC).is_away = false;
        match self.hear(&mut connection).await {
            Ok(()) => unreachable!("it hears until it fails"),
            Err(reason) => reason,
        }
    }

    fn lost(&mut self) {
        let mut desk = self.ear.desk.lock().expect(NO_PANIC);
        // Who waits goes on waiting for the next connection.
        let changed = std::mem::take(&mut desk.changed);
        *desk = Desk { changed, ..Desk::default() };
        drop(desk);
        self.hearing.redis.refresh_later();
    }

    fn away(&mut self, _reason: &str) {
        // Who waits is told by letting go of what they wait for.
        *self.ear.desk.lock().expect(NO_PANIC) = Desk { is_away: true, ..Desk::default() };
        self.hearing.redis.refresh_later();
    }
}

/// What a node says without being asked.
fn hear(ear: &Ear, hearing: &Hearing, local: &Memory, info: PushInfo) {
    let mut data = info.data.into_iter();
    let topic = match data.next() {
        Some(Value::BulkString(channel)) => hearing.topic(&channel),
        _ => None,
    };
    let Some(topic) = topic else { return };
    match (info.kind, data.next()) {
        (PushKind::Message | PushKind::SMessage, Some(Value::BulkString(payload))) => {
            let lost = local.say(Said { topic, payload: payload.into() });
            if lost > 0 {
                metrics::counter!("klatch_live_lost_total").increment(lost as u64);
            }
        }
        (PushKind::Unsubscribe | PushKind::SUnsubscribe, _) => {
            let mut desk = ear.desk.lock().expect(NO_PANIC);
            if desk.ending > 0 {
                desk.ending -= 1;
                return;
            }
            desk.heard.remove(&topic);
            desk.changed.entry(topic).or_default();
            desk.has_moved = true;
            desk.is_confused |= desk.is_asking;
            ear.news.notify_one();
        }
        _ => {}
    }
}

/// Tells who waits for a topic that it is heard. Some wait no more.
fn tell(waiting: Vec<oneshot::Sender<()>>) {
    for waiting in waiting {
        let _ = waiting.send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::redis::bench;
    use crate::live::redis::RedisLive;

    /// The library takes what a node says of a channel that has ended for the answer to whatever was asked first.
    #[tokio::test]
    async fn a_channel_that_ends_by_itself_while_something_is_asked_spoils_the_connection() {
        let live = RedisLive::new(bench::redis(&bench::server()));
        let visitor = EarVisitor::new("".into(), Arc::default(), live.hearing.clone(), live.local.clone());
        let topic = Topic::Node(klatch_ports::contract::fresh());
        let ended = || {
            let channel = Value::BulkString(live.hearing.channel(topic).to_vec());
            let info = PushInfo { kind: PushKind::SUnsubscribe, data: vec![channel, Value::Int(0)] };
            hear(&visitor.ear, &live.hearing, &live.local, info);
        };
        let desk = || visitor.ear.desk.lock().unwrap();
        desk().ending = 1;
        desk().is_asking = true;
        ended();
        assert!(!desk().has_moved, "we have ended it ourselves");
        visitor.answered().unwrap();
        ended();
        assert!(desk().has_moved && desk().changed.contains_key(&topic));
        visitor.answered().unwrap();
        desk().is_asking = true;
        ended();
        visitor.answered().unwrap_err();
    }
}
