//! The store on fjall loses its power, again and again, on the forgetful disk: what was acknowledged is there, in order; what
//! was not synced is lost from its end only.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
use klatch_engines::drivers::fjall::{Options, Store};
use klatch_engines::event_log::fjall::FjallEventLog;
use klatch_engines::feed::fjall::FjallFeed;
use klatch_engines::overlay::fjall::FjallOverlays;
use klatch_forgetful::program::{done, root, run, run_watched};
use klatch_forgetful::{Disk, Loss};
use klatch_ports::event_log::{Append, EventLog, NewRecord, Record, Snapshot};
use klatch_ports::feed::Feed;
use klatch_ports::overlay::Overlays;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Conversations that are written at the same time.
const CONVERSATIONS: u64 = 6;

fn open(root: &Path) -> Arc<Store> {
    // So little memory that tables are written and compacted all the time.
    Store::open(&root.join("log"), Options { memtable_bytes: 128 << 10, ..Options::default() }).unwrap()
}

fn conversation(n: u64) -> ConversationId {
    ConversationId(Uuid::from_u128(u128::from(n) << 64))
}

/// The record that is always appended at this place; now and then a large one.
fn record(n: u64, seq: u64) -> Record {
    let words = if seq.is_multiple_of(50) { 12_500 } else { seq * 37 % 75 };
    // Bytes that no compression makes fewer, quick to make.
    let word = |i: u64| ((n << 40 | seq << 20 | i).wrapping_mul(0x9E37_79B9_7F4A_7C15)).rotate_left(23).to_le_bytes();
    let body: Vec<u8> = (0..words).flat_map(word).collect();
    let id = CommandId(Uuid::from_u128(u128::from(n) << 64 | u128::from(seq)));
    Record { seq: Seq(seq), id, head: seq.to_be_bytes().to_vec().into(), body: body.into() }
}

fn row(n: u64, seq: u64, version: u64) -> (Seq, Bytes) {
    (Seq(seq), format!("{n} {seq} {version}").into())
}

/// What a put of this version writes: a row that all puts share, and one of its own.
fn rows(n: u64, version: u64) -> Vec<(Seq, Bytes)> {
    vec![row(n, 1, version), row(n, 1 + version, version)]
}

fn state(n: u64, seq: u64) -> Snapshot {
    Snapshot { seq: Seq(seq), bytes: vec![n as u8; 1_000 + seq as usize % 100].into() }
}

/// Writes until it is killed, and says what was acknowledged.
#[tokio::main(worker_threads = 2)]
async fn write_for_ever(root: &Path) {
    let store = open(root);
    let log = Arc::new(FjallEventLog::new(store.clone()));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=CONVERSATIONS {
        tasks.spawn(append_for_ever(log.clone(), n));
    }
    tasks.spawn(project_for_ever(store.clone()));
    tasks.spawn(follow_for_ever(store));
    tasks.join_next().await.unwrap().unwrap();
}

async fn append_for_ever(log: Arc<FjallEventLog>, n: u64) {
    let id = conversation(n);
    let mut tail = log.tails(&[id]).await.unwrap()[0].0;
    loop {
        let count = 1 + tail % 3;
        let new = |seq| NewRecord { record: record(n, seq), index: seq.to_be_bytes().to_vec().into() };
        let records = (tail + 1..=tail + count).map(new).collect();
        log.append(vec![Append { conversation: id, expected: Seq(tail), records }]).await.remove(0).unwrap();
        tail += count;
        println!("appended {n} {tail}");
        if tail.is_multiple_of(7) {
            log.save_snapshot(id, state(n, tail)).await.unwrap();
        }
        if tail.is_multiple_of(5) {
            log.erase(id, &[Seq(tail - 1)]).await.unwrap();
            println!("erased {n} {}", tail - 1);
        }
    }
}

/// One after the other to all conversations, so that it is known what came before what.
async fn project_for_ever(store: Arc<Store>) {
    let overlays = FjallOverlays::new(store);
    let mut versions = Vec::new();
    for n in 1..=CONVERSATIONS {
        versions.push(overlays.applied(conversation(n)).await.unwrap().0);
    }
    for n in (1..=CONVERSATIONS).cycle() {
        let version = &mut versions[n as usize - 1];
        *version += 1;
        overlays.put(conversation(n), Seq(*version), rows(n, *version)).await.unwrap();
        println!("put {n} {version}");
    }
}

async fn follow_for_ever(store: Arc<Store>) {
    let mut follower = FjallFeed::new(store).follow("worker").await.unwrap();
    loop {
        let position = follower.next(20).await.unwrap().last().unwrap().position;
        follower.commit(position).await.unwrap();
        println!("committed 0 {position}");
    }
}

#[test]
#[ignore = "a program for the other tests"]
fn writes_for_ever() {
    write_for_ever(&root());
}

