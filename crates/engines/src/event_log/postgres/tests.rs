//! The contract on PostgreSQL, and what only a server can do.

use std::sync::Arc;

use klatch_backing::{Flow, Kind, Link, Servers};
use klatch_ports::ErrorKind;
use klatch_ports::contract::{fresh, soon};
use klatch_ports::event_log::NewRecord;
use klatch_ports::event_log::contract::{self, Bench};
use rand::RngExt;

use super::*;
use crate::drivers::calls::counted;
use crate::drivers::place::Place;
use crate::drivers::postgres::bench::{self, PgBouncer};

/// A log in a database of its own, as two processes see it.
struct Two {
    place: Place,
    one: Arc<Postgres>,
    other: Arc<Postgres>,
    /// The server, if nobody else uses it: then it is killed.
    server: Option<Servers>,
}

impl Two {
    async fn at(place: Place, server: Option<Servers>) -> Self {
        Self { one: open(&place).await, other: open(&place).await, place, server }
    }

    async fn shared() -> Self {
        Self::at(bench::prepared(&SCHEMA).await, None).await
    }

    /// The log when everybody else has gone, and so every statement has ended.
    async fn last(self) -> Arc<Postgres> {
        let Self { place, one, other, .. } = self;
        drop((one, other));
        let log = open(&place).await;
        let others = "SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        soon(async { while !log.0.query(others, &[]).await.unwrap().is_empty() {} }).await;
        log
    }
}

async fn open(place: &Place) -> Arc<Postgres> {
    Arc::new(Postgres::open(bench::at(place)).await.unwrap())
}

#[async_trait]
impl Bench for Two {
    fn log(&self) -> Arc<dyn EventLog> {
        self.one.clone()
    }

    fn log_elsewhere(&self) -> Arc<dyn EventLog> {
        self.other.clone()
    }

    async fn reopen(&mut self) {
        *self = Self::at(self.place.clone(), self.server.take()).await;
    }

    async fn crash(&mut self) {
        if let Some(server) = &self.server {
            server.kill(1);
            server.revive();
        }
        self.reopen().await;
    }
}

klatch_ports::event_log_contract!(Two::shared().await);

#[tokio::test]
async fn what_was_answered_is_there_when_the_server_was_killed() {
    let server = Servers::start(Kind::PostgreSql, 1);
    let place: Place = format!("postgres://postgres@{}/postgres", server.address(1)).parse().unwrap();
    bench::at(&place).migrate(&SCHEMA).await.unwrap();
    let mut bench = Two::at(place.clone(), Some(server)).await;
    contract::l1_an_append_survives(&mut bench).await;

    // The same log goes on when the server is back, without being opened anew.
    let (log, c) = (bench.one.clone(), conversation());
    for round in 0..3 {
        let before = tail(&log, c).await;
        let mut killed = Some(bench.server.as_ref().unwrap());
        let mut known = before;
        let failed = loop {
            let server = if known >= before + 5 { killed.take() } else { None };
            let append = log.append(vec![append(c, known, 3)]);
            let (answers, ()) = tokio::join!(append, async {
                server.inspect(|server| server.kill(1));
            });
            match answers.into_iter().next().unwrap() {
                Ok(()) => known += 3,
                Err(error) => break error,
            }
        };
        assert_eq!(failed.kind, ErrorKind::Unavailable, "{failed:?}");
        bench.server.as_ref().unwrap().revive();
        let back = async {
            loop {
                match log.tails(&[c]).await {
                    Ok(tails) => break tails[0].0,
                    Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable),
                }
            }
        };
        let there = soon(back).await;
        assert!(there == known || there == known + 3, "{known} were answered in round {round}, {there} are there");
        assert_eq!(log.read(c, Seq(1), 10_000).await.unwrap().len() as u64, there);
    }
}

#[tokio::test]
async fn a_batch_is_one_call_however_many_conversations_it_is_for() {
    let log = Two::shared().await.one;
    for count in [1, 64, 1_000] {
        let batch: Vec<_> = (0..count).map(|_| append(conversation(), 0, 2)).collect();
        let ids: Vec<_> = batch.iter().map(|append| append.conversation).collect();
        let (answers, calls) = counted(log.append(batch)).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(calls, 1);
        let (tails, calls) = counted(log.tails(&ids)).await;
        assert_eq!((tails.unwrap(), calls), (vec![Seq(2); count], 1));
    }
    let nothing = append(conversation(), 0, 0);
    let (answers, calls) = counted(log.append(vec![nothing])).await;
    assert_eq!((answers[0].as_ref().unwrap_err().kind, calls), (ErrorKind::Conflict, 0));
}

