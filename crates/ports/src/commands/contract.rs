//! The contract of [`Commands`]: one function per promise, run against every engine. The factory opens the engine with queues
//! of its own, and opens the same queues when it is called again.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

use std::sync::Arc;

use bytes::Bytes;

use super::{Commands, Consumer, Delivery};
use crate::ErrorKind;
use crate::contract::soon;

/// Tests that an engine of [`Commands`] keeps every promise. Takes a factory, `async || -> Arc<impl Commands>`.
#[macro_export]
macro_rules! commands_contract {
    ($factory:expr) => {
        $crate::contract_tests! { commands, $factory;
            c1_commands_are_delivered_in_order,
            c2_unsettled_is_delivered_again_and_settled_is_not,
            c3_a_full_queue_refuses_and_takes_nothing,
            c4_a_new_consumer_takes_over,
            c5_what_was_taken_survives_as_is_durable_says,
        }
    };
}

/// C1: what is submitted from one place to one partition is delivered in that order, whatever the pages; other partitions
/// are others.
pub async fn c1_commands_are_delivered_in_order<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let commands = open().await;
    let mut consumer = commands.consume(0).await.unwrap();
    let submitting = async {
        for n in 0..500 {
            while commands.submit(0, payload(n)).await.is_err_and(|error| error.kind == ErrorKind::Full) {
                tokio::task::yield_now().await;
            }
        }
    };
    let consuming = async {
        let mut delivered = Vec::new();
        while delivered.len() < 500 {
            let batch = soon(consumer.next(7)).await.unwrap();
            assert!((1..=7).contains(&batch.len()), "1 to the limit");
            consumer.settle(batch.last().unwrap().position).await.unwrap();
            delivered.extend(batch);
        }
        delivered
    };
    let ((), delivered) = tokio::join!(submitting, consuming);
    assert_eq!(payloads(&delivered), (0..500).map(payload).collect::<Vec<_>>());
    assert!(delivered.is_sorted_by(|a, b| a.position < b.position));

    if commands.partitions() > 1 {
        let mut other = commands.consume(1).await.unwrap();
        commands.submit(1, payload(1_000)).await.unwrap();
        assert_eq!(take(&mut *other, 1).await, [payload(1_000)]);
    }
}

/// C2: a new consumer gets everything that was not settled, in order, whether it was delivered before or not.
pub async fn c2_unsettled_is_delivered_again_and_settled_is_not<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let commands = open().await;
    for n in 0..10 {
        commands.submit(0, payload(n)).await.unwrap();
    }
    let mut first = commands.consume(0).await.unwrap();
    let mut delivered = Vec::new();
    while delivered.len() < 6 {
        delivered.extend(soon(first.next(6 - delivered.len())).await.unwrap());
    }
    first.settle(delivered[3].position).await.unwrap();
    first.settle(delivered[1].position).await.unwrap();
    drop(first);

    let mut second = commands.consume(0).await.unwrap();
    assert_eq!(take(&mut *second, 6).await, (4..10).map(payload).collect::<Vec<_>>());
    drop(second);
    let mut third = commands.consume(0).await.unwrap();
    let mut last = 0;
    for n in 4..10 {
        let batch = soon(third.next(1)).await.unwrap();
        assert_eq!(payloads(&batch), [payload(n)]);
        last = batch[0].position;
    }
    third.settle(last).await.unwrap();
    let mut fourth = commands.consume(0).await.unwrap();
    commands.submit(0, payload(10)).await.unwrap();
    assert_eq!(take(&mut *fourth, 1).await, [payload(10)], "what was settled is gone");
}

/// C3: a queue that is full says so at once; what it refused is never delivered, and it takes commands again once some were
/// settled. An engine whose queue does not fill here has nothing to show.
pub async fn c3_a_full_queue_refuses_and_takes_nothing<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let commands = open().await;
    let mut taken = Vec::new();
    let mut was_full = false;
    for n in 0..2_000 {
        match soon(commands.submit(0, payload(n))).await {
            Ok(()) => taken.push(payload(n)),
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Full);
                was_full = true;
            }
        }
    }
    let mut consumer = commands.consume(0).await.unwrap();
    let mut delivered = Vec::new();
    while delivered.len() < taken.len() {
        delivered.extend(soon(consumer.next(100)).await.unwrap());
    }
    assert_eq!(payloads(&delivered), taken);
    if was_full {
        assert!(commands.submit(0, payload(0)).await.is_err(), "delivered is not settled");
        consumer.settle(delivered[0].position).await.unwrap();
    }
    commands.submit(0, payload(2_000)).await.unwrap();
    assert_eq!(take(&mut *consumer, 1).await, [payload(2_000)]);
}

/// C4: who was there before a new consumer gets `Conflict`, also while waiting, and settles nothing any more.
pub async fn c4_a_new_consumer_takes_over<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let commands = open().await;
    commands.submit(0, payload(1)).await.unwrap();
    let mut former = commands.consume(0).await.unwrap();
    let delivered = soon(former.next(1)).await.unwrap();

    let waiting = tokio::spawn(async move {
        let outcome = soon(former.next(1)).await;
        (former, outcome)
    });
    tokio::task::yield_now().await;
    let mut latter = commands.consume(0).await.unwrap();
    let (mut former, outcome) = waiting.await.unwrap();
    assert_eq!(outcome.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(former.settle(delivered[0].position).await.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(soon(former.next(1)).await.unwrap_err().kind, ErrorKind::Conflict);

    assert_eq!(take(&mut *latter, 1).await, [payload(1)]);
    commands.submit(0, payload(2)).await.unwrap();
    assert_eq!(take(&mut *latter, 1).await, [payload(2)]);
}

/// C5: a durable queue still has what it took when it is opened again.
pub async fn c5_what_was_taken_survives_as_is_durable_says<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let commands = open().await;
    commands.submit(0, payload(1)).await.unwrap();
    let is_durable = commands.is_durable();
    drop(commands);
    let commands = open().await;
    if is_durable {
        let mut consumer = commands.consume(0).await.unwrap();
        assert_eq!(take(&mut *consumer, 1).await, [payload(1)]);
    }
}

fn payload(n: u64) -> Bytes {
    Bytes::copy_from_slice(&n.to_be_bytes())
}

fn payloads(delivered: &[Delivery]) -> Vec<Bytes> {
    delivered.iter().map(|delivery| delivery.payload.clone()).collect()
}

/// The payloads of the next `count` commands.
async fn take(consumer: &mut dyn Consumer, count: usize) -> Vec<Bytes> {
    let mut delivered = Vec::new();
    while delivered.len() < count {
        delivered.extend(soon(consumer.next(count - delivered.len())).await.unwrap());
    }
    payloads(&delivered)
}
