//! The end of the journal after loss of power. The last groups were not synced, so parts of them may be missing, in any order;
//! fjall 3.1 takes some of what that leaves for damage and does not open, and cuts real damage off in silence. So the journal
//! is looked at before fjall sees it: what no sync made durable is cut off, and what a sync had made durable is missed aloud.
//!
//! A journal is a row of batches: `1, count u32, seqno u64`, then so many items, then `3, checksum u64, "FJL", 3`. An item is
//! `2, type u8, compression u8, space u64, key length u16, length u32, stored length u32, key, value`, or `4, space u64` where
//! a space was emptied. The checksum is that of the items' bytes. After the last batch the file may hold zeros.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::{OpenError, Space, u64_of};

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const MAGIC: &[u8] = b"FJL\x03";

/// What fjall calls the first journal of a store.
const FIRST: &str = "0.jnl";

const BUFFER_BYTES: usize = 256 << 10;

/// Cuts off what loss of power left of groups that were not synced.
pub fn mend(dir: &Path, store: &Path) -> Result<(), OpenError> {
    let io = |error| OpenError::of_io(dir, error);
    let mut journals = list(store).map_err(io)?;
    let active = journals.pop();
    let mut last = None;
    for path in &journals {
        // It was synced before the next one was begun.
        let scan = Scan::of(path).map_err(io)?;
        last = last.max(scan.last_position);
        if !scan.rest.is_empty() {
            return Err(OpenError::damaged(dir, &format!("{} cannot be read from {} on", path.display(), scan.end)));
        }
    }
    let Some(path) = active else { return Ok(()) };
    let scan = Scan::of(&path).map_err(io)?;
    if scan.rest.is_empty() {
        return Ok(());
    }
    // Nothing was ever moved out of the very first journal, so before it lies nothing.
    let last = last.max(scan.last_position).or_else(|| path.ends_with(FIRST).then_some(0));
    if let Some(missing) = scan.missing(last) {
        return Err(OpenError::damaged(dir, &format!("{missing} in {} at {}", path.display(), scan.end)));
    }
    tracing::warn!(bytes = scan.rest.len(), "the end of the log's journal was written only in part, and is cut off");
    let file = File::options().write(true).open(&path).map_err(io)?;
    file.set_len(scan.end).and_then(|()| file.sync_all()).map_err(io)
}

/// The journals of a store, the last one being written.
fn list(store: &Path) -> io::Result<Vec<PathBuf>> {
    let mut journals = Vec::new();
    for entry in fs::read_dir(store)? {
        let path = entry?.path();
        if let Some(number) = number(&path).filter(|_| path.extension().is_some_and(|extension| extension == "jnl")) {
            journals.push((number, path));
        }
    }
    journals.sort();
    Ok(journals.into_iter().map(|(_, path)| path).collect())
}

/// The number of the journal that is being written to.
pub fn newest(store: &Path) -> Option<u64> {
    number(list(store).ok()?.last()?)
}

/// The number of the first journal that is still needed.
pub fn oldest(store: &Path) -> Option<u64> {
    number(list(store).ok()?.first()?)
}

fn number(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

/// What a journal holds.
struct Scan {
    /// Where its last good batch ends.
    end: u64,
    /// The last position of the feed in these batches.
    last_position: Option<u64>,
    /// What lies behind them, without the zeros at its end.
    rest: Vec<u8>,
}

impl Scan {
    fn of(path: &Path) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
        let (mut end, mut last_position) = (0, None);
        while let Some(batch) = Batch::read(&mut reader)? {
            end += batch.len;
            last_position = last_position.max(batch.last_position);
        }
        let mut file = reader.into_inner();
        let rest = rest(&mut file, end)?;
        Ok(Self { end, last_position, rest })
    }

    /// What is not there and had been durable. A group with events is begun only when those before it are durable: so where the
    /// events of one that follows have survived, those before them must have; and where two have, all that lies before them.
    fn missing(&self, last: Option<u64>) -> Option<String> {
        let behind = self.positions_behind();
        let next = *behind.first()?;
        match last {
            Some(last) if next > last + 1 => Some(format!("events {} to {} are missing", last + 1, next - 1)),
            _ if behind.len() > 1 => Some(format!("what lies before event {next} cannot be read")),
            _ => None,
        }
    }

    /// The first position in each of the good batches with events that lie behind the bad one.
    fn positions_behind(&self) -> Vec<u64> {
        let ends = self.rest.windows(MAGIC.len()).enumerate().filter(|(_, window)| *window == MAGIC);
        let batches = ends.filter_map(|(at, _)| Batch::read(&mut &self.rest[at + MAGIC.len()..]).ok().flatten());
        let mut positions: Vec<_> = batches.filter_map(|batch| batch.first_position).collect();
        positions.sort_unstable();
        positions
    }
}

