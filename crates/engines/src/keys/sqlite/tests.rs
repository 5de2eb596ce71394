//! The contract on SQLite, and what is left in its files.

use std::collections::HashSet;
use std::sync::Arc;

use klatch_core::ids::Uuid;
use tempfile::TempDir;

use super::*;
use crate::drivers::sqlite::as_if_it_died;

/// Opens the same file each time.
fn file() -> impl AsyncFn() -> Arc<Sqlite> {
    let folder = TempDir::new().unwrap();
    async move || Arc::new(Sqlite::open(&folder.path().join("keys.db")).unwrap())
}

klatch_ports::keys_contract!(file());

fn user(n: u64) -> UserId {
    // Not in order, as people are who come from elsewhere.
    UserId(Uuid::from_u128(u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64))
}

/// Bytes that are found again: each run of eight of them is like no other.
fn key(n: u64) -> Bytes {
    (0..9).flat_map(|part| ((n + 1).wrapping_mul(0xd6e8_feb8_6659_fd93) ^ (part << 56) | 1).to_be_bytes()).collect()
}

/// How many of these keys have left so much as eight bytes in some file of the store.
fn left(folder: &TempDir, keys: impl Iterator<Item = u64>) -> usize {
    let mut windows = HashSet::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        windows.extend(bytes.windows(8).map(|window| u64::from_be_bytes(window.try_into().unwrap())));
    }
    let parts = |n| key(n).chunks(8).map(|part| u64::from_be_bytes(part.try_into().unwrap())).collect::<Vec<_>>();
    keys.filter(|n| parts(*n).iter().any(|part| windows.contains(part))).count()
}

#[tokio::test]
async fn nothing_of_a_destroyed_key_is_in_any_file() {
    const ALL: u64 = 2_000;
    let folder = TempDir::new().unwrap();
    let open = || Sqlite::open(&folder.path().join("keys.db")).unwrap();
    let mut keys = open();
    let is_destroyed = |n: &u64| n.is_multiple_of(3);
    for first in (0..ALL).step_by(50) {
        keys.create((first..first + 50).map(|n| (user(n), key(n))).collect()).await.unwrap();
        // Some while others come, so that pages are changed in every way there is.
        let early: Vec<_> = (0..first).filter(|n| n % 30 == 0).map(user).collect();
        keys.destroy(&early).await.unwrap();
        if first % 1_000 == 0 {
            drop(keys);
            keys = open();
        }
    }
    assert_eq!(
        left(&folder, (0..ALL).filter(|n| n % 30 != 0)),
        (ALL - ALL.div_ceil(30)) as usize,
        "the search finds keys"
    );
    let destroyed: Vec<_> = (0..ALL).filter(is_destroyed).map(user).collect();
    keys.destroy(&destroyed).await.unwrap();
    assert_eq!(left(&folder, (0..ALL).filter(is_destroyed)), 0);
    assert_eq!(left(&folder, (0..ALL).filter(|n| !is_destroyed(n))), (ALL - ALL.div_ceil(3)) as usize);

    let all: Vec<_> = (0..ALL).map(user).collect();
    keys.destroy(&all).await.unwrap();
    assert_eq!(left(&folder, 0..ALL), 0);
    drop(keys);
    assert_eq!(left(&folder, 0..ALL), 0);
    open().check().await.unwrap();
}

#[tokio::test]
async fn a_backup_holds_no_key_that_was_destroyed_before() {
    let folder = TempDir::new().unwrap();
    let keys = Sqlite::open(&folder.path().join("keys.db")).unwrap();
    keys.create((0..100).map(|n| (user(n), key(n))).collect()).await.unwrap();
    keys.destroy(&[user(7)]).await.unwrap();
    let elsewhere = TempDir::new().unwrap();
    let copy = elsewhere.path().join("copy.db");
    keys.backup(copy.clone()).await.unwrap();
    assert_eq!(left(&elsewhere, 0..100), 99);

    let restored = Sqlite::open(&copy).unwrap();
    restored.check().await.unwrap();
    assert_eq!(restored.destroyed(None, 10).await.unwrap(), [user(7)]);
    keys.destroy(&[user(8)]).await.unwrap();
    restored.destroy(&keys.destroyed(None, 10).await.unwrap()).await.unwrap();
    assert_eq!(left(&elsewhere, 7..9), 0, "brought up to date, as after every restore");
}

#[tokio::test]
async fn what_was_answered_is_there_after_dying() {
    let folder = TempDir::new().unwrap();
    let keys = Sqlite::open(&folder.path().join("keys.db")).unwrap();
    let secret = keys.secret("first", Bytes::from_static(b"one")).await.unwrap();
    for n in 0..20 {
        keys.create(vec![(user(n), key(n))]).await.unwrap();
        if n % 4 == 3 {
            keys.destroy(&[user(n)]).await.unwrap();
        }
        let dead = as_if_it_died(folder.path());
        let again = Sqlite::open(&dead.path().join("keys.db")).unwrap();
        again.check().await.unwrap();
        let all: Vec<_> = (0..=n).map(user).collect();
        let is = |n| Some(if n % 4 == 3 { Key::Destroyed } else { Key::Wrapped(key(n)) });
        assert_eq!(again.get(&all).await.unwrap(), (0..=n).map(is).collect::<Vec<_>>());
        assert_eq!(again.secret("first", Bytes::from_static(b"two")).await.unwrap(), secret);
        assert_eq!(left(&dead, (0..=n).filter(|n| n % 4 == 3)), 0);
    }
}

#[tokio::test]
async fn dying_before_the_log_was_emptied_leaves_nothing_once_it_is_opened_again() {
    let folder = TempDir::new().unwrap();
    let keys = Sqlite::open(&folder.path().join("keys.db")).unwrap();
    keys.create(vec![(user(1), key(1)), (user(2), key(2))]).await.unwrap();
    // The first half of `destroy`, after which the process dies.
    keys.0.write(Durability::Now, |keys| destroy(keys, user(1))).await.unwrap();
    let dead = as_if_it_died(folder.path());
    assert_eq!(left(&dead, 1..2), 1, "the log still has it");
    let again = Sqlite::open(&dead.path().join("keys.db")).unwrap();
    assert_eq!(left(&dead, 1..3), 1, "only what was not destroyed");
    assert_eq!(again.get(&[user(1)]).await.unwrap(), [Some(Key::Destroyed)]);
}
