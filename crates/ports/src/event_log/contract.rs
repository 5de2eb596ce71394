//! What every engine of the log must keep, one function a promise. An engine's tests run all of it with
//! [`event_log_contract!`](crate::event_log_contract).

#![expect(clippy::unwrap_used, reason = "a contract suite is a test")]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
use tokio::task::JoinSet;

use super::{Append, EventLog, NewRecord, READ_BYTES_MAX, Record, Snapshot};
use crate::ErrorKind;

/// An engine to be tried, and the ways to lose it.
#[async_trait]
pub trait Bench: Send {
    /// The engine, as last opened.
    fn log(&self) -> Arc<dyn EventLog>;

    /// The same log as another process sees it, where an engine can have several.
    fn log_elsewhere(&self) -> Arc<dyn EventLog> {
        self.log()
    }

    /// Stops the engine in order and opens it on what it stored.
    async fn reopen(&mut self);

    /// Loses the engine without warning and opens it on what it stored: as much of that as one process can do. Loss of power
    /// is for the recovery tests, on the forgetful disk.
    async fn crash(&mut self) {
        self.reopen().await;
    }

    /// Makes the next sync fail, if the engine can be made to.
    fn fail_next_sync(&self) -> bool {
        false
    }
}

/// One test for each promise: `event_log_contract!(expression)`, where the expression makes a new [`Bench`] on an empty store.
#[macro_export]
macro_rules! event_log_contract {
    ($bench:expr) => {
        $crate::contract_tests! { event_log, &mut $bench;
            l1_an_append_survives,
            l2_a_stale_append_conflicts,
            l3_records_are_read_in_order,
            l4_an_append_is_whole,
            l5_find_knows_every_id,
            l6_tails_are_linearizable,
            l7_erase_removes_the_body,
            l8_conversations_are_listed_once,
            l9_a_snapshot_is_one_that_was_saved,
            l10_a_failed_sync_breaks_the_log,
        }
    };
}

/// L1.
pub async fn l1_an_append_survives(bench: &mut dyn Bench) {
    let c = conversation(1);
    append(bench, c, 0, 3).await;
    bench.crash().await;
    assert_eq!(all(bench, c).await, records(c, 1..=3));
    append(bench, c, 3, 2).await;
    bench.reopen().await;
    assert_eq!(all(bench, c).await, records(c, 1..=5));
}

/// L2.
pub async fn l2_a_stale_append_conflicts(bench: &mut dyn Bench) {
    let [a, b, c] = [1, 2, 3].map(conversation);
    append(bench, a, 0, 2).await;

    // The wrong tails, one that is right, and one whose records do not continue what it expects.
    let gap = Append { expected: Seq(2), ..new(a, 3, 1) };
    let batches = [vec![new(a, 1, 1), new(b, 0, 1)], vec![new(a, 3, 1), new(c, 1, 1)], vec![gap, new(b, 1, 1)]];
    let mut answers = Vec::new();
    for batch in batches {
        answers.extend(bench.log().append(batch).await.into_iter().map(|answer| answer.map_err(|error| error.kind)));
    }
    let conflict = Err(ErrorKind::Conflict);
    assert_eq!(answers, [conflict, Ok(()), conflict, conflict, conflict, Ok(())]);
    assert_eq!(bench.log().append(vec![new(a, 2, 0)]).await[0].as_ref().map_err(|e| e.kind), Err(ErrorKind::Conflict));
    assert_eq!(all(bench, a).await, records(a, 1..=2));
    assert_eq!(all(bench, b).await, records(b, 1..=2));
    assert_eq!(bench.log().conversations(None, 9).await.unwrap(), [(a, Seq(2)), (b, Seq(2))]);

    let mut race = JoinSet::new();
    for turn in 0..16 {
        let log = if turn % 2 == 0 { bench.log() } else { bench.log_elsewhere() };
        race.spawn(async move { log.append(vec![new(c, 0, 1 + turn)]).await.remove(0).is_ok() });
    }
    let winners = race.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(winners, 1, "of all that race for a tail, one wins");
    let tail = bench.log().tails(&[c]).await.unwrap()[0];
    assert_eq!(all(bench, c).await, records(c, 1..=tail.0), "nothing of the losers is there");
}

