//! What a member of a consumer group was given: an inbox for each partition that is its own, filled by the member's thread and
//! emptied by whoever works. A partition that is taken away takes its inbox with it, whatever is in it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;
use klatch_ports::Error;

/// What an inbox may hold.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Messages.
    pub messages_max: usize,
    /// Bytes of keys and values, but for the last one.
    pub bytes_max: usize,
}

/// A message of a partition.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its place in the partition.
    pub offset: i64,
    /// Its key, or nothing.
    pub key: Bytes,
    /// Its value.
    pub payload: Bytes,
}

/// Where each partition goes on, as far as that is known: the offset of what is handed out next.
pub type Places = BTreeMap<i32, Option<i64>>;

/// The inboxes of one member.
pub struct Inboxes {
    state: Mutex<State>,
    /// Held while offsets are committed; taken whole before a partition is given up. So nobody commits for another one's turn.
    commits: RwLock<()>,
    room: Room,
    /// Told of each partition in which something changed, or of nothing where it concerns all.
    wake: Box<dyn Fn(Option<i32>) + Send + Sync>,
}

#[derive(Default)]
struct State {
    inboxes: BTreeMap<i32, Inbox>,
    /// Whether the group has said which partitions are this member's.
    is_member: bool,
    /// Why nothing comes any more, if the member ended.
    ended: Option<String>,
    /// Turns that there were.
    turns: u64,
}

#[derive(Default)]
struct Inbox {
    /// Which turn at this partition this is, so that a later one is not taken for it.
    turn: u64,
    messages: VecDeque<Message>,
    bytes: usize,
    /// How many of the messages were handed out and are kept until they are settled.
    handed: usize,
    /// The offset after the last message that was handed out, as far as one was.
    next: Option<i64>,
}

impl Inbox {
    fn pop(&mut self, count: usize) -> Vec<Message> {
        let popped: Vec<_> = self.messages.drain(..count).collect();
        self.bytes -= popped.iter().map(bytes_of).sum::<usize>();
        popped
    }
}

impl Inboxes {
    /// None yet. `wake` is called with a lock held: it must not come back here.
    pub fn new(room: Room, wake: impl Fn(Option<i32>) + Send + Sync + 'static) -> Self {
        Self { state: Mutex::default(), commits: RwLock::default(), room, wake: Box::new(wake) }
    }

    /// These partitions are this member's from now on.
    pub(super) fn assign(&self, partitions: impl Iterator<Item = i32>) {
        let mut state = self.state();
        state.is_member = true;
        for partition in partitions {
            state.turns += 1;
            let inbox = Inbox { turn: state.turns, ..Inbox::default() };
            state.inboxes.insert(partition, inbox);
        }
        // Also whoever waits to learn that there is nothing for it.
        (self.wake)(None);
    }

    /// These partitions are this member's no more; `are_lost` says that others may have them already.
    pub(super) fn revoke(&self, partitions: impl Iterator<Item = i32>, are_lost: bool) {
        let _nobody_commits = self.commits.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        state.is_member &= !are_lost;
        for partition in partitions {
            state.inboxes.remove(&partition);
            (self.wake)(Some(partition));
        }
    }

    /// The member ended: nothing comes any more.
    pub(super) fn end(&self, reason: &str) {
        let _nobody_commits = self.commits.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        state.ended = Some(reason.to_owned());
        state.inboxes.clear();
        (self.wake)(None);
    }

    /// Puts a message into its partition's inbox, and returns whether there is room for another one.
    pub(super) fn put(&self, partition: i32, message: Message) -> bool {
        let mut state = self.state();
        // Of a partition that is not ours any more: it will be delivered to whoever has it.
        let Some(inbox) = state.inboxes.get_mut(&partition) else { return true };
        inbox.bytes += bytes_of(&message);
        inbox.messages.push_back(message);
        (self.wake)(Some(partition));
        inbox.messages.len() < self.room.messages_max && inbox.bytes < self.room.bytes_max
    }

    /// Whether an inbox that was full is half empty, or gone.
    pub(super) fn has_room(&self, partition: i32) -> bool {
        self.state().inboxes.get(&partition).is_none_or(|inbox| {
            inbox.messages.len() <= self.room.messages_max / 2 && inbox.bytes <= self.room.bytes_max / 2
        })
    }

    /// Held while offsets are committed: until then no partition is given up.
    pub(super) fn commits(&self) -> RwLockReadGuard<'_, ()> {
        self.commits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this turn at a partition lasts.
    pub fn holds(&self, partition: i32, turn: u64) -> bool {
        self.state().inboxes.get(&partition).is_some_and(|inbox| inbox.turn == turn)
    }

