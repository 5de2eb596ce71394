//! Who listens to what on this node. A conversation is delivered only contiguously: at a hole the log is read first, so that every
//! leave and removal is met before anything later.

mod introduce;
mod repair;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use klatch_core::conversation::{Effect, Event, react};
use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::Error;
use klatch_ports::directory::Directory;
use klatch_ports::live::{Topic, Topics};
use klatch_protocol::gateway::{HeadItem, ServerFrame};
use parking_lot::Mutex;

use super::connection::{Connection, Entered};
use super::outbox::encode;
use super::people::People;
use super::rooms::Room;
use crate::heads::Heads;
use crate::presenting::present;
use crate::processor::event_of;
use crate::sealing::Sealer;
use crate::services::Services;

const SHARDS: usize = 64;
/// Records read at a time.
const PAGE: usize = 200;
/// Connections up to which the task of each is woken to write; where more hear, they are written to in parts.
const FEW: usize = 16;
/// Connections that are written to by one task.
const PART: usize = 128;

/// Who listens to what on this node.
pub struct Hub {
    services: Arc<Services>,
    sealer: Arc<Sealer>,
    heads: Heads,
    topics: Arc<dyn Topics>,
    /// Held while a topic is added or removed, so that one does not overtake the other.
    changing_topics: tokio::sync::Mutex<()>,
    rooms: Vec<Mutex<HashMap<ConversationId, Room>>>,
    /// On how many screens a conversation is, also before anybody listens to it.
    open: Mutex<HashMap<ConversationId, u32>>,
    /// Who is here, and who watches whom.
    pub people: People,
    connections: AtomicUsize,
    large_from: usize,
    /// Writes to clients.
    writes: metrics::Counter,
}