/// What the program said: (what, conversation, number), in order.
fn acknowledged(said: &[String]) -> Vec<(&str, u64, u64)> {
    let parse = |line: &'_ String| -> Option<(&str, u64, u64)> {
        // Written past the test runner, whose own words may stand before.
        let mut words = line.rsplitn(3, ' ');
        let (number, n, what) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?);
        let what = ["appended", "erased", "put", "committed"].into_iter().find(|known| what.ends_with(known))?;
        Some((what, n, number))
    };
    said.iter().filter_map(parse).collect()
}

#[tokio::test]
async fn what_was_acknowledged_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::new(&dir.path().join("data")).unwrap();
    let mut tails = BTreeMap::new();
    for seed in 0..24 {
        let mut rng = StdRng::seed_from_u64(seed);
        disk.die_after(rng.random_range(1..4_000)).unwrap();
        let said = run(&disk, "writes_for_ever");
        assert_eq!(disk.escapes().unwrap(), 0);
        disk.lose_power(if seed % 3 == 0 { Loss::Everything } else { Loss::Some { seed } }).unwrap();
        println!("round {seed}: {} acknowledged", said.len());

        let said = acknowledged(&said);
        let store = open(disk.root());
        for (what, n, tail) in &said {
            if *what == "appended" {
                tails.insert(*n, *tail);
            }
        }
        check_log(&store, &tails, &said).await;
        check_feed(&store, &tails).await;
        check_overlays(&store, &said).await;
    }
}

/// Every record that was acknowledged is there as it was, with its index; more may be.
async fn check_log(store: &Arc<Store>, tails: &BTreeMap<u64, u64>, said: &[(&str, u64, u64)]) {
    let log = FjallEventLog::new(store.clone());
    for (n, acknowledged) in tails {
        let id = conversation(*n);
        let tail = log.tails(&[id]).await.unwrap()[0].0;
        assert!(tail >= *acknowledged, "conversation {n} lost {} events", acknowledged - tail);
        let mut seq = 0;
        while seq < tail {
            let page = log.read(id, Seq(seq + 1), 1_000).await.unwrap();
            let ids: Vec<_> = page.iter().map(|record| record.id).collect();
            let index = log.find(id, &ids).await.unwrap();
            for (found, index) in page.into_iter().zip(index) {
                seq += 1;
                let expected = record(*n, seq);
                let whole = found == expected;
                assert!(whole || found == Record { body: Bytes::new(), ..expected }, "{n} {seq}");
                assert!(whole || seq % 5 == 4, "{n} {seq} was never erased");
                assert!(found.body.is_empty() || !said.contains(&("erased", *n, seq)), "{n} {seq} came back");
                assert_eq!(index.unwrap(), seq.to_be_bytes().to_vec());
            }
        }
        assert!(log.read(id, Seq(tail + 1), 1).await.unwrap().is_empty(), "nothing is there past the tail");
        if let Some(snapshot) = log.snapshot(id).await.unwrap() {
            assert!(snapshot.seq.0 <= tail && snapshot == state(*n, snapshot.seq.0));
        }
    }
}

/// The feed has every event, in order, and the worker's place is not past the end.
async fn check_feed(store: &Arc<Store>, tails: &BTreeMap<u64, u64>) {
    if tails.is_empty() {
        return;
    }
    let log = FjallEventLog::new(store.clone());
    let mut left = BTreeMap::new();
    for n in tails.keys() {
        left.insert(conversation(*n), (0, log.tails(&[conversation(*n)]).await.unwrap()[0].0));
    }
    let mut follower = FjallFeed::new(store.clone()).follow("checker").await.unwrap();
    let mut position = 0;
    while left.values().any(|(seen, tail)| seen < tail) {
        for entry in follower.next(1_000).await.unwrap() {
            position += 1;
            assert_eq!(entry.position, position);
            // One that was written without having been acknowledged in any round.
            let (seen, _) = left.entry(entry.conversation).or_default();
            *seen += 1;
            assert_eq!(entry.record.seq.0, *seen);
        }
    }
}

/// The rows are those of the puts up to `applied`, and of all puts only the last are lost.
async fn check_overlays(store: &Arc<Store>, said: &[(&str, u64, u64)]) {
    let overlays = FjallOverlays::new(store.clone());
    let mut applied = BTreeMap::new();
    for n in 1..=CONVERSATIONS {
        let last = overlays.applied(conversation(n)).await.unwrap().0;
        applied.insert(n, last);
        let found = overlays.range(conversation(n), Seq(0), Seq(u64::MAX)).await.unwrap();
        let first = (last > 0).then(|| row(n, 1, last));
        let expected: Vec<_> =
            first.into_iter().chain((1..=last).map(|version| row(n, 1 + version, version))).collect();
        assert!(found == expected, "rows of {n} do not belong to {last}");
    }
    let mut puts = said.iter().filter(|(what, ..)| *what == "put");
    let there = |(_, n, version): &&(&str, u64, u64)| applied[n] >= *version;
    let lost = puts.by_ref().find(|put| !there(put));
    assert!(!puts.any(|put| there(&put)), "{lost:?} is lost, but not what came after it");
}

#[test]
#[ignore = "a program for the other tests"]
fn writes_large() {
    append_large(&root());
}

