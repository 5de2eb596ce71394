//! Erased bodies leave the disk. Erasing writes a record without its body; the bytes from before stay in tables until those are
//! written anew, and in the journal until fjall begins another, which it does only after 64 MB.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fjall::PersistMode;
use klatch_ports::{Error, ErrorKind};

use super::directory::STORE;
use super::writer::{self, Group};
use super::{Space, Store, Tables, blocking, failed, journal, u64_of};

/// Keys among the workers that none of them has: how many groups have erased something; how many of them had when a compaction
/// began that was finished; and what fills a journal up.
const ERASED: &[u8] = b"\0erased";
const COMPACTED: &[u8] = b"\0compacted";
const FILLER: &[u8] = b"\0filler";

/// The filler at a time: bytes. It stands in memory until it is flushed.
const FILLER_BYTES: usize = 4 << 20;
/// LIMIT: fillers until a journal must have come to its end: twice what it takes.
const FILLERS_MAX: usize = 32;
/// How often one looks whether a flush is done, of which fjall says nothing.
const FLUSH_POLL: Duration = Duration::from_millis(10);

impl Store {
    /// Whether bodies were erased since the last compaction, so that another would remove what is left of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn has_erased(&self) -> Result<bool, Error> {
        Ok(self.count(ERASED)? > self.count(COMPACTED)?)
    }

    /// Rewrites the records and begins a new journal, so that no file holds the bytes of a body that was erased before; those
    /// that somebody reads at this moment go later. To be called seldom: it reads and writes all records, and 64 MB more.
    ///
    /// # Errors
    /// `Full`: there is not room enough to write everything a second time. `Broken`, `Unavailable`.
    pub async fn compact(&self) -> Result<(), Error> {
        let erased = self.count(ERASED)?;
        let (tables, dir) = (self.tables.clone(), self.dir.clone());
        blocking(move || tables.compact_records(&dir)).await?;
        let first = journal::newest(&self.dir.join(STORE));
        for _ in 0..FILLERS_MAX {
            self.fill(vec![0; FILLER_BYTES]).await?;
            if journal::newest(&self.dir.join(STORE)) > first {
                break;
            }
        }
        self.fill(Vec::new()).await?;
        let (tables, dir) = (self.tables.clone(), self.dir.clone());
        blocking(move || tables.drop_journals(&dir, first)).await?;
        self.write(move |group| {
            group.put(Space::Workers, COMPACTED, erased.to_be_bytes().to_vec());
            Ok(())
        })
        .await
    }

    fn count(&self, key: &[u8]) -> Result<u64, Error> {
        Ok(self.view().get(Space::Workers, key)?.and_then(|count| u64_of(&count)).unwrap_or_default())
    }

    /// Writes a filler, and the table that it ends up in: fjall begins a journal, and removes tables that are no longer
    /// needed, only when it writes one.
    async fn fill(&self, filler: Vec<u8>) -> Result<(), Error> {
        let stage = move |group: &mut Group<'_>| {
            group.put(Space::Workers, FILLER, filler);
            Ok(())
        };
        self.write(stage).await?;
        let tables = self.tables.clone();
        blocking(move || tables.flush(Space::Workers)).await
    }
}

/// Notes that this group erases something.
pub(crate) fn note_erasure(group: &mut Group<'_>) -> Result<(), Error> {
    let count = group.get(Space::Workers, ERASED)?.and_then(|count| u64_of(&count)).unwrap_or_default();
    group.put(Space::Workers, ERASED, (count + 1).to_be_bytes().to_vec());
    Ok(())
}

impl Tables {
    fn compact_records(self: &Arc<Self>, dir: &Path) -> Result<(), Error> {
        let records = self.space(Space::Records);
        if writer::is_full_after(dir, records.disk_space()) {
            return Err(Error::new(ErrorKind::Full, "there is no room to write the log a second time"));
        }
        self.flush(Space::Records)?;
        records.major_compact().map_err(failed)
    }

    /// Flushes everything, and waits until the journals up to this one are gone.
    fn drop_journals(&self, dir: &Path, last: Option<u64>) -> Result<(), Error> {
        for space in &self.spaces {
            self.flush_space(space)?;
        }
        while journal::oldest(&dir.join(STORE)) <= last {
            self.wait()?;
        }
        Ok(())
    }

    /// Writes what a space has gathered in memory to a table.
    fn flush(&self, space: Space) -> Result<(), Error> {
        self.flush_space(self.space(space))
    }

    fn flush_space(&self, space: &fjall::Keyspace) -> Result<(), Error> {
        space.rotate_memtable().map_err(failed)?;
        while space.sealed_memtable_count() > 0 {
            self.wait()?;
        }
        Ok(())
    }

    /// Waits a little; fails if a flush has failed, since then it never ends.
    fn wait(&self) -> Result<(), Error> {
        self.database.persist(PersistMode::Buffer).map_err(failed)?;
        std::thread::sleep(FLUSH_POLL);
        Ok(())
    }
}
