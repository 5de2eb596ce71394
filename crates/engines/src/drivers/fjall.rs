//! The store on one disk that the log, the feed and the overlay share: a [fjall] database (an LSM tree behind a journal), one
//! thread that writes to it in groups, and reads beside that. One process opens it at a time.
//!
//! A directory holds `LOCK`, which an open store keeps locked; `VERSION`, the version of what lies beside it; and `store/`, the
//! database. Everything that is written goes through the journal in order, over all spaces: what loss of power takes is a
//! suffix of the groups that were not synced, each as a whole.

#[cfg(test)]
pub(crate) mod bench;
mod compaction;
mod directory;
mod journal;
mod open_error;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(test)]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, Readable, Snapshot};
use klatch_ports::{Error, ErrorKind};
use tokio::sync::watch;

pub(crate) use compaction::note_erasure;
pub use open_error::OpenError;
pub(crate) use writer::Group;
use writer::Writer;

use super::Fuse;

/// How much the store may take.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for blocks that were read: bytes.
    pub cache_bytes: u64,
    /// What the records gather in memory before they are written to a table: bytes. The other spaces gather less.
    pub memtable_bytes: u64,
    /// Threads that flush and compact.
    pub workers: usize,
    /// What stops it together with the other stores of the node.
    pub fuse: Fuse,
}

impl Default for Options {
    /// For a node that shall idle in a few tens of megabytes.
    fn default() -> Self {
        Self { cache_bytes: 24 << 20, memtable_bytes: 8 << 20, workers: 2, fuse: Fuse::default() }
    }
}

/// A part of the store with keys of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Space {
    /// Conversation, seq → record.
    Records,
    /// Conversation, command id → what the index answers.
    Index,
    /// Conversation → its last seq.
    Tails,
    /// Position in the feed → conversation, seq.
    Order,
    /// Conversation → seq, state.
    Snapshots,
    /// Conversation, seq → row; conversation → the last seq that the rows hold.
    Overlays,
    /// Kind of worker → its place in the feed.
    Workers,
}

impl Space {
    /// What fjall calls it in its journal: spaces are counted from 1 in the order in which they are made.
    fn number(self) -> u64 {
        self as u64 + 1
    }
}

/// The spaces in the order of [`Space`], with their names on disk, and by how much each gathers less than the records.
const SPACES: [(&str, u64); 7] =
    [("records", 1), ("index", 2), ("tails", 4), ("order", 4), ("snapshots", 2), ("overlays", 2), ("workers", 8)];

/// The bytes of all journals beyond which spaces that are seldom written are flushed as well, so that opening never reads more.
const JOURNALS_BYTES_MAX: u64 = 64 << 20;
/// Files that are kept open.
const FILES_MAX: usize = 256;

/// An open store. Dropping it waits for what is being written, flushed or compacted.
pub struct Store {
    // In the order in which they must go: first who writes, last the lock.
    writer: Writer,
    tables: Arc<Tables>,
    dir: PathBuf,
    #[expect(dead_code, reason = "it is locked as long as it is open")]
    lock: File,
}

/// The database and its spaces, and what is known of them.
pub(crate) struct Tables {
    spaces: Vec<Keyspace>,
    database: Database,
    /// The last position of the feed that is durable.
    position: watch::Sender<u64>,
    syncs: AtomicU64,
    fuse: Fuse,
    /// Makes the next commit fail.
    #[cfg(test)]
    breaks: AtomicBool,
}