#[tokio::test]
async fn an_id_that_is_there_already_is_a_conflict_for_its_conversation_alone() {
    let log = Two::shared().await.one;
    let [a, b, c, d] = [(); 4].map(|()| conversation());
    let first = append(a, 0, 2);
    let known = first.records[0].record.id;
    log.append(vec![first.clone()]).await.remove(0).unwrap();
    // As its first record, as a later one, twice in one append; in another conversation it is no matter.
    let as_first = with_ids(append(a, 2, 1), &[known]);
    let as_second = with_ids(append(a, 2, 2), &[CommandId(fresh()), known]);
    let twice = with_ids(append(b, 0, 2), &[known, known]);
    for refused in [vec![as_first], vec![as_second, twice]] {
        let others =
            [append(c, tail(&log, c).await, 2), with_ids(append(d, tail(&log, d).await, 1), &[CommandId(fresh())])];
        let count = refused.len();
        let answers = log.append([refused, others.to_vec()].concat()).await;
        let kinds: Vec<_> = answers.into_iter().map(|answer| answer.map_err(|error| error.kind)).collect();
        assert_eq!(kinds[..count], vec![Err(ErrorKind::Conflict); count]);
        assert_eq!(kinds[count..], [Ok(()), Ok(())]);
    }
    assert_eq!(log.tails(&[a, b, c, d]).await.unwrap(), [2, 0, 4, 2].map(Seq));
    let same_twice = log.append(vec![append(b, 0, 1), append(b, 0, 3)]).await;
    assert!(same_twice[0].is_ok() && same_twice[1].is_err(), "a conversation is once in a batch");
    assert_eq!(log.tails(&[b]).await.unwrap(), [Seq(1)]);
}

/// A statement that its caller gave up is held on the way, and is let go before, after, and while somebody else appends.
#[tokio::test]
async fn an_append_that_was_given_up_and_comes_later_makes_one_order() {
    let there = Two::shared().await;
    let link = Link::to(there.place.hosts_or(5432)[0].clone()).await;
    let near = open(&bench::through(&there.place, link.address(), "timeout_ms=3000&pool=1")).await;
    let (log, c) = (there.other.clone(), conversation());
    let (mut lost, mut won) = (0, 0);
    for round in 0..6 {
        let before = tail(&log, c).await;
        // A connection that is there already, so that nothing but the append is held.
        near.tails(&[c]).await.unwrap();
        let held = append(c, before, 3);
        link.set(Flow::Held, Flow::Open);
        assert_eq!(near.append(vec![held.clone()]).await[0].as_ref().unwrap_err().kind, ErrorKind::Unavailable);
        let other = append(c, before, 2);
        let appended = match round % 3 {
            0 => {
                let appended = log.append(vec![other.clone()]).await.remove(0);
                link.set(Flow::Open, Flow::Open);
                appended
            }
            1 => {
                link.set(Flow::Open, Flow::Open);
                soon(async { while tail(&log, c).await == before {} }).await;
                log.append(vec![other.clone()]).await.remove(0)
            }
            _ => {
                let (mut appended, ()) = tokio::join!(log.append(vec![other.clone()]), async {
                    link.set(Flow::Open, Flow::Open);
                });
                appended.remove(0)
            }
        };
        let winner = match appended {
            Ok(()) => other,
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Conflict, "{error:?}");
                held
            }
        };
        if winner.records.len() == 2 {
            lost += 1
        } else {
            won += 1
        }
        let after = log.read(c, Seq(before + 1), 100).await.unwrap();
        assert_eq!(
            after,
            winner.records.into_iter().map(|new| new.record).collect::<Vec<_>>(),
            "one of them, as a whole"
        );
    }
    assert!(lost >= 2 && won >= 2, "held ones lost {lost} times and won {won} times");
    drop((near, log));
    assert_contiguous(&*there.last().await, c).await;
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_found_in_the_log() {
    let there = Two::shared().await;
    let link = Link::to(there.place.hosts_or(5432)[0].clone()).await;
    let near = open(&bench::through(&there.place, link.address(), "timeout_ms=3000&pool=1")).await;
    let c = conversation();
    let first = append(c, 0, 2);
    near.tails(&[c]).await.unwrap();
    link.set(Flow::Open, Flow::Held);
    assert_eq!(near.append(vec![first.clone()]).await[0].as_ref().unwrap_err().kind, ErrorKind::Unavailable);
    link.tear();
    link.set(Flow::Open, Flow::Open);
    soon(async { while tail(&there.other, c).await == 0 {} }).await;
    let again = near.append(vec![first.clone()]).await.remove(0);
    assert_eq!(again.unwrap_err().kind, ErrorKind::Conflict, "never twice");
    let found = near.find(c, &[first.records[1].record.id]).await.unwrap();
    assert_eq!(found, [Some(first.records[1].index.clone())]);
}

