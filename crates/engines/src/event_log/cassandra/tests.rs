use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use klatch_backing::{Flow, Kind, Servers};
use klatch_core::ids::Uuid;
use klatch_ports::ErrorKind;
use klatch_ports::contract::{fresh, soon};
use klatch_ports::event_log::{NewRecord, contract};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};

use super::parts::BODY;
use super::*;
use crate::drivers::cassandra::{Level, bench};
use crate::drivers::place::Place;

struct Keyspace {
    place: Place,
    log: Arc<CassandraEventLog>,
    elsewhere: Arc<CassandraEventLog>,
    /// Its node is killed in a crash, if it is nobody else's.
    servers: Option<Arc<Servers>>,
}

impl Keyspace {
    async fn at(place: Place, servers: Option<Arc<Servers>>) -> Self {
        Self { log: open(&place).await, elsewhere: open(&place).await, place, servers }
    }

    async fn new() -> Self {
        Self::at(bench::prepared(&SCHEMA).await, None).await
    }

    async fn on(servers: &Arc<Servers>) -> Self {
        Self::at(bench::prepared_on(servers, &SCHEMA).await, Some(servers.clone())).await
    }

    /// What one column holds, of whatever table.
    async fn ask<T>(&self, statement: &str) -> Vec<T>
    where
        (T,): for<'row> scylla::deserialize::row::DeserializeRow<'row, 'row>,
    {
        let statement = self.log.database.prepare(statement, Level::Majority).await.unwrap();
        self.log.database.rows::<(T,)>(&statement, ()).await.unwrap().into_iter().map(|(column,)| column).collect()
    }
}

async fn open(place: &Place) -> Arc<CassandraEventLog> {
    Arc::new(CassandraEventLog::open(bench::open(place).await).await.unwrap())
}

#[async_trait]
impl contract::Bench for Keyspace {
    fn log(&self) -> Arc<dyn EventLog> {
        self.log.clone()
    }

    fn log_elsewhere(&self) -> Arc<dyn EventLog> {
        self.elsewhere.clone()
    }

    async fn reopen(&mut self) {
        self.log = open(&self.place).await;
        self.elsewhere = open(&self.place).await;
    }

    async fn crash(&mut self) {
        if let Some(servers) = &self.servers {
            servers.kill(1);
            servers.revive();
        }
        self.reopen().await;
    }
}

klatch_ports::event_log_contract!(Keyspace::new().await);

fn conversation() -> ConversationId {
    ConversationId(fresh())
}

/// Records after this tail, with bodies of so many bytes.
fn append(conversation: ConversationId, expected: u64, count: u64, body: usize) -> Append {
    let records = (expected + 1..=expected + count).map(|seq| {
        let body = vec![seq as u8; body].into();
        let record = Record { seq: Seq(seq), id: CommandId(fresh()), head: seq.to_string().into(), body };
        NewRecord { record, index: format!("index of {seq}").into() }
    });
    Append { conversation, expected: Seq(expected), records: records.collect() }
}

async fn put(log: &CassandraEventLog, append: Append) -> Result<(), ErrorKind> {
    log.append(vec![append]).await.remove(0).map_err(|error| error.kind)
}

/// The whole log of a conversation, of which it makes sure that it has no holes.
async fn all(log: &CassandraEventLog, conversation: ConversationId) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let page = log.read(conversation, Seq(records.len() as u64 + 1), 5_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        records.extend(page);
    }
    assert!(records.iter().zip(1..).all(|(record, seq)| record.seq == Seq(seq)), "there is a hole");
    records
}

