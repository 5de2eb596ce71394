//! That what is said of fjall's journal is so, and what is made of one that is not whole.

use std::os::unix::fs::FileExt;

use fjall::{CompressionType, Database, KeyspaceCreateOptions, PersistMode};

use super::*;
use crate::drivers::fjall::SPACES;

/// A store with a journal in which everything occurs that there is; returns where its batches end.
fn journal(dir: &Path, positions: std::ops::RangeInclusive<u64>, compression: CompressionType) -> PathBuf {
    let database = Database::builder(dir).journal_compression(compression).open().unwrap();
    let space = |name: &&str| database.keyspace(name, KeyspaceCreateOptions::default).unwrap();
    let spaces: Vec<_> = SPACES.map(|(name, _)| name).iter().map(space).collect();
    assert_eq!(spaces[Space::Order as usize].id(), Space::Order.number());
    spaces[0].insert("key", "value").unwrap();
    spaces[1].remove("key").unwrap();
    spaces[2].clear().unwrap();
    for position in positions {
        let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&spaces[Space::Order as usize], position.to_be_bytes(), "");
        batch.insert(&spaces[0], position.to_be_bytes(), vec![7; 10_000]);
        batch.remove(&spaces[1], "another");
        batch.commit().unwrap();
    }
    list(dir).unwrap().pop().unwrap()
}

#[test]
fn every_batch_is_understood() {
    for compression in [CompressionType::None, CompressionType::Lz4] {
        let dir = tempfile::tempdir().unwrap();
        let path = journal(dir.path(), 1..=20, compression);
        let scan = Scan::of(&path).unwrap();
        assert_eq!((scan.last_position, scan.rest.len()), (Some(20), 0));
        let before = fs::metadata(&path).unwrap().len();
        mend(dir.path(), dir.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), before, "what is whole is left alone");
    }
}

/// Where each batch of a journal ends.
fn ends(path: &Path) -> Vec<u64> {
    let mut reader = BufReader::new(File::open(path).unwrap());
    let mut end = 0;
    let next = || {
        Some({
            end += Batch::read(&mut reader).unwrap()?.len;
            end
        })
    };
    std::iter::from_fn(next).collect()
}

#[test]
fn a_torn_end_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = journal(dir.path(), 1..=5, CompressionType::None);
    let ends = ends(&path);
    let [.., before, _] = ends[..] else { panic!("there are batches") };
    // In the middle of the last batch, where it holds nothing but a value.
    File::options().write(true).open(&path).unwrap().write_all_at(&[0; 512], before + 5_000).unwrap();
    mend(dir.path(), dir.path()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), before);
    let database = Database::builder(dir.path()).open().unwrap();
    assert_eq!(database.keyspace("order", KeyspaceCreateOptions::default).unwrap().len().unwrap(), 4);
}

#[test]
fn what_was_durable_is_missed_aloud() {
    let dir = tempfile::tempdir().unwrap();
    let path = journal(dir.path(), 1..=5, CompressionType::None);
    let ends = ends(&path);
    let third = ends[ends.len() - 4];
    File::options().write(true).open(&path).unwrap().write_all_at(&[0; 512], third + 5_000).unwrap();
    let before = fs::read(&path).unwrap();
    let damaged = mend(dir.path(), dir.path()).unwrap_err().to_string();
    assert!(damaged.contains("events 3 to 3 are missing"), "{damaged}");
    assert!(fs::read(&path).unwrap() == before, "nothing is touched that somebody may want to look at");
}

#[test]
fn what_was_durable_is_missed_aloud_from_the_beginning_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = journal(dir.path(), 1..=5, CompressionType::None);
    let whole = fs::read(&path).unwrap();
    let ends = ends(&path);
    // The batch with the first event, before which no event says how far they had come.
    let first = ends[ends.len() - 6];
    File::options().write(true).open(&path).unwrap().write_all_at(&[0; 512], first + 5_000).unwrap();
    let damaged = mend(dir.path(), dir.path()).unwrap_err().to_string();
    assert!(damaged.contains("events 1 to 1 are missing"), "{damaged}");
    // A batch without events, which was durable by the time of those that follow.
    fs::write(&path, &whole).unwrap();
    File::options().write(true).open(&path).unwrap().write_all_at(&[0xff; 4], 20).unwrap();
    let before = fs::read(&path).unwrap();
    let damaged = mend(dir.path(), dir.path()).unwrap_err().to_string();
    assert!(damaged.contains("what lies before event 1 cannot be read"), "{damaged}");
    assert!(fs::read(&path).unwrap() == before, "nothing is touched that somebody may want to look at");
}
