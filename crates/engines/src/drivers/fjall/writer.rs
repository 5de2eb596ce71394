//! The thread that writes: it takes everything that waits, commits it at once with one sync, and only then answers. While it
//! syncs, the next group gathers: so the group grows with the load, and nobody waits for a timer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use bytes::Bytes;
use fjall::{OwnedWriteBatch, PersistMode};
use klatch_ports::{Error, ErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::{Space, Tables, failed};
use crate::drivers::fuse::Refusal;

/// Writes that wait; who comes then, waits for a place.
const WAITING_MAX: usize = 1_024;
/// The bytes staged beyond which a group takes nothing more.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// Free bytes on the disk below which nothing is written, since flushing and compaction need room for what was written before.
const RESERVE_BYTES: u64 = 128 << 20;

pub struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(tables: Arc<Tables>, dir: PathBuf) -> std::io::Result<Self> {
        let (queue, works) = mpsc::channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("log-writer".to_owned());
        let thread = thread.spawn(move || Loop { tables, dir }.run(works))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub async fn write<T, F>(&self, stage: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Group<'_>) -> Result<T, Error> + Send + 'static,
    {
        let gone = || Error::new(ErrorKind::Broken, "the thread that writes has died: restart");
        let (caller, answer) = oneshot::channel();
        let write = Write { stage: Some(stage), staged: None, caller };
        let queue = self.queue.as_ref().expect("it is there until this is dropped");
        queue.send(Box::new(write)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // If it died, its callers were told.
            let _ = thread.join();
        }
    }
}

/// A write on its way: staged into a group, and answered when the group's fate is known.
trait Work: Send {
    fn stage(&mut self, group: &mut Group<'_>);
    fn answer(self: Box<Self>, fate: Result<(), &Refusal>);
}

struct Write<T, F> {
    stage: Option<F>,
    staged: Option<Result<T, Error>>,
    caller: oneshot::Sender<Result<T, Error>>,
}

impl<T, F> Work for Write<T, F>
where
    T: Send,
    F: FnOnce(&mut Group<'_>) -> Result<T, Error> + Send,
{
    fn stage(&mut self, group: &mut Group<'_>) {
        let stage = self.stage.take().expect("it is staged once");
        self.staged = Some(stage(group));
    }

    fn answer(self: Box<Self>, fate: Result<(), &Refusal>) {
        let answer = match fate {
            Ok(()) => self.staged.expect("it was staged before the group was committed"),
            Err(refusal) => Err(refusal.into()),
        };
        // Who does not wait any more does not want to know.
        let _ = self.caller.send(answer);
    }
}

/// Writes that are committed together.
pub(crate) struct Group<'a> {
    tables: &'a Tables,
    /// By key, since two writes of one group may meet in one: the later wins.
    writes: HashMap<(Space, Bytes), Option<Bytes>>,
    bytes: usize,
    must_sync: bool,
    position: u64,
}

impl<'a> Group<'a> {
    fn new(tables: &'a Tables) -> Self {
        let position = *tables.position.borrow();
        Self { tables, writes: HashMap::new(), bytes: 0, must_sync: false, position }
    }

    /// What this key holds, with everything that was staged before.
    pub fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Error> {
        if let Some(staged) = self.writes.get(&(space, Bytes::copy_from_slice(key))) {
            return Ok(staged.clone());
        }
        let stored = self.tables.space(space).get(key).map_err(failed)?;
        Ok(stored.map(Bytes::from))
    }

    pub fn put(&mut self, space: Space, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.write(space, key.into(), Some(value.into()));
    }

    pub fn remove(&mut self, space: Space, key: impl Into<Bytes>) {
        self.write(space, key.into(), None);
    }

    fn write(&mut self, space: Space, key: Bytes, value: Option<Bytes>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
        self.writes.insert((space, key), value);
    }

    /// The group is answered only when it is on disk.
    pub fn must_sync(&mut self) {
        self.must_sync = true;
    }

    /// The next position of the feed. Who asks for it uses it.
    pub fn next_position(&mut self) -> u64 {
        self.position += 1;
        self.position
    }

    fn commit(self) -> fjall::Result<()> {
        let tables = self.tables;
        if self.writes.is_empty() {
            return Ok(());
        }
        #[cfg(test)]
        if tables.breaks.load(Ordering::Relaxed) {
            return Err(fjall::Error::Poisoned);
        }
        // What it takes to read the data back is synced with them (POSIX fdatasync), and not when the journal was changed last: that
        // would be a second write for each group.
        let persist = if self.must_sync { PersistMode::SyncData } else { PersistMode::Buffer };
        let batch = OwnedWriteBatch::with_capacity(tables.database.clone(), self.writes.len());
        let mut batch = batch.durability(Some(persist));
        for ((space, key), value) in self.writes {
            match value {
                Some(value) => batch.insert(tables.space(space), key, value),
                None => batch.remove(tables.space(space), key),
            }
        }
        batch.commit()?;
        tables.syncs.fetch_add(u64::from(self.must_sync), Ordering::Relaxed);
        tables.position.send_if_modified(|position| std::mem::replace(position, self.position) != self.position);
        Ok(())
    }
}

struct Loop {
    tables: Arc<Tables>,
    dir: PathBuf,
}

impl Loop {
    fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Work>>) {
        let mut waiting = Vec::new();
        while queue.blocking_recv_many(&mut waiting, WAITING_MAX) > 0 {
            let mut waiting = waiting.drain(..).peekable();
            while waiting.peek().is_some() {
                self.write_group(&mut waiting);
            }
        }
    }

    /// Stages as much as makes a group, commits and answers it.
    fn write_group(&mut self, waiting: &mut impl Iterator<Item = Box<dyn Work>>) {
        if let Some(refusal) = self.tables.fuse.refusal().or_else(|| self.disk_is_full()) {
            return waiting.for_each(|work| work.answer(Err(&refusal)));
        }
        let mut group = Group::new(&self.tables);
        let mut works = Vec::new();
        while group.bytes < GROUP_BYTES_MAX
            && let Some(mut work) = waiting.next()
        {
            work.stage(&mut group);
            works.push(work);
        }
        if let Err(error) = group.commit() {
            self.tables.fuse.blow(&format!(
                "a commit to the log failed ({error}), so it is not known what the disk has kept: look at the disk, then start \
                 the node again"
            ));
            let refusal = self.tables.fuse.refusal().expect("it was blown");
            return works.into_iter().for_each(|work| work.answer(Err(&refusal)));
        }
        works.into_iter().for_each(|work| work.answer(Ok(())));
    }

    fn disk_is_full(&self) -> Option<Refusal> {
        let reason = "the disk is almost full: make room";
        is_full(&self.dir).then(|| Refusal { kind: ErrorKind::Full, reason: reason.into() })
    }
}

/// Whether less is free than is kept for what was written before. Where the system does not say how much is, a failing write
/// will.
pub fn is_full(dir: &Path) -> bool {
    is_full_after(dir, 0)
}

/// Whether it would be, if so many bytes more were written.
pub fn is_full_after(dir: &Path, bytes: u64) -> bool {
    rustix::fs::statvfs(dir).is_ok_and(|disk| disk.f_bavail * disk.f_frsize < RESERVE_BYTES + bytes)
}