#[tokio::test]
async fn ids_are_found_whatever_time_they_begin_with() {
    let keyspace = Keyspace::new().await;
    let log = &*keyspace.log;
    let conversations = [conversation(), conversation(), conversation()];
    // Made at once, over months, at no time, and at the ends of time.
    let at = |millis: u64, n: u64| CommandId(Uuid::from_u128(u128::from(millis) << 80 | u128::from(n)));
    let now = 1_900_000_000_000;
    let at_once = (0..150).map(|n| at(now, n));
    let over_months = (1..100).map(|n| at(now + n * 100_000_000, 0));
    let at_no_time = (0..50).map(|_| CommandId(Uuid::from_u128(rand::random())));
    let at_the_ends = [Uuid::from_u128(0), Uuid::from_u128(u128::MAX)].map(CommandId);
    let ids: Vec<_> = at_once.chain(over_months).chain(at_no_time).chain(at_the_ends).collect();

    let appends = conversations.iter().map(|c| {
        let mut append = append(*c, 0, ids.len() as u64, 1);
        for (new, id) in append.records.iter_mut().zip(&ids) {
            new.record.id = *id;
        }
        append
    });
    assert!(log.append(appends.collect()).await.iter().all(Result::is_ok));

    let expected: Vec<_> = (1..=ids.len()).map(|seq| Some(Bytes::from(format!("index of {seq}")))).collect();
    for c in conversations {
        assert_eq!(log.find(c, &ids).await.unwrap(), expected);
    }
    // Not of another conversation, and none beside them.
    assert_eq!(log.find(conversation(), &ids).await.unwrap(), vec![None; ids.len()]);
    let beside: Vec<_> = ids.iter().map(|id| CommandId(Uuid::from_u128(id.0.as_u128() ^ 1 << 70))).collect();
    assert_eq!(log.find(conversations[0], &beside).await.unwrap(), vec![None; ids.len()]);
    // What is made at once lies together.
    let periods = keyspace.ask::<i32>("SELECT period FROM KS.ids GROUP BY conversation, period").await;
    assert!(periods.len() <= 3 * (1 + 99 + 50 + 2), "{}", periods.len());
}

#[tokio::test]
async fn an_append_that_hangs_over_into_the_next_bucket_is_whole() {
    let keyspace = Keyspace::new().await;
    let (log, c) = (&*keyspace.log, conversation());
    let mut expected: Vec<Record> = Vec::new();
    for (tail, count) in [(0, 2_048), (2_048, 2_042), (4_090, 20)] {
        let append = append(c, tail, count, 1);
        expected.extend(append.records.iter().map(|new| new.record.clone()));
        assert_eq!(put(log, append).await, Ok(()));
    }
    let over = [Seq(4_095), Seq(4_097), Seq(4_110)];
    let ids = over.map(|seq| expected[seq.0 as usize - 1].id);
    let check = async |expected: &[Record]| {
        let tail = expected.len() as u64;
        assert_eq!(all(log, c).await, expected);
        for from in [4_090, 4_096, 4_097, 4_105, 4_110, 4_111] {
            assert_eq!(
                log.read(c, Seq(from), 9).await.unwrap(),
                &expected[from as usize - 1..expected.len().min(from as usize + 8)]
            );
        }
        assert_eq!(log.tails(&[c]).await.unwrap(), [Seq(tail)]);
        assert_eq!(log.conversations(None, 9).await.unwrap(), [(c, Seq(tail))]);
        let found = log.find(c, &ids).await.unwrap();
        assert_eq!(found, over.map(|seq| Some(Bytes::from(format!("index of {seq}")))));
    };
    check(&expected).await;
    for stale in [4_090, 4_096, 4_100, 4_109, 4_111, 9_000] {
        assert_eq!(put(log, append(c, stale, 1, 1)).await, Err(ErrorKind::Conflict), "at {stale}");
    }
    check(&expected).await;

    // Whoever opens the next bucket, one does.
    let mut race = JoinSet::new();
    for turn in 0..8 {
        let log = if turn % 2 == 0 { keyspace.log.clone() } else { keyspace.elsewhere.clone() };
        let append = append(c, 4_110, 5, 1);
        race.spawn(async move { put(&log, append.clone()).await.is_ok().then_some(append) });
    }
    let won: Vec<_> = race.join_all().await.into_iter().flatten().collect();
    assert_eq!(won.len(), 1);
    expected.extend(won[0].records.iter().map(|new| new.record.clone()));
    check(&expected).await;

    log.erase(c, &over).await.unwrap();
    over.iter().for_each(|seq| expected[seq.0 as usize - 1].body = Bytes::new());
    check(&expected).await;
}

