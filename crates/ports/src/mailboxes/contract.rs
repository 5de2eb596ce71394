//! The contract of [`Mailboxes`]: one function per promise, run against every engine. The factory opens the engine, and opens the same
//! mailboxes when it is called again.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, DeviceId};

use super::{LETTERS_MAX, Letter, Mailboxes};
use crate::contract::fresh;

/// Tests that an engine of [`Mailboxes`] keeps every promise. Takes a factory, `async || -> Arc<impl Mailboxes>`.
#[macro_export]
macro_rules! mailboxes_contract {
    ($factory:expr) => {
        $crate::contract_tests! { mailboxes, $factory;
            m1_what_was_put_is_there,
            m2_older_commands_come_first,
            m3_a_device_confirms_its_own_only,
            m4_what_waits_is_found_by_conversation,
            m5_the_oldest_are_forgotten,
            m6_every_device_is_told_once,
        }
    };
}

fn device() -> DeviceId {
    DeviceId(fresh())
}

fn conversation() -> ConversationId {
    ConversationId(fresh())
}

fn letter(device: DeviceId, conversation: ConversationId, payload: &'static str) -> Letter {
    Letter { device, conversation, id: CommandId(fresh()), payload: Bytes::from_static(payload.as_bytes()) }
}

/// M1: also for whoever opens them anew.
pub async fn m1_what_was_put_is_there<M: Mailboxes>(open: impl AsyncFn() -> Arc<M>) {
    let (here, there) = (device(), device());
    let conversation = conversation();
    let (one, two) = (letter(here, conversation, "one"), letter(there, conversation, "two"));
    let mailboxes = open().await;
    mailboxes.put(vec![]).await.unwrap();
    mailboxes.put(vec![one.clone(), two.clone()]).await.unwrap();
    let again = Letter { payload: Bytes::from_static(b"again"), ..one.clone() };
    mailboxes.put(vec![one.clone(), again.clone()]).await.unwrap();
    drop(mailboxes);
    let mailboxes = open().await;
    assert_eq!(mailboxes.waiting(here, 10).await.unwrap(), std::slice::from_ref(&again));
    assert_eq!(mailboxes.waiting(there, 10).await.unwrap(), [two]);
    assert_eq!(mailboxes.waiting(device(), 10).await.unwrap(), []);
    assert_eq!(mailboxes.find(conversation, &[(one.id, here)]).await.unwrap(), [Some(again.payload)]);
}

/// M2: in whatever order, and of whatever conversation, they were put.
pub async fn m2_older_commands_come_first<M: Mailboxes>(open: impl AsyncFn() -> Arc<M>) {
    let (mailboxes, device) = (open().await, device());
    let letters: Vec<_> = (0..9).map(|_| letter(device, conversation(), "")).collect();
    for letter in letters.iter().rev() {
        mailboxes.put(vec![letter.clone()]).await.unwrap();
    }
    assert_eq!(mailboxes.waiting(device, 9).await.unwrap(), letters);
    assert_eq!(mailboxes.waiting(device, 4).await.unwrap(), letters[..4]);
}

/// M3.
pub async fn m3_a_device_confirms_its_own_only<M: Mailboxes>(open: impl AsyncFn() -> Arc<M>) {
    let (mailboxes, mine, yours, here) = (open().await, device(), device(), conversation());
    let one = letter(mine, here, "one");
    let (same, other) = (Letter { device: yours, ..one.clone() }, letter(mine, here, "other"));
    mailboxes.put(vec![one.clone(), same.clone(), other.clone()]).await.unwrap();
    for _ in 0..2 {
        mailboxes
            .confirm(mine, &[(here, one.id), (here, CommandId(fresh())), (conversation(), other.id)])
            .await
            .unwrap();
        mailboxes.confirm(mine, &[]).await.unwrap();
        assert_eq!(mailboxes.waiting(mine, 9).await.unwrap(), std::slice::from_ref(&other));
        assert_eq!(mailboxes.waiting(yours, 9).await.unwrap(), std::slice::from_ref(&same));
        let found = mailboxes.find(here, &[(one.id, mine), (one.id, yours), (other.id, mine)]).await.unwrap();
        assert_eq!(found, [None, Some(same.payload.clone()), Some(other.payload.clone())]);
    }
}

