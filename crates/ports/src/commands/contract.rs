//! The contract of [`Commands`]: one function per promise, run against every engine. The factory opens the engine with queues
//! of its own, and opens the same queues when it is called again.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Commands, Consumer, DEAD_MAX, DEAD_SEEN_MAX, Dead, Delivery};
use crate::ErrorKind;
use crate::contract::soon;

/// Tests that an engine of [`Commands`] keeps every promise. Takes a factory, `async || -> Arc<impl Commands>`, and one that makes the
/// partitions that are not there of so many before it opens the engine, `async |usize| -> Arc<impl Commands>`.
#[macro_export]
macro_rules! commands_contract {
    ($factory:expr, $growing:expr) => {
        $crate::contract_tests! { commands, $factory;
            c1_commands_are_delivered_in_order,
            c2_unsettled_is_delivered_again_and_settled_is_not,
            c3_a_full_queue_refuses_and_takes_nothing,
            c4_one_consumer_at_a_time,
            c5_what_was_taken_survives_as_is_durable_says,
            c6_what_was_buried_lies_there_in_order,
            c7_to_look_changes_nothing_and_what_is_taken_away_is_gone,
            c8_no_more_are_buried_than_there_may_be,
        }
        $crate::contract_tests! { commands, $growing;
            c9_after_growth_everything_is_where_it_was,
            c9_a_new_partition_goes_to_whoever_has_grown,
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
            submit(&*commands, 0, n).await;
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
    drop(third);
    let mut fourth = commands.consume(0).await.unwrap();
    commands.submit(0, payload(10)).await.unwrap();
    assert_eq!(take(&mut *fourth, 1).await, [payload(10)], "what was settled is gone");
}

/// C3: a queue that is full says so at once; what it refused is never delivered, and it takes commands again once what it had is
/// settled. An engine whose queue does not fill here has nothing to show.
pub async fn c3_a_full_queue_refuses_and_takes_nothing<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let commands = open().await;
    let mut taken = Vec::new();
    for n in 0..2_000 {
        match soon(commands.submit(0, payload(n))).await {
            Ok(()) => taken.push(payload(n)),
            Err(error) => assert_eq!(error.kind, ErrorKind::Full),
        }
    }
    let mut consumer = commands.consume(0).await.unwrap();
    let mut delivered = Vec::new();
    while delivered.len() < taken.len() {
        delivered.extend(soon(consumer.next(100)).await.unwrap());
        // Without that, an engine need not deliver all of them.
        consumer.settle(delivered.last().unwrap().position).await.unwrap();
    }
    assert_eq!(payloads(&delivered), taken);
    let there_is_room = async {
        // The word may take a moment to go round.
        while let Err(error) = commands.submit(0, payload(2_000)).await {
            assert_eq!(error.kind, ErrorKind::Full);
            tokio::task::yield_now().await;
        }
    };
    soon(there_is_room).await;
    assert_eq!(take(&mut *consumer, 1).await, [payload(2_000)]);
}

/// C4: a second consumer waits until the first is gone, and gets what that one did not settle. The same where it belongs to
/// another process.
pub async fn c4_one_consumer_at_a_time<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let (commands, elsewhere) = (open().await, open().await);
    for n in 1..=3 {
        commands.submit(0, payload(n)).await.unwrap();
    }
    let mut former = commands.consume(0).await.unwrap();
    let delivered = soon(former.next(1)).await.unwrap();
    let waiting = tokio::spawn(async move {
        let mut latter = elsewhere.consume(0).await.unwrap();
        let first = take(&mut *latter, 2).await;
        (latter, elsewhere, first)
    });
    assert_eq!(take(&mut *former, 1).await, [payload(2)], "it is still its turn");
    former.settle(delivered[0].position).await.unwrap();
    assert!(!waiting.is_finished(), "there is one at a time");
    drop(former);
    let (mut latter, elsewhere, first) = waiting.await.unwrap();
    assert_eq!(first, [2, 3].map(payload));
    elsewhere.submit(0, payload(4)).await.unwrap();
    assert_eq!(take(&mut *latter, 1).await, [payload(4)]);
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

/// C6: dead letters lie there in their order, beside what waits, also when the queues are opened again.
pub async fn c6_what_was_buried_lies_there_in_order<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let commands = open().await;
    assert_eq!(look(&*commands, 0).await.count(), 0);
    commands.submit(0, payload(100)).await.unwrap();
    commands.bury(vec![payload(1), payload(2)]).await.unwrap();
    commands.bury(Vec::new()).await.unwrap();
    commands.bury(vec![payload(3)]).await.unwrap();
    let is_durable = commands.is_durable();
    assert_eq!(told(&mut *look(&*commands, 3).await, 10).await, [1, 2, 3].map(payload));
    drop(commands);
    let commands = open().await;
    if is_durable {
        assert_eq!(told(&mut *look(&*commands, 3).await, 10).await, [1, 2, 3].map(payload));
        let mut consumer = commands.consume(0).await.unwrap();
        assert_eq!(take(&mut *consumer, 1).await, [payload(100)], "nothing else lies there");
    }
}