#[tokio::test]
async fn a_mistaken_tail_makes_no_hole_and_no_conversation() {
    let keyspace = Keyspace::new().await;
    let c = conversation();
    for mistaken in [1, 4_096, 5_000, 1_000_000] {
        assert_eq!(put(&keyspace.log, append(c, mistaken, 3, 1)).await, Err(ErrorKind::Conflict));
    }
    assert_eq!(keyspace.log.tails(&[c]).await.unwrap(), [Seq::ZERO]);
    assert_eq!(keyspace.log.conversations(None, 9).await.unwrap(), []);
    assert_eq!(put(&keyspace.log, append(c, 0, RECORDS_MAX as u64 + 1, 1)).await, Err(ErrorKind::Full));
    assert_eq!(put(&keyspace.log, append(c, 0, RECORDS_MAX as u64, 1)).await, Ok(()));
}

#[tokio::test]
async fn what_is_too_large_for_one_write_is_there_with_it_and_erased_for_good() {
    let keyspace = Keyspace::new().await;
    let (log, c) = (&*keyspace.log, conversation());
    let [one, many] = [append(c, 0, 3, 64 * 1024), append(c, 3, 300, 8 * 1024)];
    let mut expected: Vec<_> =
        [&one, &many].iter().flat_map(|append| &append.records).map(|new| new.record.clone()).collect();
    assert_eq!(put(log, one).await, Ok(()));
    assert_eq!(put(log, many.clone()).await, Ok(()));
    assert_eq!(all(log, c).await, expected);
    let appends = keyspace.ask::<Uuid>("SELECT DISTINCT append FROM KS.parts").await.len();
    assert_eq!(appends, 2);
    assert_eq!(put(log, many).await, Err(ErrorKind::Conflict));
    let appends = keyspace.ask::<Uuid>("SELECT DISTINCT append FROM KS.parts").await.len();
    assert_eq!(appends, 2, "what lost leaves nothing behind");

    for _ in 0..2 {
        log.erase(c, &[Seq(2), Seq(100)]).await.unwrap();
    }
    for seq in [2, 100] {
        expected[seq - 1].body = Bytes::new();
        let parts = format!("SELECT bytes FROM KS.parts WHERE seq = {seq} AND field = {BODY} ALLOW FILTERING");
        let parts = keyspace.ask::<Bytes>(&parts).await;
        assert!(!parts.is_empty() && parts.iter().all(Bytes::is_empty));
    }
    assert_eq!(all(log, c).await, expected);
}

/// A million messages are some 1.1 million statements where each is in another conversation, and 75,000 where twenty are in one.
#[tokio::test]
async fn what_a_message_costs() {
    let keyspace = Keyspace::new().await;
    let log = &*keyspace.log;
    let cost = async |appends: Vec<Append>| {
        let before = log.database.calls();
        let answers = log.append(appends).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        log.database.calls() - before
    };
    // A busy server is asked after an append that it answered late: after some of fifty, never after all.
    let is_about = |cost: u64, expected: u64| assert!((expected..expected + 10).contains(&cost), "{cost}: {expected}");
    let fifty: Vec<_> = (0..50).map(|_| conversation()).collect();
    let appends = |tail, count| fifty.iter().map(|c| append(*c, tail, count, 200)).collect::<Vec<_>>();
    // What is new is listed too.
    is_about(cost(appends(0, 1)).await, 50 + 5 + 100);
    is_about(cost(appends(1, 1)).await, 50 + 5);
    is_about(cost(appends(2, 20)).await, 50 + 25);
    is_about(cost(vec![append(fifty[0], 22, 1, 200)]).await, 1 + 1);
    let before = log.database.calls();
    assert_eq!(log.read(fifty[0], Seq(4), 20).await.unwrap().len(), 20);
    assert_eq!(log.database.calls() - before, 1, "a page of history");
    log.find(fifty[0], &[CommandId(fresh())]).await.unwrap();
    assert_eq!(log.database.calls() - before, 2, "a look for an id that is not there");
    log.tails(&fifty[..1]).await.unwrap();
    assert_eq!(log.database.calls() - before, 4, "a tail");
    log.erase(fifty[0], &[Seq(1), Seq(2)]).await.unwrap();
    assert_eq!(log.database.calls() - before, 6, "two bodies erased");
}