/// L3.
pub async fn l3_records_are_read_in_order(bench: &mut dyn Bench) {
    let [c, other] = [1, 2].map(conversation);
    append(bench, other, 0, 3).await;
    for tail in 0..30 {
        append(bench, c, tail, 1).await;
    }
    append(bench, c, 30, 20).await;
    let log = bench.log();
    assert_eq!(all(bench, c).await, records(c, 1..=50));
    assert_eq!(log.read(c, Seq(40), 5).await.unwrap(), records(c, 40..=44));
    assert_eq!(log.read(c, Seq(48), 5).await.unwrap(), records(c, 48..=50));
    assert_eq!(log.read(c, Seq(51), 5).await.unwrap(), []);
    assert_eq!(log.read(conversation(9), Seq::ZERO, 5).await.unwrap(), []);

    // An answer ends where it grows too large, but it is never empty.
    let mut large = new(c, 50, 3);
    large.records.iter_mut().for_each(|new| new.record.body = vec![7; READ_BYTES_MAX * 2 / 3].into());
    large.records[1].record.head = vec![8; READ_BYTES_MAX + 1].into();
    let expected: Vec<_> = large.records.iter().map(|new| new.record.clone()).collect();
    log.append(vec![large]).await.remove(0).unwrap();
    for (from, record) in (51..).zip(expected) {
        assert_eq!(log.read(c, Seq(from), 9).await.unwrap(), [record]);
    }
}

/// L4.
pub async fn l4_an_append_is_whole(bench: &mut dyn Bench) {
    let c = conversation(1);
    let log = bench.log();
    let writer = tokio::spawn({
        let log = log.clone();
        async move {
            for tail in (0..2_000).step_by(100) {
                log.append(vec![new(c, tail, 100)]).await.remove(0).unwrap();
            }
        }
    });
    let mut seen = 0;
    while seen < 2_000 {
        seen = log.read(c, Seq(1), 5_000).await.unwrap().len();
        assert_eq!(seen % 100, 0, "a part of an append was seen");
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    bench.crash().await;
    assert_eq!(all(bench, c).await, records(c, 1..=2_000));
}

/// L5.
pub async fn l5_find_knows_every_id(bench: &mut dyn Bench) {
    let [c, other] = [1, 2].map(conversation);
    let ids = [id(c, 7), id(other, 1), id(c, 1), id(c, 9)];
    assert_eq!(bench.log().find(c, &ids).await.unwrap(), [None, None, None, None]);
    append(bench, other, 0, 1).await;
    append(bench, c, 0, 8).await;
    let expected = [Some(index(c, 7)), None, Some(index(c, 1)), None];
    assert_eq!(bench.log_elsewhere().find(c, &ids).await.unwrap(), expected);
    bench.crash().await;
    assert_eq!(bench.log().find(c, &ids).await.unwrap(), expected);
    assert_eq!(bench.log().find(c, &[]).await.unwrap(), []);
}

/// L6.
pub async fn l6_tails_are_linearizable(bench: &mut dyn Bench) {
    let [a, b] = [1, 2].map(conversation);
    for tail in 0..20 {
        append(bench, a, tail, 1).await;
        let tails = bench.log_elsewhere().tails(&[b, a]).await.unwrap();
        assert_eq!(tails, [Seq::ZERO, Seq(tail + 1)]);
    }
    bench.crash().await;
    assert_eq!(bench.log().tails(&[a, b, a]).await.unwrap(), [Seq(20), Seq::ZERO, Seq(20)]);
}

/// L7.
pub async fn l7_erase_removes_the_body(bench: &mut dyn Bench) {
    let c = conversation(1);
    append(bench, c, 0, 5).await;
    bench.log().erase(c, &[Seq(2), Seq(4), Seq(6)]).await.unwrap();
    bench.log().erase(c, &[Seq(4)]).await.unwrap();
    bench.log().erase(conversation(9), &[Seq(1)]).await.unwrap();
    let mut expected = records(c, 1..=5);
    expected[1].body = Bytes::new();
    expected[3].body = Bytes::new();
    assert_eq!(all(bench, c).await, expected);
    bench.crash().await;
    assert_eq!(all(bench, c).await, expected);
    assert_eq!(bench.log().find(c, &[id(c, 4)]).await.unwrap(), [Some(index(c, 4))]);
    assert_eq!(bench.log().conversations(None, 9).await.unwrap(), [(c, Seq(5))]);
}

/// L8.
pub async fn l8_conversations_are_listed_once(bench: &mut dyn Bench) {
    let mut expected: Vec<_> = (1..=25).map(|n| (conversation(n * 7 % 26), Seq(1 + u64::from(n % 3)))).collect();
    for (c, tail) in &expected {
        append(bench, *c, 0, tail.0).await;
    }
    expected.sort();
    let snapshot = Snapshot { seq: Seq(1), bytes: Bytes::from_static(b"of nothing") };
    bench.log().save_snapshot(conversation(100), snapshot).await.unwrap();

    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = bench.log().conversations(after, 10).await.unwrap();
        assert!(page.len() <= 10);
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        listed.extend(page);
    }
    assert_eq!(listed, expected);
}

