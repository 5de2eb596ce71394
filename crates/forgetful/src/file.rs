//! What loss of power makes of the contents of files, from the entries that `preload/undo.c` wrote.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rand::RngExt;

use crate::{Chance, by_number};

/// An entry of a file: what was there before something was done.
struct Entry<'a> {
    kind: u32,
    /// Where: the range for a write, the new size for another size; for a sync the bytes of entries that it holds for.
    offset: u64,
    len: u64,
    /// The size of the file before.
    size: u64,
    /// The bytes that were there from `offset` on; what lies behind them in the range was zero.
    saved: &'a [u8],
    /// Where this entry lies among them.
    at: u64,
}

const WRITE: u32 = 1;
const RESIZE: u32 = 2;
const CUT: u32 = 3;
const SYNCED: u32 = 4;
const FAILED: u32 = 5;

const HEADER_BYTES: usize = 32;

/// Returns the files that were changed.
pub fn restore_all(root: &Path, shadow: &Path, chance: &mut Chance) -> io::Result<Vec<PathBuf>> {
    let mut paths = by_number(root)?;
    let mut notes = Vec::new();
    for entry in fs::read_dir(shadow)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        if let Some(number) = name.strip_prefix('i').and_then(|number| number.parse().ok()) {
            paths.entry(number).or_insert(entry.path());
        } else if let Some(number) = name.strip_prefix('f').and_then(|number| number.parse::<u64>().ok()) {
            notes.push((number, entry.path()));
        }
    }
    // In an order that the same seed meets again.
    notes.sort();
    let mut changed = Vec::new();
    for (number, notes) in notes {
        // One that is nowhere never had a name, or has lost it for good.
        if let Some(path) = paths.get(&number)
            && restore(&File::options().read(true).write(true).open(path)?, &fs::read(notes)?, chance)?
        {
            changed.push(path.clone());
        }
    }
    Ok(changed)
}

/// How much of a file is kept.
enum Keep {
    /// What was done before this entry.
    Before(u64),
    /// Each sector of so many bytes in one of the states that it had, rather the last one the greater `chance` is.
    Sectors { bytes: u64, chance: f64 },
    /// Everything but the sectors of this entry that end behind its middle.
    Torn { entry: u64 },
}

impl Keep {
    fn choose(chance: &mut Chance, entries: &[Entry<'_>], synced: &Synced) -> Self {
        if chance.tears {
            let mut writes = entries.iter().rev().filter(|entry| entry.kind == WRITE);
            let last = writes.next().filter(|last| !synced.holds_for(last));
            return last.map_or(Self::Before(u64::MAX), |last| Self::Torn { entry: last.at });
        }
        let Some(rng) = &mut chance.rng else { return Self::Before(0) };
        if rng.random_bool(0.3) {
            let first_lost = entries.get(rng.random_range(0..=entries.len()));
            return Self::Before(first_lost.map_or(u64::MAX, |entry| entry.at));
        }
        let bytes = if rng.random_bool(0.5) { 512 } else { 4_096 };
        Self::Sectors { bytes, chance: [0.1, 0.5, 0.9][rng.random_range(0..3)] }
    }
}

/// Goes back through what was done, sector by sector, until a state that is durable or that is to be kept. Returns whether
/// anything was undone.
fn restore(file: &File, notes: &[u8], chance: &mut Chance) -> io::Result<bool> {
    let entries = parse(notes);
    let synced = Synced::of(&entries);
    let keep = Keep::choose(chance, &entries, &synced);
    let sector = if let Keep::Sectors { bytes, .. } = keep { bytes } else { 512 };
    // The sectors, and the size, whose state is settled.
    let mut settled = HashSet::new();
    let before = file.metadata()?.len();
    let mut size = before;
    let mut size_settled = false;
    let mut is_changed = false;
    for entry in entries.iter().rev().filter(|entry| entry.kind < SYNCED) {
        let durable = synced.holds_for(entry);
        let mut stays = |end: u64| match keep {
            _ if durable => true,
            Keep::Before(at) => entry.at < at,
            Keep::Torn { entry: torn } => entry.at != torn || end <= entry.offset + entry.len / 2,
            Keep::Sectors { chance: p, .. } => chance.rng.as_mut().is_some_and(|rng| rng.random_bool(p)),
        };
        if entry.kind == RESIZE || entry.kind == WRITE && entry.offset + entry.len > entry.size {
            size_settled |= stays(entry.offset);
            if !size_settled {
                size = entry.size;
            }
        }
        // What was cut off comes back with the size: file systems do these at once.
        if entry.kind == CUT && !size_settled {
            write(file, entry, entry.offset, entry.offset + entry.len)?;
            is_changed = true;
        }
        if entry.kind == WRITE {
            let end = entry.offset + entry.len;
            let mut from = entry.offset;
            while from < end {
                let number = from / sector;
                let to = end.min((number + 1) * sector);
                if !settled.contains(&number) {
                    if stays(to) {
                        settled.insert(number);
                    } else {
                        write(file, entry, from, to)?;
                        is_changed = true;
                    }
                }
                from = to;
            }
        }
    }
    file.set_len(size)?;
    Ok(is_changed || size != before)
}

/// Writes what was there before the entry, of a part of its range.
fn write(file: &File, entry: &Entry<'_>, from: u64, to: u64) -> io::Result<()> {
    let mut bytes = vec![0; (to - from) as usize];
    let saved = entry.saved.get((from - entry.offset) as usize..).unwrap_or_default();
    let n = saved.len().min(bytes.len());
    bytes[..n].copy_from_slice(&saved[..n]);
    file.write_all_at(&bytes, from)
}

/// Which entries a sync made durable.
struct Synced {
    upto: u64,
    /// Ranges of entries that a failed sync lost for good.
    lost: Vec<(u64, u64)>,
}

impl Synced {
    fn of(entries: &[Entry<'_>]) -> Self {
        let mut synced = Self { upto: 0, lost: Vec::new() };
        for entry in entries {
            match entry.kind {
                SYNCED => synced.upto = synced.upto.max(entry.offset),
                FAILED => synced.lost.push((synced.upto, entry.offset)),
                _ => {}
            }
        }
        synced
    }

    fn holds_for(&self, entry: &Entry<'_>) -> bool {
        entry.at < self.upto && !self.lost.iter().any(|(from, to)| (*from..*to).contains(&entry.at))
    }
}

/// The entries, but for one at the end that was not written whole: what it would undo was never done.
fn parse(notes: &[u8]) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    let mut rest = notes;
    while rest.len() >= HEADER_BYTES {
        let (header, after) = rest.split_at(HEADER_BYTES);
        let u32_at = |at: usize| u32::from_ne_bytes(header[at..at + 4].try_into().expect("these are four bytes"));
        let u64_at = |at: usize| u64::from_ne_bytes(header[at..at + 8].try_into().expect("these are eight bytes"));
        let Some(saved) = after.get(..u32_at(4) as usize) else { break };
        let at = (notes.len() - rest.len()) as u64;
        entries.push(Entry { kind: u32_at(0), offset: u64_at(8), len: u64_at(16), size: u64_at(24), saved, at });
        rest = &after[saved.len()..];
    }
    entries
}