#[tokio::test]
async fn what_was_answered_survives_kill_9_and_a_restart_and_the_same_log_goes_on() {
    let servers = Arc::new(Servers::start(Kind::Cassandra, 1));
    contract::l1_an_append_survives(&mut Keyspace::on(&servers).await).await;
    contract::l7_erase_removes_the_body(&mut Keyspace::on(&servers).await).await;

    let (log, c) = (Keyspace::on(&servers).await.log, conversation());
    for is_killed in [true, false] {
        let there = log.tails(&[c]).await.unwrap()[0].0;
        let known = Arc::new(watch::Sender::new(there));
        let is_ending = Arc::new(AtomicBool::new(false));
        let writing = tokio::spawn({
            let (log, known, is_ending) = (log.clone(), known.clone(), is_ending.clone());
            async move {
                let mut is_unknown = false;
                loop {
                    let tail = *known.borrow();
                    match put(&log, append(c, tail, 3, 50)).await {
                        Ok(()) => {
                            known.send_replace(tail + 3);
                            continue;
                        }
                        Err(ErrorKind::Unavailable) if is_ending.load(Ordering::SeqCst) => break,
                        // A busy server was late, and what it was asked may be there, or come later.
                        Err(ErrorKind::Unavailable) => is_unknown = true,
                        Err(kind) => assert!(kind == ErrorKind::Conflict && is_unknown, "{kind:?}"),
                    }
                    if let Ok(tails) = log.tails(&[c]).await {
                        known.send_replace(tails[0].0);
                    }
                }
            }
        });
        soon(known.subscribe().wait_for(|known| *known >= there + 15)).await.unwrap();
        let end = servers.clone();
        is_ending.store(true, Ordering::SeqCst);
        let ending = tokio::task::spawn_blocking(move || if is_killed { end.kill(1) } else { end.stop() });
        soon(writing).await.unwrap();
        ending.await.unwrap();
        let back = servers.clone();
        tokio::task::spawn_blocking(move || back.revive()).await.unwrap();
        let back = async {
            loop {
                match log.tails(&[c]).await {
                    Ok(tails) => break tails[0].0,
                    Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}"),
                }
                yield_now().await;
            }
        };
        let (there, known) = (soon(back).await, *known.borrow());
        assert!(there == known || there == known + 3, "{known} were answered, {there} are there");
        assert_eq!(all(&log, c).await.len() as u64, there);
    }
}

/// Two processes that both believe the conversation theirs, each time at the same tail, while a third erases what they just wrote.
/// Where a write got no answer, as on a busy server, the log says what became of it.
#[tokio::test]
async fn of_two_at_the_same_tail_one_wins_each_time_and_what_is_erased_stays_so() {
    let keyspace = Keyspace::new().await;
    let (one, other, third) = (&keyspace.log, &keyspace.elsewhere, open(&keyspace.place).await);
    let c = conversation();
    let (mut records, mut erased) = (Vec::new(), Vec::new());
    let (mut conflicts, mut unknown) = (0, 0);
    while conflicts < 300 {
        let tail = records.len() as u64;
        let [first, second] = [append(c, tail, 1 + tail % 3, 30), append(c, tail, 1 + tail % 2, 30)];
        let last = [Seq(tail)];
        let erasing = third.erase(c, &last);
        let answers = tokio::join!(put(one, first.clone()), put(other, second.clone()), erasing);
        match answers.2.map_err(|error| error.kind) {
            Ok(()) => erased.push(tail),
            Err(kind) => assert_eq!(kind, ErrorKind::Unavailable),
        }
        let won = match (answers.0, answers.1) {
            (Ok(()), Err(ErrorKind::Conflict)) => Some(first),
            (Err(ErrorKind::Conflict), Ok(())) => Some(second),
            (Ok(()), Ok(())) => panic!("both won at {tail}"),
            // What had no answer may have come later, before both of these.
            (Err(ErrorKind::Conflict), Err(ErrorKind::Conflict)) if unknown > 0 => None,
            (one, other) => {
                assert!([one, other].contains(&Err(ErrorKind::Unavailable)), "{one:?} and {other:?}");
                unknown += 1;
                assert!(unknown < 100, "hardly anything is answered");
                None
            }
        };
        match won {
            Some(append) => {
                conflicts += 1;
                records.extend(append.records.into_iter().map(|new| new.record));
            }
            None => records = all(one, c).await,
        }
    }
    for seq in erased.into_iter().filter(|seq| *seq > 0) {
        records[seq as usize - 1].body = Bytes::new();
    }
    let there = all(one, c).await;
    let differ = |(is, expected): &(&Record, &Record)| is != expected && !(unknown > 0 && is.body.is_empty());
    assert_eq!(there.iter().zip(&records).find(differ), None);
    assert_eq!(there.len(), records.len());
    println!("{conflicts} conflicts, {unknown} unknown");
}

