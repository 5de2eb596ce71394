//! What loss of power makes of folders, from the entries that `preload/undo.c` wrote: file systems keep changes of folders in
//! order, so of those that were not synced the later ones are undone.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rand::RngExt;

use crate::{Chance, by_number};

/// An entry of all folders: something that was done in one.
struct Entry {
    kind: u64,
    dir: u64,
    dir2: u64,
    /// What was removed, or moved.
    ino: u64,
    /// What was there where it moved to, or 0.
    ino2: u64,
    name: OsString,
    name2: OsString,
}

const CANCEL: u64 = 0;
const CREATE: u64 = 1;
const REMOVE: u64 = 2;
const MKDIR: u64 = 3;
const RMDIR: u64 = 4;
const RENAME: u64 = 5;
const SYNC: u64 = 6;

const NAME_BYTES: usize = 256;
const ENTRY_BYTES: usize = 5 * 8 + 2 * NAME_BYTES;

pub fn restore(root: &Path, shadow: &Path, chance: &mut Chance) -> io::Result<()> {
    let notes = match fs::read(shadow.join("dirs")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        notes => notes?,
    };
    let entries: Vec<_> = notes.chunks_exact(ENTRY_BYTES).map(parse).collect();
    let mut pending = pending(&entries);
    if let Some(rng) = &mut chance.rng {
        pending.drain(..rng.random_range(0..=pending.len()));
    }
    let mut folders = by_number(root)?;
    for number in pending.into_iter().rev() {
        let entry = &entries[number];
        undo(entry, &folders, shadow)?;
        if matches!(entry.kind, MKDIR | RMDIR | RENAME) {
            let removed = (entry.kind == RMDIR).then(|| folders.get(&entry.dir).map(|dir| dir.join(&entry.name)));
            folders = by_number(root)?;
            // The folder that came back has another number now.
            if let Some(Some(path)) = removed {
                folders.insert(entry.ino, path);
            }
        }
    }
    Ok(())
}

/// The entries that no sync made durable, in order.
fn pending(entries: &[Entry]) -> Vec<usize> {
    let cancelled: HashSet<_> = entries.iter().filter(|entry| entry.kind == CANCEL).map(|entry| entry.dir2).collect();
    let synced = |number: usize, entry: &Entry| {
        let of_it = |sync: &Entry| sync.dir == entry.dir || entry.kind == RENAME && sync.dir == entry.dir2;
        entries.iter().any(|sync| sync.kind == SYNC && of_it(sync) && (number as u64) < sync.dir2)
    };
    let pending = entries.iter().enumerate().filter(|(number, entry)| {
        !matches!(entry.kind, CANCEL | SYNC) && !cancelled.contains(&(*number as u64)) && !synced(*number, entry)
    });
    pending.map(|(number, _)| number).collect()
}

/// Undoes an entry, unless it was never done: it was written before.
fn undo(entry: &Entry, folders: &std::collections::HashMap<u64, PathBuf>, shadow: &Path) -> io::Result<()> {
    // A folder that is no longer there took everything with it.
    let Some(path) = folders.get(&entry.dir).map(|dir| dir.join(&entry.name)) else { return Ok(()) };
    let number = |path: &Path| path.symlink_metadata().map(|what| what.ino()).ok();
    let kept = |ino: u64| shadow.join(format!("i{ino}"));
    match entry.kind {
        CREATE => absent(fs::remove_file(path)),
        REMOVE if number(&path).is_none() => fs::hard_link(kept(entry.ino), path),
        MKDIR => absent(fs::remove_dir_all(path)),
        RMDIR if number(&path).is_none() => fs::create_dir(path),
        RENAME => {
            let Some(to) = folders.get(&entry.dir2).map(|dir| dir.join(&entry.name2)) else { return Ok(()) };
            if number(&to) == Some(entry.ino) && number(&path) != Some(entry.ino) {
                fs::rename(&to, path)?;
                if kept(entry.ino2).exists() {
                    fs::hard_link(kept(entry.ino2), to)?;
                } else if entry.ino2 != 0 {
                    fs::create_dir(to)?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn absent(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn parse(entry: &[u8]) -> Entry {
    let u64_at = |at: usize| u64::from_ne_bytes(entry[at..at + 8].try_into().expect("these are eight bytes"));
    let name_at = |at: usize| {
        let name = &entry[at..at + NAME_BYTES];
        OsString::from_vec(name.iter().copied().take_while(|byte| *byte != 0).collect())
    };
    Entry {
        kind: u64_at(0),
        dir: u64_at(8),
        dir2: u64_at(16),
        ino: u64_at(24),
        ino2: u64_at(32),
        name: name_at(40),
        name2: name_at(40 + NAME_BYTES),
    }
}