/// C7: who looks is told all that is there when it begins, and changes nothing but what it takes away.
pub async fn c7_to_look_changes_nothing_and_what_is_taken_away_is_gone<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let commands = open().await;
    let all = DEAD_SEEN_MAX as u64 + 10;
    commands.bury((0..all).map(payload).collect()).await.unwrap();
    for _ in 0..2 {
        let mut looking = look(&*commands, all).await;
        let seen = told(&mut *looking, 300).await;
        assert_eq!(seen, (0..DEAD_SEEN_MAX as u64).map(payload).collect::<Vec<_>>(), "no more at a time");
    }
    let mut looking = look(&*commands, all).await;
    let first = soon(looking.next(4)).await.unwrap();
    assert_eq!(payloads(&first), [0, 1, 2, 3].map(payload));
    looking.take_away(first[1].position).await.unwrap();
    commands.bury(vec![payload(all)]).await.unwrap();
    drop(looking);

    let mut looking = look(&*commands, all - 1).await;
    let mut seen = Vec::new();
    loop {
        let some = soon(looking.next(300)).await.unwrap();
        let Some(last) = some.last() else { break };
        looking.take_away(last.position).await.unwrap();
        seen.extend(payloads(&some));
    }
    assert_eq!(seen, (2..=all).map(payload).collect::<Vec<_>>());
    commands.bury(vec![payload(0)]).await.unwrap();
    assert!(soon(looking.next(1)).await.unwrap().is_empty(), "it was not there when this one began");
    drop(looking);
    assert_eq!(told(&mut *look(&*commands, 1).await, 10).await, [payload(0)]);
}

/// C8: there is an end to it, which is said, and room again once some were taken away.
pub async fn c8_no_more_are_buried_than_there_may_be<C: Commands>(open: impl AsyncFn() -> Arc<C>) {
    let commands = open().await;
    let mut buried = 0;
    let full = loop {
        let letters = (buried..buried + 500).map(payload).collect();
        match soon(commands.bury(letters)).await {
            Ok(()) => buried += 500,
            Err(error) => break error,
        }
        assert!(buried <= u64::from(DEAD_MAX) + 500, "there is no end to it");
    };
    assert_eq!(full.kind, ErrorKind::Full);
    assert!(buried >= u64::from(DEAD_MAX) - 500, "{buried}");
    let mut looking = look(&*commands, buried).await;
    for _ in 0..5 {
        let some = soon(looking.next(DEAD_SEEN_MAX)).await.unwrap();
        looking.take_away(some.last().unwrap().position).await.unwrap();
    }
    drop(looking);
    // The word may take a moment to go round.
    soon(async { while commands.bury(vec![payload(0)]).await.is_err() {} }).await;
}

/// C9: growth takes nothing from a consumer, and a partition that was not known before is like any other.
pub async fn c9_after_growth_everything_is_where_it_was<C: Commands>(open: impl AsyncFn(usize) -> Arc<C>) {
    let commands = open(1).await;
    assert_eq!(commands.partitions(), 1);
    assert_eq!(commands.submit(1, payload(0)).await.unwrap_err().kind, ErrorKind::Broken, "nobody knows of it");
    assert_eq!(commands.consume(1).await.err().unwrap().kind, ErrorKind::Broken);
    for n in 0..6 {
        commands.submit(0, payload(n)).await.unwrap();
    }
    let mut consumer = commands.consume(0).await.unwrap();
    let mut delivered = Vec::new();
    while delivered.len() < 3 {
        delivered.extend(soon(consumer.next(3 - delivered.len())).await.unwrap());
    }
    consumer.settle(delivered[1].position).await.unwrap();

    drop(open(3).await);
    assert_eq!(commands.partitions(), 1, "it was not told");
    for (partitions, known) in [(3, 3), (3, 3), (2, 3), (0, 3)] {
        commands.grow(partitions).await.unwrap();
        assert_eq!(commands.partitions(), known);
    }
    commands.submit(0, payload(6)).await.unwrap();
    assert_eq!(take(&mut *consumer, 4).await, [3, 4, 5, 6].map(payload), "its turn lasts");
    consumer.settle(delivered[2].position).await.unwrap();
    drop(consumer);
    let mut next = commands.consume(0).await.unwrap();
    assert_eq!(take(&mut *next, 4).await, [3, 4, 5, 6].map(payload));

    for partition in 1..3 {
        let mut new = commands.consume(partition).await.unwrap();
        for n in 0..3 {
            commands.submit(partition, payload(n)).await.unwrap();
        }
        assert_eq!(take(&mut *new, 3).await, [0, 1, 2].map(payload));
    }
}

