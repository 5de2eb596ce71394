//! What every engine of the feed must keep, one function a promise. An engine's tests run all of it with
//! [`feed_contract!`](crate::feed_contract).

#![expect(clippy::unwrap_used, reason = "a contract suite is a test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
use tokio::sync::mpsc;

use super::{Entry, Feed, Follower};
use crate::ErrorKind;
use crate::contract::soon;
use crate::event_log::{Append, EventLog, NewRecord, Record};

/// An engine to be tried with the log that it belongs to, and the ways to lose them.
#[async_trait]
pub trait Bench: Send {
    /// The log, as last opened.
    fn log(&self) -> Arc<dyn EventLog>;

    /// The engine, as last opened.
    fn feed(&self) -> Arc<dyn Feed>;

    /// The same feed as another process sees it, where an engine can have several.
    fn feed_elsewhere(&self) -> Option<Arc<dyn Feed>> {
        None
    }

    /// Stops the engine in order and opens it on what it stored.
    async fn reopen(&mut self);

    /// Loses the engine without warning and opens it on what it stored.
    async fn crash(&mut self) {
        self.reopen().await;
    }
}

/// One test for each promise: `feed_contract!(expression)`, where the expression makes a new [`Bench`] on an empty store.
#[macro_export]
macro_rules! feed_contract {
    ($bench:expr) => {
        $crate::contract_tests! { feed, &mut $bench;
            f1_every_event_reaches_every_worker,
            f2_a_conversation_comes_in_order,
            f3_a_worker_goes_on_where_it_committed,
            f4_a_slow_worker_holds_nobody_up,
            f5_a_worker_knows_whether_something_waits,
            f6_several_share_the_work,
        }
    };
}

/// F1.
pub async fn f1_every_event_reaches_every_worker(bench: &mut dyn Bench) {
    say(bench, 1, 1..=7).await;
    say(bench, 2, 1..=3).await;
    bench.crash().await;
    for worker in ["search", "push"] {
        let mut follower = bench.feed().follow(worker).await.unwrap();
        let entries = collect(&mut *follower, 10).await;
        assert_eq!(of(&entries, 1), records(1, 1..=7));
        assert_eq!(of(&entries, 2), records(2, 1..=3));
    }
    // One that waits already hears of what is published later.
    let mut follower = bench.feed().follow("search").await.unwrap();
    collect(&mut *follower, 10).await;
    let waiting = tokio::spawn(async move { collect(&mut *follower, 2).await });
    say(bench, 1, 8..=9).await;
    assert_eq!(of(&waiting.await.unwrap(), 1), records(1, 8..=9));
}

/// F2.
pub async fn f2_a_conversation_comes_in_order(bench: &mut dyn Bench) {
    for seq in 1..=20 {
        for conversation in 1..=5 {
            say(bench, conversation, seq..=seq).await;
        }
    }
    let mut follower = bench.feed().follow("search").await.unwrap();
    let entries = collect(&mut *follower, 100).await;
    for conversation in 1..=5 {
        assert_eq!(of(&entries, conversation), records(conversation, 1..=20));
    }
    assert!(entries.is_sorted_by_key(|entry| entry.position));
}

/// F3.
pub async fn f3_a_worker_goes_on_where_it_committed(bench: &mut dyn Bench) {
    for seq in 1..=10 {
        say(bench, 1, seq..=seq).await;
    }
    let mut follower = bench.feed().follow("search").await.unwrap();
    let entries = collect(&mut *follower, 10).await;
    follower.commit(entries[3].position).await.unwrap();
    drop(follower);

    let mut follower = bench.feed().follow("search").await.unwrap();
    let entries = collect(&mut *follower, 6).await;
    assert_eq!(of(&entries, 1), records(1, 5..=10));
    follower.commit(entries[1].position).await.unwrap();
    follower.commit(entries[0].position).await.unwrap();
    drop(follower);

    bench.reopen().await;
    let mut follower = bench.feed().follow("search").await.unwrap();
    assert_eq!(of(&collect(&mut *follower, 4).await, 1), records(1, 7..=10), "a worker does not go back");
    let mut other = bench.feed().follow("push").await.unwrap();
    let entries = collect(&mut *other, 10).await;
    assert_eq!(of(&entries, 1), records(1, 1..=10), "each kind has its own place");
    other.commit(entries[9].position).await.unwrap();

    say(bench, 2, 1..=40).await;
    let entries = collect(&mut *other, 23).await;
    other.commit(entries[22].position).await.unwrap();
    drop(other);
    let mut other = bench.feed().follow("push").await.unwrap();
    let mut entries = collect(&mut *other, 1).await;
    let first = entries[0].record.seq.0;
    assert!((1..=24).contains(&first), "what was published together may come again, from {first} on");
    let left = 41 - first as usize - entries.len();
    entries.extend(collect(&mut *other, left).await);
    assert_eq!(of(&entries, 2), records(2, first..=40));
}

/// F4.
pub async fn f4_a_slow_worker_holds_nobody_up(bench: &mut dyn Bench) {
    let _never_asks = bench.feed().follow("slow").await.unwrap();
    let mut follower = bench.feed().follow("search").await.unwrap();
    for hundred in 0..20 {
        soon(say(bench, 1, 100 * hundred + 1..=100 * (hundred + 1))).await;
    }
    assert_eq!(of(&collect(&mut *follower, 2_000).await, 1), records(1, 1..=2_000));
}

