//! The contract on PostgreSQL, and what only a server can show.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use klatch_backing::{Flow, Kind as Server, Link, Servers};
use klatch_core::conversation::{Kind, Role};
use klatch_core::ids::Uuid;
use klatch_ports::ErrorKind;
use klatch_ports::contract::{fresh, soon};
use klatch_ports::views::memory::Memory;
use klatch_ports::views::{Head, Row, contract};
use rand::seq::SliceRandom;
use tokio::sync::{OnceCell, watch};

use super::*;
use crate::drivers::place::Place;
use crate::drivers::postgres::bench;
use crate::drivers::postgres::columns::get;
use crate::views::same;

/// Prepares a database for the views, and opens them.
async fn prepared(place: Place) -> Postgres {
    let database = Database::at(place).unwrap();
    database.migrate(&Postgres::SCHEMA).await.unwrap();
    Postgres::open(database).await.unwrap()
}

/// Opens the same database each time, over connections of its own.
fn database() -> impl AsyncFn() -> Arc<Postgres> {
    let place = OnceCell::new();
    async move || Arc::new(prepared(place.get_or_init(bench::place).await.clone()).await)
}

klatch_ports::views_contract!(database());

const ALICE: UserId = UserId(Uuid::from_u128(2));
const BOB: UserId = UserId(Uuid::from_u128(3));

fn room() -> ConversationId {
    ConversationId(fresh())
}

/// Alice founds a group with Bob, who comes and goes; both write, and Alice mentions Bob now and then.
fn event(conversation: ConversationId, seq: u64) -> Projection {
    let joined = |user| Row::Joined { user, role: Role::Member, joined: Seq(seq) };
    let name = Some("tea".to_owned());
    let read = |user| Row::Read { user, seq: Seq(seq), worthy: seq };
    let rows = match seq {
        1 => {
            vec![
                Row::Described { kind: Some(Kind::Group), name, topic: None, history: None },
                joined(ALICE),
                joined(BOB),
            ]
        }
        _ if seq % 10 == 5 => vec![Row::Gone { user: BOB }],
        _ if seq % 10 == 7 => vec![joined(BOB), read(BOB)],
        _ if seq.is_multiple_of(3) => vec![Row::Mentioned { user: BOB, seq: Seq(seq) }, read(ALICE)],
        _ => vec![read(BOB)],
    };
    let head = Head { seq: Seq(seq), worthy: seq, at: Timestamp(seq), message: Seq(seq) };
    Projection { conversation, after: Seq(seq - 1), head, rows }
}

/// Several events at once.
fn events(conversation: ConversationId, after: u64, upto: u64) -> Projection {
    let mut all = (after + 1..=upto).map(|seq| event(conversation, seq));
    let rows = all.clone().flat_map(|projection| projection.rows).collect();
    Projection { after: Seq(after), rows, ..all.next_back().unwrap() }
}

fn cursor(seq: u64) -> Cursor {
    Cursor { delivered: Seq(seq), read: Seq(seq), read_worthy: seq, version: seq }
}

/// What views are that had each event once.
async fn whole(conversation: ConversationId, upto: u64) -> String {
    let whole = Memory::default();
    whole.project((1..=upto).map(|seq| event(conversation, seq)).collect()).await.unwrap();
    whole.dump(conversation).await.unwrap()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 16, ..Default::default() })]
    #[test]
    fn as_in_memory(steps in same::histories()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { same::as_in_memory(database(), steps).await; });
    }
}

#[tokio::test]
async fn names_are_found_and_sorted_alike_whatever_the_locale_of_the_database() {
    let place = bench::place_in_german().await;
    let views = Arc::new(prepared(place).await);
    let sorted = views.0.query("SELECT 'ä' < 'b' AS as_in_german", &[]).await.unwrap();
    assert!(get::<bool>(&sorted[0], "as_in_german").unwrap(), "the database would sort in another way");
    contract::w7_channels_are_found_by_parts_whatever_the_case(async || views.clone()).await;
    assert_eq!(views.channels("a\0b", None, 10).await.unwrap(), [], "nothing can be called that");
    let all = views.channels("", None, 10).await.unwrap();
    let after = Some((format!("{}\0", all[0].name), ConversationId(Uuid::nil())));
    assert_eq!(views.channels("", after, 10).await.unwrap(), all[1..]);
}