/// L9.
pub async fn l9_a_snapshot_is_one_that_was_saved(bench: &mut dyn Bench) {
    let c = conversation(1);
    assert_eq!(bench.log().snapshot(c).await.unwrap(), None);
    let saved: Vec<_> = (1..=5).map(|n| Snapshot { seq: Seq(n), bytes: vec![n as u8; 1_000].into() }).collect();
    for snapshot in &saved {
        bench.log().save_snapshot(c, snapshot.clone()).await.unwrap();
    }
    // It is a cache, but one that never made it would not be worth its name: in order it is kept.
    assert_eq!(bench.log().snapshot(c).await.unwrap().as_ref(), saved.last());
    bench.reopen().await;
    assert_eq!(bench.log().snapshot(c).await.unwrap().as_ref(), saved.last());
    bench.crash().await;
    assert!(bench.log().snapshot(c).await.unwrap().is_none_or(|snapshot| saved.contains(&snapshot)));
}

/// L10.
pub async fn l10_a_failed_sync_breaks_the_log(bench: &mut dyn Bench) {
    let [a, b] = [1, 2].map(conversation);
    append(bench, a, 0, 1).await;
    if !bench.fail_next_sync() {
        return;
    }
    for _ in 0..3 {
        let answers = bench.log().append(vec![new(a, 1, 1), new(b, 0, 1)]).await;
        let kinds: Vec<_> = answers.into_iter().map(|answer| answer.unwrap_err().kind).collect();
        assert_eq!(kinds, [ErrorKind::Broken, ErrorKind::Broken]);
        assert_eq!(bench.log().erase(a, &[Seq(1)]).await.unwrap_err().kind, ErrorKind::Broken);
    }
    assert_eq!(all(bench, a).await, records(a, 1..=1), "what is durable can be read");
    assert_eq!(bench.log().tails(&[a, b]).await.unwrap(), [Seq(1), Seq::ZERO]);
}

/// The n-th conversation.
fn conversation(n: u8) -> ConversationId {
    ConversationId::from_bytes([n; 16])
}

fn id(c: ConversationId, seq: u64) -> CommandId {
    CommandId(Uuid::from_u128(c.0.as_u128() << 64 | u128::from(seq)))
}

fn index(c: ConversationId, seq: u64) -> Bytes {
    format!("index of {seq} in {c}").into()
}

/// The record that this suite always appends at this place.
fn record(c: ConversationId, seq: u64) -> Record {
    let body = if seq.is_multiple_of(7) { Bytes::new() } else { format!("body of {seq} in {c}").into() };
    Record { seq: Seq(seq), id: id(c, seq), head: vec![seq as u8; (seq % 5) as usize].into(), body }
}

fn records(c: ConversationId, seqs: std::ops::RangeInclusive<u64>) -> Vec<Record> {
    seqs.map(|seq| record(c, seq)).collect()
}

fn new(c: ConversationId, tail: u64, count: u64) -> Append {
    let new = |record: Record| NewRecord { index: index(c, record.seq.0), record };
    let records = records(c, tail + 1..=tail + count).into_iter().map(new).collect();
    Append { conversation: c, expected: Seq(tail), records }
}

async fn append(bench: &dyn Bench, c: ConversationId, tail: u64, count: u64) {
    bench.log().append(vec![new(c, tail, count)]).await.remove(0).expect("the tail is as expected");
}

async fn all(bench: &dyn Bench, c: ConversationId) -> Vec<Record> {
    bench.log().read(c, Seq::ZERO, 10_000).await.expect("the log can be read")
}
