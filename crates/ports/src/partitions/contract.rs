//! The contract of [`Partitions`]: one function per promise, run against every engine. The factory opens the engine with a map of 12
//! partitions and nobody who sends, and opens the same one when it is called again.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

use std::sync::Arc;

use klatch_core::ids::Timestamp;

use super::{COUNTED_MS, Change, DRIVEN_MS, Map, Partitions, Sender};
use crate::ErrorKind;

/// Tests that an engine of [`Partitions`] keeps every promise. Takes a factory, `async || -> Arc<impl Partitions>`.
#[macro_export]
macro_rules! partitions_contract {
    ($factory:expr) => {
        $crate::contract_tests! { partitions, $factory;
            s1_a_map_stays_until_its_one_change_is_made,
            s2_whoever_sends_unaware_is_seen,
            s3_a_change_that_nobody_drives_is_over,
            s3_of_ending_and_finishing_one_happens,
            s4_what_is_said_of_one_attempt_is_not_said_of_another,
            s5_a_sender_is_known_until_it_leaves_or_is_silent_for_long,
        }
    };
}

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const FIRST: Map = Map { partitions: 12, change: None };

/// S1: also where it is driven and read in two processes.
pub async fn s1_a_map_stays_until_its_one_change_is_made<P: Partitions>(open: impl AsyncFn() -> Arc<P>) {
    let (here, there) = (open().await, open().await);
    assert_eq!(here.map(NOW).await.unwrap(), FIRST);
    let attempt = here.begin(24, NOW).await.unwrap();
    let changing = Map { partitions: 12, change: Some(Change { attempt, partitions: 24 }) };
    assert_eq!(there.map(NOW).await.unwrap(), changing);
    assert_eq!(there.send("a", None, NOW).await.unwrap(), changing);
    assert_eq!(there.begin(36, NOW).await.unwrap_err().kind, ErrorKind::Conflict);
    here.finish(attempt, NOW).await.unwrap();
    assert_eq!(there.map(NOW).await.unwrap(), Map { partitions: 24, change: None });
    assert_eq!(there.finish(attempt, NOW).await.unwrap_err().kind, ErrorKind::Conflict);
    let next = there.begin(36, NOW).await.unwrap();
    assert!(next > attempt);
    here.abandon(attempt).await.unwrap();
    assert!(here.map(NOW).await.unwrap().change.is_some(), "it was another one");
    here.abandon(next).await.unwrap();
    here.abandon(next).await.unwrap();
    assert_eq!(there.map(NOW).await.unwrap(), Map { partitions: 24, change: None });
}

/// S2: also where both happen at once.
pub async fn s2_whoever_sends_unaware_is_seen<P: Partitions>(open: impl AsyncFn() -> Arc<P>) {
    for round in 0..20 {
        let (here, there) = (open().await, open().await);
        let name = format!("sender {round}");
        let begins = async {
            let attempt = here.begin(24, NOW).await.unwrap();
            (attempt, here.senders(NOW).await.unwrap())
        };
        // The change lasts until both are through: whoever began to send after its end has neither to be told of it nor to be seen.
        let (told, (attempt, seen)) = tokio::join!(there.send(&name, None, NOW), begins);
        let is_seen = seen.iter().any(|sender| sender.name == name);
        assert!(told.unwrap().change.is_some() || is_seen, "{seen:?}");
        here.abandon(attempt).await.unwrap();
        there.leave(&name).await.unwrap();
    }
}

/// S3.
pub async fn s3_a_change_that_nobody_drives_is_over<P: Partitions>(open: impl AsyncFn() -> Arc<P>) {
    let (here, there) = (open().await, open().await);
    let attempt = here.begin(24, NOW).await.unwrap();
    let later = NOW.plus_ms(DRIVEN_MS);
    assert!(there.map(later).await.unwrap().change.is_some());
    here.drive(attempt, later).await.unwrap();
    assert!(there.send("a", Some(attempt), later.plus_ms(DRIVEN_MS)).await.unwrap().change.is_some());
    let over = later.plus_ms(DRIVEN_MS + 1);
    assert_eq!(there.map(over).await.unwrap(), FIRST);
    for done in [here.drive(attempt, later).await.map(drop), here.finish(attempt, later).await] {
        assert_eq!(done.unwrap_err().kind, ErrorKind::Conflict, "somebody sends by the former map again");
    }
    // Nor is one in the way of the next.
    here.begin(24, NOW).await.unwrap();
    let next = there.begin(36, NOW.plus_ms(DRIVEN_MS + 1)).await.unwrap();
    there.finish(next, NOW.plus_ms(DRIVEN_MS + 1)).await.unwrap();
    assert_eq!(here.map(NOW).await.unwrap().partitions, 36);
}

/// S3: also where the clocks of the two do not agree.
pub async fn s3_of_ending_and_finishing_one_happens<P: Partitions>(open: impl AsyncFn() -> Arc<P>) {
    for partitions in 13..33 {
        let (here, there) = (open().await, open().await);
        let attempt = here.begin(partitions, NOW).await.unwrap();
        let (finished, told) =
            tokio::join!(here.finish(attempt, NOW), there.send("a", None, NOW.plus_ms(2 * DRIVEN_MS)));
        assert_eq!(told.unwrap().partitions == partitions, finished.is_ok());
    }
}

/// S4.
pub async fn s4_what_is_said_of_one_attempt_is_not_said_of_another<P: Partitions>(open: impl AsyncFn() -> Arc<P>) {
    let (here, there) = (open().await, open().await);
    let first = here.begin(24, NOW).await.unwrap();
    for partition in [7, 3, 7] {
        there.drained(first, partition).await.unwrap();
    }
    there.send("a", Some(first), NOW).await.unwrap();
    assert_eq!(here.drive(first, NOW).await.unwrap(), [3, 7]);
    here.abandon(first).await.unwrap();
    let second = here.begin(24, NOW).await.unwrap();
    there.drained(first, 5).await.unwrap();
    assert_eq!(here.drive(second, NOW).await.unwrap(), []);
    assert_eq!(here.senders(NOW).await.unwrap(), [sender("a", NOW, Some(first))]);
    there.send("a", None, NOW.plus_ms(1)).await.unwrap();
    assert_eq!(here.senders(NOW).await.unwrap(), [sender("a", NOW.plus_ms(1), None)]);
}

/// S5.
pub async fn s5_a_sender_is_known_until_it_leaves_or_is_silent_for_long<P: Partitions>(open: impl AsyncFn() -> Arc<P>) {
    let (here, there) = (open().await, open().await);
    assert_eq!(here.senders(NOW).await.unwrap(), []);
    for name in ["b", "a", "c"] {
        there.send(name, None, NOW).await.unwrap();
    }
    there.leave("c").await.unwrap();
    there.leave("never").await.unwrap();
    let both = [sender("a", NOW, None), sender("b", NOW, None)];
    assert_eq!(here.senders(NOW.plus_ms(COUNTED_MS)).await.unwrap(), both);
    there.send("b", None, NOW.plus_ms(1)).await.unwrap();
    let one = [sender("b", NOW.plus_ms(1), None)];
    assert_eq!(here.senders(NOW.plus_ms(COUNTED_MS + 1)).await.unwrap(), one);
}

fn sender(name: &str, at: Timestamp, holds: Option<u64>) -> Sender {
    Sender { name: name.to_owned(), at, holds }
}