/// Several processes that all believe that they own the same conversations, one of them over a link that is cut again and again.
#[tokio::test]
async fn those_who_fight_for_conversations_do_no_damage() {
    let there = Two::shared().await;
    let link = Link::to(there.place.hosts_or(5432)[0].clone()).await;
    let near = open(&bench::through(&there.place, link.address(), "timeout_ms=3000&pool=4")).await;
    let all: Vec<_> = (0..8).map(|_| conversation()).collect();
    let fight = |log: Arc<Postgres>, is_cut: bool| {
        let all = all.clone();
        async move {
            let (mut answered, mut conflicts) = (Vec::new(), 0);
            for _ in 0..40 {
                let Ok(tails) = log.tails(&all).await else {
                    assert!(is_cut);
                    continue;
                };
                let mut batch: Vec<_> = all.iter().zip(tails).map(|(c, tail)| append(*c, tail.0, 2)).collect();
                // In another order each time.
                (1..batch.len()).for_each(|at| batch.swap(at, rand::rng().random_range(0..=at)));
                for (append, answer) in batch.iter().zip(log.append(batch.clone()).await) {
                    match answer.map_err(|error| error.kind) {
                        Ok(()) => {
                            answered.extend(append.records.iter().map(|new| (append.conversation, new.record.clone())))
                        }
                        Err(ErrorKind::Conflict) => conflicts += 1,
                        Err(kind) => assert!(is_cut && kind == ErrorKind::Unavailable, "{kind:?}"),
                    }
                }
            }
            (answered, conflicts)
        }
    };
    let fighters = [fight(there.one.clone(), false), fight(there.other.clone(), false), fight(near, true)];
    let fighting = futures_util::future::join_all(fighters);
    let cutting = async {
        loop {
            // What was held on its way arrives after others have gone on, and then its answer is lost.
            for flows in [(Flow::Open, Flow::Open), (Flow::Held, Flow::Open), (Flow::Open, Flow::Held)] {
                link.set(flows.0, flows.1);
                let before = tail(&there.one, all[0]).await;
                while tail(&there.one, all[0]).await < before + 12 {}
            }
            link.tear();
        }
    };
    let results = tokio::select! { results = fighting => results, () = cutting => unreachable!("it goes on for ever") };
    link.tear();
    let log = there.last().await;
    let conflicts: usize = results.iter().map(|(_, conflicts)| conflicts).sum();
    assert!(conflicts > 50, "{conflicts} conflicts");
    for c in &all {
        assert_contiguous(&log, *c).await;
        let records = log.read(*c, Seq(1), 10_000).await.unwrap();
        for (_, record) in results.iter().flat_map(|(answered, _)| answered).filter(|(of, _)| of == c) {
            assert_eq!(records[record.seq.0 as usize - 1], *record, "what was answered stays");
        }
    }
}

#[tokio::test]
async fn behind_pgbouncer_in_transaction_mode_everything_is_the_same() {
    let place = bench::prepared(&SCHEMA).await;
    let bouncer = PgBouncer::before(&place).await;
    let through = bench::through(&place, &bouncer.address, "pool=8");
    for number in 0.. {
        let mut bench = Two::at(through.clone(), None).await;
        match number {
            0 => contract::l2_a_stale_append_conflicts(&mut bench).await,
            1 => contract::l4_an_append_is_whole(&mut bench).await,
            2 => contract::l7_erase_removes_the_body(&mut bench).await,
            3 => contract::l8_conversations_are_listed_once(&mut bench).await,
            _ => break,
        }
        let empty = "TRUNCATE event_log, event_log_conversations, event_log_snapshots";
        bench.one.0.query(empty, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_confirmed_is_refused() {
    let place = bench::prepared(&SCHEMA).await;
    let database = bench::at(&place);
    let lower = format!("ALTER DATABASE {} SET synchronous_commit = off", place.path);
    database.query(&lower, &[]).await.unwrap();
    let refused = Postgres::open(bench::at(&place)).await.err().unwrap();
    assert_eq!(refused.kind, ErrorKind::Broken);
    assert!(format!("{:?}", std::error::Error::source(&refused)).contains("synchronous_commit"));
    let empty = Postgres::open(bench::at(&bench::place().await)).await.err().unwrap();
    assert_eq!(empty.kind, ErrorKind::Broken);
}

fn conversation() -> ConversationId {
    ConversationId(fresh())
}

/// An append of events of the usual size, with ids of their own.
fn append(conversation: ConversationId, expected: u64, count: u64) -> Append {
    let new = |seq: u64| {
        let id = CommandId(fresh());
        let record = Record { seq: Seq(seq), id, head: vec![1; 60].into(), body: id.as_bytes().repeat(15).into() };
        NewRecord { record, index: vec![3; 40].into() }
    };
    Append { conversation, expected: Seq(expected), records: (expected + 1..=expected + count).map(new).collect() }
}

fn with_ids(mut append: Append, ids: &[CommandId]) -> Append {
    append.records.iter_mut().zip(ids).for_each(|(new, id)| new.record.id = *id);
    append
}

async fn tail(log: &Postgres, conversation: ConversationId) -> u64 {
    log.tails(&[conversation]).await.unwrap()[0].0
}

async fn assert_contiguous(log: &Postgres, conversation: ConversationId) {
    let records = log.read(conversation, Seq(1), 10_000).await.unwrap();
    assert_eq!(records.len() as u64, tail(log, conversation).await);
    assert!(records.iter().zip(1..).all(|(record, seq)| record.seq == Seq(seq)));
    let ids: Vec<_> = records.iter().map(|record| record.id).collect();
    assert!(log.find(conversation, &ids).await.unwrap().iter().all(Option::is_some));
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "no command twice");
}