#[tokio::test]
async fn a_batch_a_page_and_many_cursors_are_one_call_each() {
    let views = prepared(bench::place().await).await;
    let calls = bench::Calls::default();
    let _recorder = metrics::set_default_local_recorder(&calls);
    for size in [1, 50, 1_000] {
        let rooms: Vec<_> = (0..size).map(|_| room()).collect();
        for (after, upto) in [(0, 1), (1, 9), (9, 10)] {
            let batch = rooms.iter().map(|room| events(*room, after, upto)).collect();
            let (begun, _) = (Instant::now(), calls.take());
            assert!(views.project(batch).await.unwrap().iter().all(|outcome| *outcome == Projected::Now));
            let took = begun.elapsed();
            assert_eq!(calls.take(), 1);
            println!("{size} conversations, {} events each: {took:?}", upto - after);
        }
        let moves: Vec<_> = rooms.iter().flat_map(|room| [ALICE, BOB].map(|user| (user, *room, cursor(30)))).collect();
        let begun = Instant::now();
        assert!(views.move_cursors(moves).await.unwrap().iter().all(|cursor| cursor.is_some()));
        println!("{} cursors: {:?}", 2 * size, begun.elapsed());
        assert_eq!(calls.take(), 1);
        let begun = Instant::now();
        assert_eq!(views.inbox(ALICE, None, 50).await.unwrap().len(), 50.min(size));
        println!("a page of the inbox: {:?}", begun.elapsed());
        assert_eq!(calls.take(), 1);
        views.membership(ALICE, rooms[0]).await.unwrap();
        assert_eq!(calls.take(), 1);
    }
}

#[tokio::test]
async fn a_message_writes_rows_in_place_and_no_index() {
    // Of its own: whoever writes for long in another database keeps a server from seeing at once that a row is dead.
    let server = Servers::start(Server::PostgreSql, 1);
    let mut place = bench::place_on(&server, "").await;
    place = format!("postgres://postgres@{}/{}?pool=1", place.hosts_or(5432)[0], place.path).parse().unwrap();
    let views = prepared(place).await;
    let rooms: Vec<_> = (0..20).map(|_| room()).collect();
    for upto in 1..=60 {
        views.project(rooms.iter().map(|room| events(*room, upto - 1, upto)).collect()).await.unwrap();
    }
    // Of the connection that wrote, and at once.
    views.0.query("SELECT pg_stat_force_next_flush()", &[]).await.unwrap();
    let sql =
        "SELECT rtrim(relname, '_0123456789') AS name, sum(n_tup_upd)::bigint AS all, sum(n_tup_hot_upd)::bigint AS hot
        FROM pg_stat_user_tables WHERE relname = 'heads' OR relname LIKE 'own\\__' GROUP BY 1";
    let rows = views.0.query(sql, &[]).await.unwrap();
    assert_eq!(rows.len(), 2, "heads, and the tables of what is people's own");
    for row in rows {
        let [all, hot] = ["all", "hot"].map(|column| get::<i64>(&row, column).unwrap());
        let name: String = get(&row, "name").unwrap();
        println!("{name}: {hot} of {all} updates in place");
        assert!(all > 800 && hot * 100 >= all * 95, "{name}: {hot} of {all}");
    }
}