/// What the file holds from here on, without the zeros at its end; holes are not read.
fn rest(file: &mut File, from: u64) -> io::Result<Vec<u8>> {
    let (mut at, mut rest) = (from, Vec::new());
    loop {
        match rustix::fs::seek(&*file, rustix::fs::SeekFrom::Data(at)) {
            Ok(data) => at = data,
            // Nothing but a hole.
            Err(rustix::io::Errno::NXIO) => break,
            Err(error) => return Err(error.into()),
        }
        let hole = rustix::fs::seek(&*file, rustix::fs::SeekFrom::Hole(at))?;
        file.seek(SeekFrom::Start(at))?;
        rest.resize((at - from) as usize, 0);
        file.take(hole - at).read_to_end(&mut rest)?;
        at = hole;
    }
    let len = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    rest.truncate(len);
    Ok(rest)
}

/// A batch that was read.
#[derive(Default)]
struct Batch {
    len: u64,
    first_position: Option<u64>,
    last_position: Option<u64>,
}

impl Batch {
    /// The batch that begins here; none, if what begins here is not a whole batch.
    fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut reader = Reader { from, len: 0, hash: Xxh3::new() };
        match Self::try_read(&mut reader) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            batch => batch,
        }
    }

    fn try_read<R: Read>(reader: &mut Reader<'_, R>) -> io::Result<Option<Self>> {
        let mut batch = Self::default();
        if reader.u8()? != START {
            return Ok(None);
        }
        let count = u32::from_le_bytes(reader.array()?);
        let _seqno: [u8; 8] = reader.array()?;
        reader.hash = Xxh3::new();
        for _ in 0..count {
            match reader.u8()? {
                ITEM => batch.read_item(reader)?,
                CLEAR => drop(reader.array::<8>()?),
                _ => return Ok(None),
            }
        }
        let checksum = reader.hash.digest();
        let whole = reader.u8()? == END && reader.array()? == checksum.to_le_bytes() && reader.array::<4>()? == MAGIC;
        batch.len = reader.len;
        Ok(whole.then_some(batch))
    }

    fn read_item<R: Read>(&mut self, reader: &mut Reader<'_, R>) -> io::Result<()> {
        let _type_and_compression: [u8; 2] = reader.array()?;
        let space = u64::from_le_bytes(reader.array()?);
        let key_len = u16::from_le_bytes(reader.array()?);
        let _len: [u8; 4] = reader.array()?;
        let stored_len = u32::from_le_bytes(reader.array()?);
        let key = reader.bytes(key_len.into())?;
        reader.bytes(stored_len.into())?;
        if space == Space::Order.number()
            && let Some(position) = u64_of(&key)
        {
            self.first_position = Some(self.first_position.unwrap_or(position).min(position));
            self.last_position = self.last_position.max(Some(position));
        }
        Ok(())
    }
}

/// Reads, counts, and keeps the checksum.
struct Reader<'a, R> {
    from: &'a mut R,
    len: u64,
    hash: Xxh3,
}

impl<R: Read> Reader<'_, R> {
    fn u8(&mut self) -> io::Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        self.hash.update(&bytes);
        self.len += N as u64;
        Ok(bytes)
    }

    /// So many bytes, for which no room is made before they are there: a length may be wrong.
    fn bytes(&mut self, len: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if self.from.take(len).read_to_end(&mut bytes)? as u64 != len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.hash.update(&bytes);
        self.len += len;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