impl Store {
    /// Opens the store in this directory, making it if there is none. Blocks for as long as that takes: after a crash it reads
    /// up to some 100 MB of journal.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn open(dir: &Path, options: Options) -> Result<Arc<Self>, OpenError> {
        let lock = directory::lock(dir)?;
        let database = directory::open(dir, &options)?;
        let spaces = open_spaces(&database, &options).map_err(|error| OpenError::of_fjall(dir, error))?;
        let last = database.snapshot().last_key_value(&spaces[Space::Order as usize]);
        let last = last.map(|last| last.key()).transpose().map_err(|error| OpenError::of_fjall(dir, error))?;
        let position = last.map_or(Some(0), |key| u64_of(&key)).ok_or_else(|| OpenError::damaged(dir, "a position"))?;
        let tables = Arc::new(Tables {
            spaces,
            database,
            position: watch::Sender::new(position),
            syncs: AtomicU64::new(0),
            fuse: options.fuse,
            #[cfg(test)]
            breaks: false.into(),
        });
        let writer = Writer::start(tables.clone(), dir.to_owned()).map_err(|error| OpenError::of_io(dir, error))?;
        Ok(Arc::new(Self { writer, tables, dir: dir.to_owned(), lock }))
    }

    /// How many times the disk was asked to sync, by whatever was written since the store was opened.
    pub fn syncs(&self) -> u64 {
        self.tables.syncs.load(Ordering::Relaxed)
    }

    /// Whether so little is free on the disk that nothing is written until there is more.
    pub fn is_full(&self) -> bool {
        writer::is_full(&self.dir)
    }

    /// Stages what `stage` writes together with whatever waits beside it, commits all at once, and then returns what `stage`
    /// returned. If `stage` fails it must not have written.
    ///
    /// # Errors
    /// Those of `stage`; `Full`: the disk is, and nothing was done; `Broken`: a commit failed, this one or an earlier.
    pub(crate) async fn write<T, F>(&self, stage: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Group<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.writer.write(stage).await
    }

    /// One state of the store, with everything that was answered before, to be read at once: it takes microseconds as long as
    /// only a few keys are asked for.
    pub(crate) fn view(&self) -> View {
        self.tables.view()
    }

    /// The same, read elsewhere, for whatever may take longer.
    pub(crate) async fn view_blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(View) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let view = self.tables.view();
        blocking(move || read(view)).await
    }

    /// How many events were ever made durable.
    pub fn position(&self) -> u64 {
        *self.tables.position.borrow()
    }

    /// The last position of the feed that is durable, whenever that moves.
    pub(crate) fn watch_position(&self) -> watch::Receiver<u64> {
        self.tables.position.subscribe()
    }

    /// Makes the next commit fail.
    #[cfg(test)]
    pub(crate) fn fail_next_sync(&self) {
        self.tables.breaks.store(true, Ordering::SeqCst);
    }
}

impl Tables {
    fn space(&self, space: Space) -> &Keyspace {
        &self.spaces[space as usize]
    }

    fn view(self: &Arc<Self>) -> View {
        View { snapshot: self.database.snapshot(), tables: self.clone() }
    }
}

/// One state of the store.
pub(crate) struct View {
    snapshot: Snapshot,
    tables: Arc<Tables>,
}

impl View {
    pub fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let value = self.snapshot.get(self.tables.space(space), key).map_err(failed)?;
        Ok(value.map(Bytes::from))
    }

    /// The keys and values of this range, in order.
    pub fn range<'a>(
        &'a self,
        space: Space,
        from: &'a [u8],
        to: &'a [u8],
    ) -> impl Iterator<Item = Result<(Bytes, Bytes), Error>> + 'a {
        // fjall takes an inverted range for a mistake worth a panic; here it is an empty one.
        let range = (from <= to).then(|| self.snapshot.range(self.tables.space(space), from..=to));
        range.into_iter().flatten().map(|entry| {
            let (key, value) = entry.into_inner().map_err(failed)?;
            Ok((key.into(), value.into()))
        })
    }
}

/// Conversation and seq, or whatever else is two things in order.
pub(crate) fn pair(first: &[u8; 16], second: &[u8]) -> Vec<u8> {
    [first, second].concat()
}

/// A number as it is kept in keys and values: it sorts.
pub(crate) fn u64_of(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().map(u64::from_be_bytes).ok()
}

/// [`u64_of`], where anything else was never written.
pub(crate) fn u64_or_corrupt(bytes: &[u8]) -> Result<u64, Error> {
    u64_of(bytes).ok_or_else(|| Error::corrupt("a number is not as it was written"))
}

fn open_database(at: &Path, options: &Options) -> fjall::Result<Database> {
    Database::builder(at)
        .cache_size(options.cache_bytes)
        .worker_threads(options.workers)
        .max_journaling_size(JOURNALS_BYTES_MAX)
        .max_cached_files(Some(FILES_MAX))
        // Bodies are sealed: they do not get smaller.
        .journal_compression(CompressionType::None)
        // The writer says for each group how durable it must be.
        .manual_journal_persist(true)
        .open()
}

fn open_spaces(database: &Database, options: &Options) -> fjall::Result<Vec<Keyspace>> {
    let open = |(name, share): &(&str, u64)| {
        let options = || KeyspaceCreateOptions::default().max_memtable_size(options.memtable_bytes / share);
        database.keyspace(name, options)
    };
    SPACES.iter().map(open).collect()
}

async fn blocking<T: Send + 'static>(job: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(job).await.map_err(Error::unavailable)?
}

/// What a failure of fjall means to a caller.
fn failed(error: fjall::Error) -> Error {
    let kind = match &error {
        fjall::Error::Poisoned => ErrorKind::Broken,
        fjall::Error::Io(_) | fjall::Error::Storage(fjall::LsmError::Io(_)) => ErrorKind::Unavailable,
        _ => ErrorKind::Corrupt,
    };
    Error::new(kind, error)
}

#[cfg(test)]
mod tests;