/// Whether an append was done, asked again as long as nobody knows.
async fn is_done(log: Arc<CassandraEventLog>, writing: writing::Writing, tail: Option<i64>) -> bool {
    loop {
        match log.commit(&writing, tail).await {
            Err(error) if error.kind == ErrorKind::Unavailable => yield_now().await,
            done => break done.unwrap(),
        }
    }
}

/// The answer is lost, the write is not: who asks the log afterwards knows it again, and nobody appends it twice.
#[tokio::test]
async fn an_append_whose_answer_is_lost_is_known_again() {
    let keyspace = Keyspace::new().await;
    let links = bench::links(Servers::shared(Kind::Cassandra)).await;
    let log = Arc::new(CassandraEventLog::open(bench::open_through(&keyspace.place, &links).await).await.unwrap());
    let link = links.values().next().unwrap();
    let c = conversation();
    assert_eq!(put(&log, append(c, 0, 1, 9)).await, Ok(()));

    // The index is written before the append: what is held must be the append's answer.
    let append_next = append(c, 1, 3, 9);
    let writing = writing::Writing::new(append_next).unwrap();
    link.set(Flow::Open, Flow::Held);
    let commit = tokio::spawn(is_done(log.clone(), writing, Some(1)));
    soon(async { while keyspace.log.tails(&[c]).await.unwrap() != [Seq(4)] {} }).await;
    assert!(!commit.is_finished());
    link.tear();
    link.set(Flow::Open, Flow::Open);
    assert!(soon(commit).await.unwrap());

    // Another came first, and the answer that says so is lost.
    let writing = writing::Writing::new(append(c, 3, 1, 9)).unwrap();
    let before = log.database.calls();
    link.set(Flow::Open, Flow::Held);
    let commit = tokio::spawn(is_done(log.clone(), writing, Some(3)));
    soon(async {
        while log.database.calls() == before {
            yield_now().await
        }
    })
    .await;
    link.tear();
    link.set(Flow::Open, Flow::Open);
    assert!(!soon(commit).await.unwrap());
    assert_eq!(all(&keyspace.log, c).await.len(), 4);
}

#[tokio::test]
async fn while_nobody_answers_nothing_is_known_and_then_it_goes_on() {
    let keyspace = Keyspace::new().await;
    let links = bench::links(Servers::shared(Kind::Cassandra)).await;
    let place = bench::impatient(keyspace.place.clone());
    let log = CassandraEventLog::open(bench::open_through(&place, &links).await).await.unwrap();
    let link = links.values().next().unwrap();
    let c = conversation();
    assert_eq!(put(&log, append(c, 0, 1, 9)).await, Ok(()));
    link.set(Flow::Held, Flow::Held);
    assert_eq!(put(&log, append(c, 1, 1, 9)).await, Err(ErrorKind::Unavailable));
    assert_eq!(log.tails(&[c]).await.unwrap_err().kind, ErrorKind::Unavailable);
    link.tear();
    link.set(Flow::Open, Flow::Open);
    let tail = soon(async {
        loop {
            match log.tails(&[c]).await {
                Ok(tails) => break tails[0],
                Err(_) => yield_now().await,
            }
        }
    });
    let tail = tail.await;
    assert!(tail == Seq(1) || tail == Seq(2));
    assert_eq!(put(&log, append(c, tail.0, 1, 9)).await, Ok(()));
    assert_eq!(all(&log, c).await.len() as u64, tail.0 + 1);
}