#[tokio::test]
async fn long_lists_are_read_by_their_indexes() {
    let views = prepared(bench::place().await).await;
    let rooms: Vec<_> = (0..3_000).map(|_| room()).collect();
    let mut other = 0;
    let mut founded = |room: &ConversationId| {
        let mut first = event(*room, 1);
        other += 1;
        // Alice is in few of all these.
        let stranger = UserId(fresh());
        first.rows.retain(|row| !matches!(row, Row::Joined { user, .. } if *user == ALICE && other % 1_000 > 0));
        first.rows.push(Row::Joined { user: stranger, role: Role::Member, joined: Seq(1) });
        first
    };
    views.project(rooms.iter().map(&mut founded).collect()).await.unwrap();
    views.0.query("ANALYZE", &[]).await.unwrap();
    let plan = async |page: &str| {
        let page = page
            .replace("$1", &format!("'{}'", ALICE.0))
            .replace("$3", "99999")
            .replace("$4", &format!("'{}'", Uuid::max()));
        let rows = views.0.query(&format!("EXPLAIN {}", page.replace("$5", "50")), &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
    };
    let inbox = plan(lists::PAGE).await;
    assert!(inbox.contains("members_by_person") && inbox.contains("heads_pkey"), "{inbox}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_project_the_same_wait_and_never_for_each_other() {
    const EVENTS: u64 = 60;
    let open = database();
    let (one, other) = (open().await, open().await);
    let rooms: Arc<Vec<_>> = Arc::new((0..12).map(|_| room()).collect());
    let mut projecting = Vec::new();
    for n in 0..6 {
        let (views, rooms) = (if n % 2 == 0 { one.clone() } else { other.clone() }, rooms.clone());
        projecting.push(tokio::spawn(async move {
            let mut heads: HashMap<_, _> = rooms.iter().map(|room| (*room, 0)).collect();
            let mut done = 0;
            while heads.values().any(|upto| *upto < EVENTS) {
                let mut batch: Vec<_> = heads.iter().filter(|(_, upto)| **upto < EVENTS).collect();
                batch.shuffle(&mut rand::rng());
                let batch: Vec<_> = batch
                    .into_iter()
                    .map(|(room, upto)| events(*room, *upto, (upto + 1 + n % 3).min(EVENTS)))
                    .collect();
                for (outcome, projection) in views.project(batch.clone()).await.unwrap().into_iter().zip(&batch) {
                    let upto = match outcome {
                        Projected::Now => {
                            done += projection.head.seq.0 - projection.after.0;
                            projection.head.seq.0
                        }
                        Projected::Before => projection.head.seq.0,
                        Projected::Missing(upto) => upto.0,
                    };
                    heads.insert(projection.conversation, upto);
                }
            }
            done
        }));
    }
    let (stop, stopped) = watch::channel(false);
    let mut moving = Vec::new();
    for views in [one.clone(), other.clone()] {
        let (rooms, stopped) = (rooms.clone(), stopped.clone());
        moving.push(tokio::spawn(async move {
            for version in 1.. {
                let mut moves: Vec<_> =
                    rooms.iter().flat_map(|room| [ALICE, BOB].map(|user| (user, *room, cursor(version)))).collect();
                moves.shuffle(&mut rand::rng());
                views.move_cursors(moves).await.unwrap();
                if *stopped.borrow() {
                    return version;
                }
            }
            unreachable!("it is stopped first")
        }));
    }
    let mut done = 0;
    for task in projecting {
        done += task.await.unwrap();
    }
    stop.send(true).unwrap();
    let mut last = 0;
    for task in moving {
        last = last.max(task.await.unwrap());
    }
    assert_eq!(done, EVENTS * rooms.len() as u64, "each event was projected once");
    for room in rooms.iter() {
        assert_eq!(one.dump(*room).await.unwrap(), whole(*room, EVENTS).await);
        let members = other.members(*room, None, 10).await.unwrap();
        assert!(members.iter().all(|(_, _, cursor)| cursor.version >= last && cursor.delivered >= cursor.read));
        let described = one.describe(&[*room]).await.unwrap()[0].clone().unwrap();
        assert_eq!(described.members, members.len() as u64);
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_a_projection_whole_or_not_there() {
    let place = bench::place().await;
    let link = Link::to(place.hosts_or(5432)[0].clone()).await;
    let through = format!("postgres://postgres@{}/{}?timeout_ms=3000", link.address(), place.path);
    let (views, near) = (prepared(through.parse().unwrap()).await, prepared(place).await);
    let room = room();
    for seq in (1..=6).step_by(3) {
        // The answer is lost: it is there, and a repeat says so.
        link.set(Flow::Open, Flow::Held);
        assert_eq!(views.project(vec![event(room, seq)]).await.unwrap_err().kind, ErrorKind::Unavailable);
        soon(async { while near.projected(room).await.unwrap() < Seq(seq) {} }).await;
        link.set(Flow::Open, Flow::Open);
        assert_eq!(views.project(vec![event(room, seq)]).await.unwrap(), [Projected::Before]);

        // The question is lost: it is not there.
        link.set(Flow::Held, Flow::Open);
        let next = event(room, seq + 1);
        assert_eq!(views.project(vec![next.clone()]).await.unwrap_err().kind, ErrorKind::Unavailable);
        let wish = vec![(ALICE, room, cursor(seq))];
        assert_eq!(views.move_cursors(wish.clone()).await.unwrap_err().kind, ErrorKind::Unavailable);
        link.tear();
        link.set(Flow::Open, Flow::Open);
        assert_eq!(near.projected(room).await.unwrap(), Seq(seq));
        assert_eq!(views.project(vec![next]).await.unwrap(), [Projected::Now]);
        assert_eq!(views.project(vec![event(room, seq + 2)]).await.unwrap(), [Projected::Now]);
    }
    assert_eq!(near.dump(room).await.unwrap(), whole(room, 6).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_after_the_server_was_killed() {
    let server = Servers::start(Server::PostgreSql, 1);
    let place = bench::place_on(&server, "").await;
    let room = room();
    let views = Arc::new(prepared(place.clone()).await);
    let mut from = 0;
    for round in 1..=3 {
        let (answered, mut told) = watch::channel((from, 0));
        let writing = tokio::spawn({
            let views = views.clone();
            async move {
                for seq in from + 1.. {
                    if views.project(vec![event(room, seq)]).await.is_err() {
                        break;
                    }
                    answered.send_modify(|last| last.0 = seq);
                    if views.move_cursors(vec![(ALICE, room, cursor(seq))]).await.is_err() {
                        break;
                    }
                    answered.send_modify(|last| last.1 = seq);
                }
            }
        });
        soon(told.wait_for(|last| last.0 >= from + 20)).await.unwrap();
        server.kill(1);
        soon(writing).await.unwrap();
        server.revive();
        // The same instance goes on, over new connections.
        let upto = soon(async {
            loop {
                if let Ok(upto) = views.projected(room).await {
                    return upto.0;
                }
            }
        });
        let (upto, (projected, moved)) = (upto.await, *told.borrow());
        assert!(upto == projected || upto == projected + 1, "round {round}: {projected} was answered, there is {upto}");
        assert!(views.inbox_row(ALICE, room).await.unwrap().unwrap().cursor.version >= moved);
        assert_eq!(views.dump(room).await.unwrap(), whole(room, upto).await);
        from = upto;
    }
}
