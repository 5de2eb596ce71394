//! The contract of [`Keys`]: one function per promise, run against every engine. The factory opens the engine, and opens the
//! same store when it is called again, after what it opened before was dropped. That nothing of a destroyed key is left in
//! files (K3) is for the engine's own tests to show, which know the files.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

use std::sync::Arc;

use bytes::Bytes;
use klatch_core::ids::UserId;

use super::{Key, Keys};
use crate::contract::fresh;

/// Tests that an engine of [`Keys`] keeps every promise. Takes a factory, `async || -> Arc<impl Keys>`.
#[macro_export]
macro_rules! keys_contract {
    ($factory:expr) => {
        $crate::contract_tests! { keys, $factory;
            k1_a_key_is_there_when_the_store_is_opened_again,
            k2_of_two_who_create_a_key_one_wins,
            k3_a_destroyed_key_stays_destroyed,
            k4_everybody_whose_key_was_destroyed_is_listed,
            k5_a_secret_is_what_it_first_was,
        }
    };
}

/// K1: a key that was created is there when the store is opened again, as it was.
pub async fn k1_a_key_is_there_when_the_store_is_opened_again<K: Keys>(open: impl AsyncFn() -> Arc<K>) {
    let keys = open().await;
    let [alice, bob, stranger] = people();
    let created = keys.create(vec![(alice, key(1)), (bob, key(2))]).await.unwrap();
    assert_eq!(created, [Key::Wrapped(key(1)), Key::Wrapped(key(2))]);
    drop(keys);
    let keys = open().await;
    let there = [Some(Key::Wrapped(key(2))), None, Some(Key::Wrapped(key(1)))];
    assert_eq!(keys.get(&[bob, stranger, alice]).await.unwrap(), there);
}

/// K2: whoever comes second gets the key of the first, also when they race.
pub async fn k2_of_two_who_create_a_key_one_wins<K: Keys>(open: impl AsyncFn() -> Arc<K>) {
    let keys = open().await;
    let [alice, bob, carol] = people();
    keys.create(vec![(alice, key(1))]).await.unwrap();
    let created = keys.create(vec![(alice, key(2)), (bob, key(3)), (bob, key(4))]).await.unwrap();
    assert_eq!(created, [Key::Wrapped(key(1)), Key::Wrapped(key(3)), Key::Wrapped(key(3))]);

    let racing: Vec<_> = (0..20)
        .map(|n| {
            let keys = keys.clone();
            tokio::spawn(async move { keys.create(vec![(carol, key(n))]).await.unwrap() })
        })
        .collect();
    let winner = keys.create(vec![(carol, key(99))]).await.unwrap();
    for racer in racing {
        assert_eq!(racer.await.unwrap(), winner);
    }
    assert_eq!(keys.get(&[carol]).await.unwrap(), [Some(winner[0].clone())]);
}

/// K3: a key that was destroyed, whether it was there or not, is destroyed for good; others are not touched.
pub async fn k3_a_destroyed_key_stays_destroyed<K: Keys>(open: impl AsyncFn() -> Arc<K>) {
    let keys = open().await;
    let [alice, bob, never] = people();
    keys.create(vec![(alice, key(1)), (bob, key(2))]).await.unwrap();
    keys.destroy(&[alice, never]).await.unwrap();
    keys.destroy(&[alice]).await.unwrap();
    drop(keys);
    let keys = open().await;
    let after = [Key::Destroyed, Key::Wrapped(key(2)), Key::Destroyed];
    assert_eq!(keys.get(&[alice, bob, never]).await.unwrap(), after.clone().map(Some));
    assert_eq!(keys.create(vec![(alice, key(3)), (bob, key(4)), (never, key(5))]).await.unwrap(), after);
    assert_eq!(keys.get(&[alice, bob, never]).await.unwrap(), after.map(Some));
}

/// K4: the list of those whose key was destroyed is complete and in order, in pages of any size.
pub async fn k4_everybody_whose_key_was_destroyed_is_listed<K: Keys>(open: impl AsyncFn() -> Arc<K>) {
    let keys = open().await;
    let before = UserId(fresh());
    let mut users: Vec<_> = (0..25).map(|_| UserId(fresh())).collect();
    keys.create(users.iter().map(|user| (*user, key(1))).collect()).await.unwrap();
    let kept = users.remove(13);
    keys.destroy(&users[..20]).await.unwrap();
    keys.destroy(&users[15..]).await.unwrap();
    for size in [1, 7, 100] {
        let mut listed = Vec::new();
        loop {
            let after = *listed.last().unwrap_or(&before);
            let page = keys.destroyed(Some(after), size).await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= size);
            listed.extend(page);
        }
        assert_eq!(listed, users, "{kept} is not among them");
    }
    let from_the_start = keys.destroyed(None, 1).await.unwrap();
    assert!(from_the_start[0] <= users[0]);
}

/// K5: a secret is what was first put under its name, for everybody, also when they race, and when the store is opened again.
pub async fn k5_a_secret_is_what_it_first_was<K: Keys>(open: impl AsyncFn() -> Arc<K>) {
    let keys = open().await;
    let [name, other] = [fresh().to_string(), fresh().to_string()];
    let racing: Vec<_> = (0..20)
        .map(|n| {
            let (keys, name) = (keys.clone(), name.clone());
            tokio::spawn(async move { keys.secret(&name, key(n)).await.unwrap() })
        })
        .collect();
    let first = keys.secret(&name, key(99)).await.unwrap();
    for racer in racing {
        assert_eq!(racer.await.unwrap(), first);
    }
    drop(keys);
    let keys = open().await;
    assert_eq!(keys.secret(&name, key(100)).await.unwrap(), first);
    assert_eq!(keys.secret(&other, key(101)).await.unwrap(), key(101));
}

/// Three people, in order.
fn people() -> [UserId; 3] {
    std::array::from_fn(|_| UserId(fresh()))
}

/// A wrapped key, as far as this port sees one.
fn key(n: u8) -> Bytes {
    Bytes::from(vec![n; 72])
}