/// Acknowledged appends, of which each node and process must know for ever.
#[derive(Default)]
struct Acknowledged {
    places: HashMap<CommandId, Seq>,
    conflicts: usize,
    unknown: usize,
}

/// Appends to this conversation as if nobody else did, until told to stop.
async fn fight(
    log: Arc<CassandraEventLog>,
    c: ConversationId,
    done: Arc<watch::Sender<usize>>,
    stop: Arc<AtomicBool>,
) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    let mut tail = Seq::ZERO;
    while !stop.load(Ordering::SeqCst) {
        let append = append(c, tail.0, 1 + tail.0 % 5, 50);
        let places: Vec<_> = append.records.iter().map(|new| (new.record.id, new.record.seq)).collect();
        match put(&log, append).await {
            Ok(()) => {
                tail = places.last().unwrap().1;
                acknowledged.places.extend(places);
                done.send_modify(|done| *done += 1);
                yield_now().await;
                continue;
            }
            Err(ErrorKind::Conflict) => acknowledged.conflicts += 1,
            Err(ErrorKind::Unavailable) => acknowledged.unknown += 1,
            Err(other) => panic!("{other:?}"),
        }
        match log.tails(&[c]).await {
            Ok(tails) => {
                assert!(tails[0] >= tail, "what was acknowledged is seen (L6)");
                tail = tails[0];
            }
            Err(_) => yield_now().await,
        }
    }
    acknowledged
}

/// Two processes that both believe the conversation theirs, while one node of three is killed, comes back, and another is paused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_fight_and_nodes_that_die_do_no_damage() {
    let servers = Arc::new(Servers::start(Kind::Cassandra, 3));
    let place = bench::prepared_on(&servers, &SCHEMA).await;
    let c = conversation();
    let (done, stop) = (Arc::new(watch::Sender::new(0)), Arc::new(AtomicBool::new(false)));
    let mut writers = JoinSet::new();
    for _ in 0..2 {
        writers.spawn(fight(open(&place).await, c, done.clone(), stop.clone()));
    }
    let more = async |count: usize| {
        let mut done = done.subscribe();
        let until = *done.borrow() + count;
        let waiting = done.wait_for(|done| *done >= until);
        tokio::time::timeout(std::time::Duration::from_secs(90), waiting)
            .await
            .expect("appends go on")
            .expect("it is there");
    };
    more(50).await;
    servers.kill(3);
    more(50).await;
    tokio::task::spawn_blocking({
        let servers = servers.clone();
        move || servers.revive()
    })
    .await
    .unwrap();
    more(50).await;
    servers.pause(1);
    more(50).await;
    servers.resume(1);
    more(50).await;
    stop.store(true, Ordering::SeqCst);
    let acknowledged = writers.join_all().await;

    let log = open(&place).await;
    let records = all(&log, c).await;
    let at: HashMap<_, _> = records.iter().map(|record| (record.id, record.seq)).collect();
    assert_eq!(at.len(), records.len(), "nothing is there twice");
    for (id, seq) in acknowledged.iter().flat_map(|writer| &writer.places) {
        assert_eq!(at.get(id), Some(seq), "what was acknowledged is there");
    }
    let ids: Vec<_> = records.iter().map(|record| record.id).collect();
    assert!(log.find(c, &ids).await.unwrap().iter().all(Option::is_some));
    let conflicts: usize = acknowledged.iter().map(|writer| writer.conflicts).sum();
    let unknown: usize = acknowledged.iter().map(|writer| writer.unknown).sum();
    println!("{} records, {conflicts} conflicts, {unknown} unknown", records.len());
    assert!(conflicts > 0, "they fought");
}