impl Hub {
    /// Nobody listens yet.
    pub fn new(
        services: Arc<Services>,
        sealer: Arc<Sealer>,
        heads: Heads,
        topics: Arc<dyn Topics>,
        large_from: usize,
        writes: metrics::Counter,
    ) -> Arc<Self> {
        let people = People::new(topics.clone());
        Arc::new(Self {
            services,
            sealer,
            heads,
            topics,
            changing_topics: tokio::sync::Mutex::default(),
            rooms: (0..SHARDS).map(|_| Mutex::default()).collect(),
            open: Mutex::default(),
            people,
            connections: AtomicUsize::new(0),
            large_from,
            writes,
        })
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// A person's connection is there, and hears what concerns them.
    ///
    /// # Errors
    /// The port `live` failed.
    pub async fn register(&self, connection: &Arc<Connection>) -> Result<(), Error> {
        self.people.add(connection).await?;
        self.connections.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// A connection is gone.
    pub async fn unregister(&self, connection: &Arc<Connection>) {
        for conversation in connection.take_conversations() {
            self.detach(connection, conversation);
        }
        self.open(connection, Vec::new());
        self.people.remove(connection).await;
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// From now on a connection has these conversations on its screen, and no others.
    pub fn open(&self, connection: &Connection, conversations: Vec<ConversationId>) {
        let mut open = self.open.lock();
        for conversation in &conversations {
            *open.entry(*conversation).or_default() += 1;
        }
        for conversation in connection.set_open(conversations) {
            if let Entry::Occupied(mut count) = open.entry(conversation) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }

    /// Who is who.
    pub fn directory(&self) -> &dyn Directory {
        &*self.services.directory
    }

    /// Somebody's key was destroyed: nothing of theirs is opened here any more.
    pub fn forget_key(&self, user: UserId) {
        self.sealer.forget(user);
    }

    /// How far a conversation is that a connection listens to.
    pub fn position(&self, conversation: ConversationId) -> Option<Seq> {
        self.shard(conversation).lock().get(&conversation).map(|room| room.position)
    }

    /// A connection listens to a conversation, from after `start` on: what followed there so far is put into its outbox first. It
    /// does not come to that where its person was removed meanwhile.
    ///
    /// # Errors
    /// The log or the port `live` failed; it may be tried again.
    pub async fn attach(
        &self,
        connection: &Arc<Connection>,
        conversation: ConversationId,
        start: Seq,
    ) -> Result<(), Error> {
        let attached = match connection.enter(conversation, start) {
            Entered::Now => self.catch_up(connection, conversation, start).await,
            // Somebody else attached it from where the conversation stood later. What lies between, neither has told.
            Entered::Before(since) => return self.tell_between(connection, conversation, start, since).await.map(drop),
            Entered::Gone => return Ok(()),
        };
        if attached.is_err() {
            connection.leave(conversation);
        }
        attached
    }

    async fn catch_up(
        &self,
        connection: &Arc<Connection>,
        conversation: ConversationId,
        mut start: Seq,
    ) -> Result<(), Error> {
        loop {
            let Some(position) = self.join_at(connection, conversation, start) else { return Ok(()) };
            if position == Seq::ZERO {
                self.make_room(conversation).await?;
                continue;
            }
            if self.tell_between(connection, conversation, start, position).await? {
                connection.leave(conversation);
                return Ok(());
            }
            start = position;
        }
    }

    /// Puts what happened after `start`, up to `end`, into an outbox. Whether its person was removed meanwhile: they hear of that, and of
    /// nothing later.
    async fn tell_between(
        &self,
        connection: &Connection,
        conversation: ConversationId,
        mut start: Seq,
        end: Seq,
    ) -> Result<bool, Error> {
        while start < end {
            let events = self.read(conversation, start, end).await?;
            let Some(last) = events.last() else {
                return Err(Error::corrupt("events that were delivered are not in the log"));
            };
            start = last.seq;
            let leaves = events.iter().position(|event| goes(event, connection.user));
            let events = &events[..leaves.map_or(events.len(), |at| at + 1)];
            connection.outbox.push(self.frame(conversation, events).await?);
            if leaves.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Events of a conversation were heard, in order. What comes next is handed out; what was not heard is read from the log.
    ///
    /// # Errors
    /// The keys failed; the log will be read later.
    pub async fn hear(self: &Arc<Self>, conversation: ConversationId, events: Vec<Event>) -> Result<(), Error> {
        let fresh = match self.shard(conversation).lock().get_mut(&conversation) {
            Some(room) => room.hear(events),
            None => return Ok(()),
        };
        let delivered = if fresh.is_empty() { Ok(()) } else { self.deliver(conversation, &fresh).await };
        if let Some(room) = self.shard(conversation).lock().get_mut(&conversation) {
            room.is_busy &= fresh.is_empty();
            if delivered.is_ok() && room.begin_to_mend() {
                tokio::spawn(self.clone().mend(conversation));
            }
        }
        delivered
    }

    /// Hands a signal to everybody who listens, unless it comes from beyond what was delivered here: then somebody may have been
    /// removed, and the log is read first.
    pub fn signal(self: &Arc<Self>, conversation: ConversationId, as_of: Seq, from: Option<UserId>, frame: &Bytes) {
        let mut shard = self.shard(conversation).lock();
        let Some(room) = shard.get_mut(&conversation) else { return };
        if as_of > room.position {
            room.wanted = room.wanted.max(as_of);
            if room.begin_to_mend() {
                tokio::spawn(self.clone().mend(conversation));
            }
            return;
        }
        let others = room.listeners.iter().filter(|connection| Some(connection.user) != from);
        others.for_each(|connection| connection.outbox.push_signal(frame.clone()));
    }

    /// Hands consecutive events to everybody who listens: encoded once for all. Those who go hear of that, and of nothing later.
    async fn deliver(&self, conversation: ConversationId, events: &[Event]) -> Result<(), Error> {
        let mut rest = events;
        while let Some(first) = rest.first() {
            let last = rest.iter().position(|event| goer(event).is_some()).map_or(rest.len(), |at| at + 1);
            let (now, later) = rest.split_at(last);
            let is_heard =
                self.shard(conversation).lock().get(&conversation).is_some_and(|room| !room.listeners.is_empty());
            let frame = if is_heard { Some(self.frame(conversation, now).await?) } else { None };
            let mut shard = self.shard(conversation).lock();
            let Some(room) = shard.get_mut(&conversation) else { return Ok(()) };
            debug_assert_eq!(room.position.next(), first.seq, "delivered contiguously");
            let unwritten = match &frame {
                Some(frame) => hand_out(room, conversation, now, frame, self.large_from),
                // Somebody came after the look and before the lock: they are told through the log.
                None if !room.listeners.is_empty() => continue,
                None => Vec::new(),
            };
            room.position = now[now.len() - 1].seq;
            if let Some(user) = goer(&now[now.len() - 1]) {
                room.listeners.retain(|connection| {
                    let goes = connection.user == user;
                    if goes {
                        connection.leave(conversation);
                    }
                    !goes
                });
            }
            drop(shard);
            self.write_out(&unwritten);
            rest = later;
        }
        Ok(())
    }

    /// Writes out what was put into the outboxes of these: each part by a task of its own, so that all cores take part.
    fn write_out(&self, unwritten: &[Arc<Connection>]) {
        for part in unwritten.chunks(PART) {
            let (part, writes) = (part.to_vec(), self.writes.clone());
            tokio::spawn(async move {
                writes.increment(part.iter().map(|connection| connection.outbox.write_now()).sum());
            });
        }
    }

    async fn frame(&self, conversation: ConversationId, events: &[Event]) -> Result<Bytes, Error> {
        let mut shown = Vec::with_capacity(events.len());
        for event in events {
            shown.push(present(&self.sealer, conversation, event).await?);
        }
        Ok(encode(&ServerFrame::Events { conversation: conversation.0, events: shown }))
    }

    /// Events after `start`, up to `end`, at most a page.
    async fn read(&self, conversation: ConversationId, start: Seq, end: Seq) -> Result<Vec<Event>, Error> {
        let limit = PAGE.min(end.0.saturating_sub(start.0) as usize);
        let records = self.services.event_log.read(conversation, start.next(), limit).await?;
        records.iter().map(event_of).collect()
    }

    /// Joins the listeners if nothing happened after `start`. Otherwise says how far the conversation is; zero if it is not known.
    fn join_at(&self, connection: &Arc<Connection>, conversation: ConversationId, start: Seq) -> Option<Seq> {
        let mut shard = self.shard(conversation).lock();
        let Some(room) = shard.get_mut(&conversation) else { return Some(Seq::ZERO) };
        if !connection.is_in(conversation) {
            // It has gone meanwhile.
            return None;
        }
        if room.position > start {
            return Some(room.position);
        }
        room.listeners.push(connection.clone());
        None
    }

    async fn make_room(&self, conversation: ConversationId) -> Result<(), Error> {
        let _changing = self.changing_topics.lock().await;
        self.topics.add(Topic::Conversation(conversation)).await?;
        let tail = self.services.event_log.tails(&[conversation]).await?.pop().unwrap_or_default();
        if tail == Seq::ZERO {
            return Err(Error::corrupt("a conversation of which the log knows nothing"));
        }
        self.shard(conversation).lock().entry(conversation).or_insert_with(|| Room::new(tail));
        Ok(())
    }

    fn detach(&self, connection: &Arc<Connection>, conversation: ConversationId) {
        if let Some(room) = self.shard(conversation).lock().get_mut(&conversation) {
            room.listeners.retain(|other| !Arc::ptr_eq(other, connection));
        }
    }

    fn shard(&self, conversation: ConversationId) -> &Mutex<HashMap<ConversationId, Room>> {
        &self.rooms[usize::from(conversation.as_bytes()[15]) % SHARDS]
    }
}

/// Hands a frame with these events to everybody in the room; in a large one, to those who look, are mentioned or go. Returns those
/// whose outboxes are to be written out.
fn hand_out(
    room: &mut Room,
    conversation: ConversationId,
    events: &[Event],
    frame: &Bytes,
    large_from: usize,
) -> Vec<Arc<Connection>> {
    let hearing = if room.listeners.len() <= large_from {
        room.listeners.clone()
    } else {
        let last = &events[events.len() - 1];
        let Event { seq, worthy, at, .. } = *last;
        room.untold = Some(HeadItem { conversation: conversation.0, seq: seq.0, worthy, at: at.0 });
        let meant: Vec<_> = events.iter().flat_map(meant).collect();
        let hears =
            |connection: &&Arc<Connection>| meant.contains(&connection.user) || connection.has_open(conversation);
        room.listeners.iter().filter(hears).cloned().collect()
    };
    if hearing.len() <= FEW {
        hearing.iter().for_each(|connection| connection.outbox.push(frame.clone()));
        return Vec::new();
    }
    hearing.iter().for_each(|connection| connection.outbox.put(frame.clone()));
    hearing
}

/// Who must hear of an event, wherever they look: its author, whoever it mentions, comes or goes by it.
fn meant(event: &Event) -> Vec<UserId> {
    let mut all = vec![event.author];
    all.extend(react(event).into_iter().filter_map(|effect| match effect {
        Effect::Joined { user, .. }
        | Effect::RoleSet { user, .. }
        | Effect::Gone { user }
        | Effect::Mentioned { user, .. } => Some(user),
        _ => None,
    }));
    all
}

/// Whoever is no member after this event.
fn goer(event: &Event) -> Option<UserId> {
    react(event).into_iter().find_map(|effect| match effect {
        Effect::Gone { user } => Some(user),
        _ => None,
    })
}

fn goes(event: &Event, user: UserId) -> bool {
    goer(event) == Some(user)
}