/// F5.
pub async fn f5_a_worker_knows_whether_something_waits(bench: &mut dyn Bench) {
    let mut follower = bench.feed().follow("search").await.unwrap();
    assert!(!follower.is_behind().await.unwrap());
    for seq in 1..=3 {
        say(bench, 1, seq..=seq).await;
    }
    assert!(follower.is_behind().await.unwrap());
    let entries = collect(&mut *follower, 3).await;
    assert!(!follower.is_behind().await.unwrap(), "what was handed out does not wait");
    follower.commit(entries[0].position).await.unwrap();
    drop(follower);
    let mut follower = bench.feed().follow("search").await.unwrap();
    let waits_again = async {
        // A server may need a moment to take back what the one before had.
        while !follower.is_behind().await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    soon(waits_again).await;
    assert_eq!(of(&collect(&mut *follower, 2).await, 1), records(1, 2..=3));
    assert!(!follower.is_behind().await.unwrap());
}

/// F6.
pub async fn f6_several_share_the_work(bench: &mut dyn Bench) {
    let Some(elsewhere) = bench.feed_elsewhere() else { return };
    let (heard, mut hear) = mpsc::unbounded_channel();
    let mut followers = Vec::new();
    for (number, feed) in [bench.feed(), elsewhere].into_iter().enumerate() {
        let heard = heard.clone();
        followers.push(tokio::spawn(async move {
            loop {
                let mut follower = feed.follow("search").await.unwrap();
                while let Ok(entries) = follower.next(7).await {
                    let last = entries.last().unwrap().position;
                    entries.into_iter().for_each(|entry| heard.send((number, entry)).unwrap());
                    match follower.commit(last).await {
                        // The work moved: follow again.
                        Err(error) if error.kind == ErrorKind::Unavailable => break,
                        committed => committed.unwrap(),
                    }
                }
            }
        }));
    }
    // Until both are at work, the work moves between them.
    let mut round = 0;
    let both_at_work = async {
        loop {
            round += 1;
            let shares = round_of_work(bench, &mut hear, round).await;
            if shares.values().any(|share| share == &[0]) && shares.values().any(|share| share == &[1]) {
                return;
            }
        }
    };
    soon(both_at_work).await;
    // What was on its way when the work moved may have come to both; by now it has moved.
    round += 1;
    let shares = round_of_work(bench, &mut hear, round).await;
    assert!(shares.values().all(|share| share.len() == 1), "a conversation goes to one at a time: {shares:?}");
    followers[1].abort();
    let shares = round_of_work(bench, &mut hear, round + 1).await;
    assert!(shares.values().all(|share| share.contains(&0)), "whoever is left does all: {shares:?}");
    followers[0].abort();
}

/// Says one thing in each of 40 conversations, and tells who heard of it in which.
async fn round_of_work(
    bench: &dyn Bench,
    hear: &mut mpsc::UnboundedReceiver<(usize, Entry)>,
    round: u64,
) -> BTreeMap<ConversationId, Vec<usize>> {
    for n in 1..=40 {
        say(bench, n, round..=round).await;
    }
    let mut shares = BTreeMap::<ConversationId, Vec<usize>>::new();
    while shares.len() < 40 {
        let (follower, entry) = soon(hear.recv()).await.unwrap();
        let share = shares.entry(entry.conversation).or_default();
        if entry.record.seq == Seq(round) && !share.contains(&follower) {
            share.push(follower);
        }
        shares.retain(|_, share| !share.is_empty());
    }
    shares
}

fn conversation(n: u8) -> ConversationId {
    ConversationId::from_bytes([n; 16])
}

fn records(n: u8, seqs: std::ops::RangeInclusive<u64>) -> Vec<Record> {
    let record = |seq| Record {
        seq: Seq(seq),
        id: CommandId(Uuid::from_u128(u128::from(n) << 64 | u128::from(seq))),
        head: Bytes::from_static(b"head"),
        body: format!("body of {seq} in {n}").into(),
    };
    seqs.map(record).collect()
}

/// Appends these events and publishes them.
async fn say(bench: &dyn Bench, n: u8, seqs: std::ops::RangeInclusive<u64>) {
    let (conversation, expected, records) = (conversation(n), Seq(seqs.start() - 1), records(n, seqs));
    let new = records.iter().map(|record| NewRecord { record: record.clone(), index: Bytes::new() }).collect();
    let append = Append { conversation, expected, records: new };
    bench.log().append(vec![append]).await.remove(0).expect("the tail is as expected");
    let events: Vec<_> = records.into_iter().map(|record| (conversation, record)).collect();
    bench.feed().publish(&events).await.expect("the feed takes events");
}

/// The next `count` events, but for repeats.
async fn collect(follower: &mut dyn Follower, count: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    while entries.len() < count {
        let next = soon(follower.next(7)).await.unwrap();
        assert!((1..=7).contains(&next.len()));
        for entry in next {
            let same = |old: &Entry| old.conversation == entry.conversation && old.record.seq == entry.record.seq;
            if !entries.iter().any(same) {
                entries.push(entry);
            }
        }
    }
    entries
}

fn of(entries: &[Entry], n: u8) -> Vec<Record> {
    let entries = entries.iter().filter(|entry| entry.conversation == conversation(n));
    entries.map(|entry| entry.record.clone()).collect()
}