/// C9: while commands come, two processes that consume grow one after the other: what comes to the partition that they had keeps its
/// order, and what comes to the new one is delivered.
pub async fn c9_a_new_partition_goes_to_whoever_has_grown<C: Commands>(open: impl AsyncFn(usize) -> Arc<C>) {
    let (commands, elsewhere) = (open(1).await, open(1).await);
    let (hear, heard) = mpsc::unbounded_channel();
    let mut heard = Heard { heard, known: BTreeSet::new(), told: Default::default() };
    let mut workers = JoinSet::new();
    workers.spawn(work(commands.clone(), 0, hear.clone()));
    workers.spawn(work(elsewhere.clone(), 0, hear.clone()));
    let (enough, mut is_enough) = tokio::sync::oneshot::channel();
    let submitting = async {
        let mut count = 0;
        while is_enough.try_recv().is_err() {
            submit(&*commands, 0, count).await;
            count += 1;
            tokio::task::yield_now().await;
        }
        count
    };
    let growing = async {
        heard.until(0, 50).await;
        drop(open(2).await);
        commands.grow(2).await.unwrap();
        workers.spawn(work(commands.clone(), 1, hear.clone()));
        for n in 0..10 {
            submit(&*commands, 1, n).await;
        }
        elsewhere.grow(2).await.unwrap();
        workers.spawn(work(elsewhere.clone(), 1, hear.clone()));
        heard.until(1, 10).await;
        for n in 10..20 {
            submit(&*elsewhere, 1, n).await;
        }
        heard.until(1, 20).await;
        enough.send(()).unwrap();
    };
    let (count, ()) = tokio::join!(submitting, growing);
    heard.until(0, count).await;
    for (told, count) in heard.told.iter().zip([count, 20]) {
        assert_eq!(*told, (0..count).map(payload).collect::<Vec<_>>());
    }
}

/// Submits, once there is room.
async fn submit<C: Commands>(commands: &C, partition: usize, n: u64) {
    while let Err(error) = commands.submit(partition, payload(n)).await {
        assert_eq!(error.kind, ErrorKind::Full, "{:?}", std::error::Error::source(&error));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What was delivered of two partitions, but for redelivery.
struct Heard {
    heard: mpsc::UnboundedReceiver<(usize, Bytes)>,
    known: BTreeSet<(usize, Bytes)>,
    told: [Vec<Bytes>; 2],
}

impl Heard {
    /// Waits for so many of one of them.
    async fn until(&mut self, partition: usize, count: u64) {
        while (self.told[partition].len() as u64) < count {
            let (partition, payload) = soon(self.heard.recv()).await.unwrap();
            if self.known.insert((partition, payload.clone())) {
                self.told[partition].push(payload);
            }
        }
    }
}

/// Consumes a partition for good, and tells what is delivered.
async fn work<C: Commands>(commands: Arc<C>, partition: usize, hear: mpsc::UnboundedSender<(usize, Bytes)>) {
    loop {
        let Ok(mut consumer) = commands.consume(partition).await else { continue };
        while let Ok(deliveries) = consumer.next(100).await {
            for delivery in &deliveries {
                // Nobody hears it when the test is over.
                let _ = hear.send((partition, delivery.payload.clone()));
            }
            if consumer.settle(deliveries.last().unwrap().position).await.is_err() {
                break;
            }
        }
    }
}

/// Looks, once at least so many are there: whoever looked before may be about to leave.
async fn look<C: Commands>(commands: &C, count: u64) -> Box<dyn Dead> {
    let looking = async {
        loop {
            match commands.dead().await {
                Ok(dead) if dead.count() >= count => break dead,
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind, ErrorKind::Conflict),
            }
        }
    };
    soon(looking).await
}

/// The dead letters that are told, `limit` at a time.
async fn told(dead: &mut dyn Dead, limit: usize) -> Vec<Bytes> {
    let mut all = Vec::new();
    loop {
        let some = soon(dead.next(limit)).await.unwrap();
        if some.is_empty() {
            return all;
        }
        assert!(some.len() <= limit);
        all.extend(payloads(&some));
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