#[tokio::main(flavor = "current_thread")]
async fn append_large(root: &Path) {
    let log = FjallEventLog::new(open(root));
    for seq in [1, 2, 3] {
        // The large one of each conversation, under another seq: its bytes are random, so that they do not become few.
        let records = vec![NewRecord { record: Record { seq: Seq(seq), ..record(1, 50 * seq) }, index: Bytes::new() }];
        log.append(vec![Append { conversation: conversation(1), expected: Seq(seq - 1), records }])
            .await
            .remove(0)
            .unwrap();
        println!("appended 1 {seq}");
    }
    done();
}

#[tokio::test]
async fn a_torn_group_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::new(&dir.path().join("data")).unwrap();
    run(&disk, "writes_large");
    let operations = disk.operations().unwrap();
    for seed in 0..40 {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(&dir.path().join("data")).unwrap();
        disk.die_after(operations - 1 - seed % 8).unwrap();
        let said = run(&disk, "writes_large");
        disk.lose_power(Loss::Some { seed }).unwrap();
        let tail = acknowledged(&said).last().map_or(0, |(_, _, tail)| *tail);
        let log = FjallEventLog::new(open(disk.root()));
        assert!(log.tails(&[conversation(1)]).await.unwrap()[0].0 >= tail, "seed {seed}");
    }
}

#[tokio::test]
async fn a_first_start_may_be_interrupted_anywhere() {
    let operations = {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(&dir.path().join("data")).unwrap();
        run(&disk, "writes_large");
        disk.operations().unwrap()
    };
    for after in (0..operations).step_by(29) {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(&dir.path().join("data")).unwrap();
        disk.die_after(after).unwrap();
        let said = run(&disk, "writes_large");
        disk.lose_power(if after % 2 == 0 { Loss::Everything } else { Loss::Some { seed: after } }).unwrap();
        let tail = acknowledged(&said).last().map_or(0, |(_, _, tail)| *tail);
        let log = FjallEventLog::new(open(disk.root()));
        assert!(log.tails(&[conversation(1)]).await.unwrap()[0].0 >= tail, "killed before operation {after}");
    }
}

#[test]
#[ignore = "a program for the other tests"]
fn writes_until_it_breaks() {
    append_until_broken(&root());
}

#[tokio::main(flavor = "current_thread")]
async fn append_until_broken(root: &Path) {
    let log = FjallEventLog::new(open(root));
    let (mut seq, mut refused, begin) = (0, 0, Instant::now());
    while refused < 20 && begin.elapsed() < Duration::from_secs(60) {
        let records = vec![NewRecord { record: record(1, seq + 1), index: Bytes::new() }];
        let append = Append { conversation: conversation(1), expected: Seq(seq), records };
        match log.append(vec![append]).await.remove(0) {
            Ok(()) => {
                assert_eq!(refused, 0, "once broken, it takes nothing");
                seq += 1;
                println!("appended 1 {seq}");
            }
            Err(error) => {
                assert_eq!(error.kind, klatch_ports::ErrorKind::Broken);
                refused += 1;
            }
        }
    }
    let durable = log.read(conversation(1), Seq(1), 10_000).await.unwrap().len() as u64;
    println!("refused {durable} {refused}");
    done();
}

/// Breaks the disk while a program appends, and sees that the log takes nothing more, and loses nothing that it took.
async fn breaks(break_disk: impl Fn(&Disk), loss: Loss) {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::new(&dir.path().join("data")).unwrap();
    let said = run_watched(&disk, "writes_until_it_breaks", |line| {
        if line.ends_with("appended 1 20") {
            break_disk(&disk);
        }
    });
    let tail = acknowledged(&said).last().unwrap().2;
    assert!(said.contains(&format!("refused {tail} 20")), "{:?}", said.last());
    disk.lose_power(loss).unwrap();
    let log = FjallEventLog::new(open(disk.root()));
    let records = log.read(conversation(1), Seq(1), 10_000).await.unwrap();
    // What failed may be there all the same, if only the process was lost: nobody was told that it is not.
    let spare = u64::from(loss == Loss::Nothing);
    assert!((tail..=tail + spare).contains(&(records.len() as u64)));
    let tail = records.len() as u64;
    for (seq, found) in (1..).zip(records) {
        assert!(found == record(1, seq));
    }
    let records = vec![NewRecord { record: record(1, tail + 1), index: Bytes::new() }];
    let append = Append { conversation: conversation(1), expected: Seq(tail), records };
    log.append(vec![append]).await.remove(0).expect("opened anew, it takes writes again");
}

#[tokio::test]
async fn a_failed_sync_is_the_end_until_it_is_opened_anew() {
    breaks(|disk| disk.fail_syncs(1).unwrap(), Loss::Everything).await;
    breaks(|disk| disk.fail_syncs(1).unwrap(), Loss::Nothing).await;
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    breaks(|disk| disk.set_space(Some(10_000)).unwrap(), Loss::Everything).await;
    breaks(|disk| disk.set_space(Some(10_000)).unwrap(), Loss::Nothing).await;
}