/// M4.
pub async fn m4_what_waits_is_found_by_conversation<M: Mailboxes>(open: impl AsyncFn() -> Arc<M>) {
    let (mailboxes, mine, yours, here, there) = (open().await, device(), device(), conversation(), conversation());
    assert_eq!(mailboxes.commands(here, 10).await.unwrap(), []);
    let letters = [letter(mine, here, "a"), letter(yours, here, "b"), letter(mine, there, "c")];
    mailboxes.put(letters.to_vec()).await.unwrap();
    let ids: BTreeSet<_> = mailboxes.commands(here, 10).await.unwrap().into_iter().collect();
    assert_eq!(ids, letters[..2].iter().map(|letter| letter.id).collect());
    assert_eq!(mailboxes.commands(here, 1).await.unwrap().len(), 1);
    let asked = [(letters[1].id, yours), (letters[2].id, mine), (letters[0].id, yours), (letters[0].id, mine)];
    let found = mailboxes.find(here, &asked).await.unwrap();
    assert_eq!(found, [Some(letters[1].payload.clone()), None, None, Some(letters[0].payload.clone())]);
    assert_eq!(mailboxes.find(here, &[]).await.unwrap(), []);
}

/// M5: and nobody else's.
pub async fn m5_the_oldest_are_forgotten<M: Mailboxes>(open: impl AsyncFn() -> Arc<M>) {
    let (mailboxes, mine, yours, here) = (open().await, device(), device(), conversation());
    let theirs = letter(yours, here, "theirs");
    let letters: Vec<_> = (0..LETTERS_MAX + 7).map(|_| letter(mine, here, "")).collect();
    mailboxes.put(vec![theirs.clone()]).await.unwrap();
    for some in letters.chunks(300) {
        mailboxes.put(some.to_vec()).await.unwrap();
    }
    assert_eq!(mailboxes.waiting(mine, 2 * LETTERS_MAX).await.unwrap(), letters[7..]);
    assert_eq!(mailboxes.waiting(yours, 9).await.unwrap(), [theirs]);
    assert_eq!(mailboxes.find(here, &[(letters[6].id, mine)]).await.unwrap(), [None]);
    assert_eq!(mailboxes.commands(here, 2 * LETTERS_MAX).await.unwrap().len(), LETTERS_MAX + 1);
}

/// M6: also where pages are short, and nothing of those that know all.
pub async fn m6_every_device_is_told_once<M: Mailboxes>(open: impl AsyncFn() -> Arc<M>) {
    let mailboxes = open().await;
    let devices: Vec<_> = (0..7).map(|_| device()).collect();
    for device in &devices {
        mailboxes.put(vec![letter(*device, conversation(), "a"), letter(*device, conversation(), "b")]).await.unwrap();
    }
    let informed = mailboxes.waiting(devices[3], 9).await.unwrap();
    let known: Vec<_> = informed.iter().map(|letter| (letter.conversation, letter.id)).collect();
    mailboxes.confirm(devices[3], &known).await.unwrap();
    for limit in [1, 3, 100] {
        let (mut told, mut after) = (Vec::new(), None);
        loop {
            let page = mailboxes.devices(after, limit).await.unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(*last);
            told.extend(page);
        }
        // Other tests may have put something into the same mailboxes.
        told.retain(|device| devices.contains(device));
        let all: BTreeSet<_> = told.iter().copied().collect();
        assert_eq!(told.len(), all.len(), "none twice");
        assert_eq!(all, devices.iter().copied().filter(|device| *device != devices[3]).collect());
    }
}
