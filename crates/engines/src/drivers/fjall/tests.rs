//! Opening, and what the store says when it cannot.

use super::*;
use std::fs;

#[test]
fn two_cannot_have_it_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    let refused = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Locked(_)));
    assert!(refused.to_string().contains("stop that one"), "{refused}");
    drop(store);
    Store::open(dir.path(), Options::default()).unwrap();
}

#[test]
fn a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    fs::write(dir.path().join("VERSION"), "2\n").unwrap();
    let refused = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 2, known: 1, .. }), "{refused}");
}

#[test]
fn a_directory_that_takes_no_writes_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for dir in [file.path().to_owned(), file.path().join("log")] {
        let refused = Store::open(&dir, Options::default()).err().unwrap();
        assert!(matches!(refused, OpenError::Unwritable { .. }), "{refused}");
    }
}

#[test]
fn what_was_lost_is_not_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    fs::rename(dir.path().join("store/keyspaces/3"), dir.path().join("elsewhere")).unwrap();
    let refused = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");

    fs::remove_dir_all(dir.path().join("store")).unwrap();
    let refused = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(refused.to_string().contains("store/ is missing"), "{refused}");
}

#[test]
fn an_interrupted_first_start_begins_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("store.unfinished/keyspaces")).unwrap();
    fs::write(dir.path().join("store.unfinished/0.jnl"), "half").unwrap();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    // Interrupted after the store was put in its place.
    fs::remove_file(dir.path().join("VERSION")).unwrap();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    assert_eq!(fs::read_to_string(dir.path().join("VERSION")).unwrap(), "1\n");
}

#[tokio::test]
async fn compaction_drops_what_was_erased() {
    use crate::event_log::fjall::FjallEventLog;
    use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
    use klatch_ports::event_log::{Append, EventLog, NewRecord, Record};

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    let log = FjallEventLog::new(store.clone());
    let conversation = ConversationId(Uuid::from_u128(1));
    let body = |seq: u64| -> Bytes {
        // Bytes that no compression touches.
        (0..8).flat_map(|i| (8 * seq + i).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()).collect::<Vec<_>>().into()
    };
    let record = |seq: u64| Record {
        seq: Seq(seq),
        id: CommandId(Uuid::from_u128(seq.into())),
        head: Bytes::new(),
        body: body(seq),
    };
    let records = (1..=100).map(|seq| NewRecord { record: record(seq), index: Bytes::new() }).collect();
    log.append(vec![Append { conversation, expected: Seq(0), records }]).await.remove(0).unwrap();
    assert!(!store.has_erased().unwrap());
    store.compact().await.unwrap();
    let tables = dir.path().join("store/keyspaces");
    assert!(holds(&tables, &body(50)) && holds(&tables, &body(51)), "the first one has put them into tables");
    log.erase(conversation, &[Seq(50)]).await.unwrap();
    assert!(store.has_erased().unwrap());
    // Others go on meanwhile.
    let next = NewRecord { record: record(101), index: Bytes::new() };
    let append = vec![Append { conversation, expected: Seq(100), records: vec![next] }];
    let (compacted, mut appended) = tokio::join!(store.compact(), log.append(append));
    compacted.unwrap();
    appended.remove(0).unwrap();
    assert!(!store.has_erased().unwrap());
    assert!(!holds(dir.path(), &body(50)), "no file has it: neither a table nor a journal");
    assert!(holds(&tables, &body(51)) && holds(dir.path(), &body(101)));
    let ids = |store: &Arc<Store>| store.view().get(Space::Workers, b"\0filler").unwrap().map(|filler| filler.len());
    assert_eq!(ids(&store), Some(0), "what filled the journal up is gone as well");

    drop((log, store));
    let store = Store::open(dir.path(), Options::default()).unwrap();
    assert!(!store.has_erased().unwrap());
    let log = FjallEventLog::new(store);
    let records = log.read(conversation, Seq(1), 200).await.unwrap();
    assert_eq!(records.len(), 101);
    assert!(records.iter().all(|found| *found == record(found.seq.0) || found.seq == Seq(50) && found.body.is_empty()));
}

/// Whether a file in this folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}