    /// Begins to work at a partition, with whatever was not settled; returns which turn it is, or nothing while it is not ours.
    ///
    /// # Errors
    /// `Unavailable`: the member ended.
    pub fn begin(&self, partition: i32) -> Result<Option<u64>, Error> {
        let mut state = self.state();
        state.check()?;
        Ok(state.inboxes.get_mut(&partition).map(|inbox| {
            inbox.handed = 0;
            inbox.turn
        }))
    }

    /// Hands out up to `limit` messages, which are kept until they are settled.
    ///
    /// # Errors
    /// `Conflict`: this turn is over.
    pub fn hand_out(&self, partition: i32, turn: u64, limit: usize) -> Result<Vec<Message>, Error> {
        let mut state = self.state();
        let inbox = state.turn(partition, turn)?;
        let first = inbox.handed;
        inbox.handed = inbox.messages.len().min(first.saturating_add(limit.max(1)));
        Ok(inbox.messages.range(first..inbox.handed).cloned().collect())
    }

    /// The offset to commit, after the last of those that were handed out and have an offset below this one; or nothing, where there
    /// are none.
    ///
    /// # Errors
    /// `Conflict`: this turn is over.
    pub fn to_settle(&self, partition: i32, turn: u64, offset: i64) -> Result<Option<i64>, Error> {
        let mut state = self.state();
        let inbox = state.turn(partition, turn)?;
        let handed = inbox.messages.range(..inbox.handed);
        Ok(handed.rev().map(|message| message.offset + 1).find(|next| *next <= offset))
    }

    /// Drops what was committed.
    pub fn settled(&self, partition: i32, turn: u64, offset: i64) {
        let mut state = self.state();
        // If the turn is over, so is what it had.
        let Ok(inbox) = state.turn(partition, turn) else { return };
        let count = inbox.messages.partition_point(|message| message.offset < offset).min(inbox.handed);
        inbox.pop(count);
        inbox.handed -= count;
    }

    /// Takes up to `limit` messages of one partition out of its inbox: of the next one after `last` that has some. Returns the
    /// partition and its turn beside them, or nothing where there are none.
    ///
    /// # Errors
    /// `Unavailable`: the member ended.
    pub fn take(&self, last: i32, limit: usize) -> Result<Option<(i32, u64, Vec<Message>)>, Error> {
        let mut state = self.state();
        state.check()?;
        let has_some = |(partition, inbox): (&i32, &Inbox)| (!inbox.messages.is_empty()).then_some(*partition);
        let later = state.inboxes.range(last.saturating_add(1)..).find_map(has_some);
        let Some(partition) = later.or_else(|| state.inboxes.iter().find_map(has_some)) else { return Ok(None) };
        let Some(inbox) = state.inboxes.get_mut(&partition) else { return Ok(None) };
        let messages = inbox.pop(limit.max(1).min(inbox.messages.len()));
        inbox.next = messages.last().map(|message| message.offset + 1);
        Ok(Some((partition, inbox.turn, messages)))
    }

    /// Where each partition goes on, as far as that is known; or nothing while the group has not said which are ours.
    ///
    /// # Errors
    /// `Unavailable`: the member ended.
    pub fn places(&self) -> Result<Option<Places>, Error> {
        let state = self.state();
        state.check()?;
        let place = |(partition, inbox): (&i32, &Inbox)| {
            let first = inbox.messages.front().map(|message| message.offset);
            (*partition, first.or(inbox.next))
        };
        Ok(state.is_member.then(|| state.inboxes.iter().map(place).collect()))
    }

    /// Whether a message waits in an inbox.
    pub fn has_some(&self) -> bool {
        self.state().inboxes.values().any(|inbox| inbox.messages.len() > inbox.handed)
    }

    /// The answer to one whose turn that is.
    pub(super) fn turn_is_over() -> Error {
        Error::conflict("the partition was given to another member of the group")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self) -> Result<(), Error> {
        self.ended.as_ref().map_or(Ok(()), |reason| Err(Error::unavailable(reason.clone())))
    }

    fn turn(&mut self, partition: i32, turn: u64) -> Result<&mut Inbox, Error> {
        let inbox = self.inboxes.get_mut(&partition).filter(|inbox| inbox.turn == turn);
        inbox.ok_or_else(Inboxes::turn_is_over)
    }
}

fn bytes_of(message: &Message) -> usize {
    message.key.len() + message.payload.len()
}
