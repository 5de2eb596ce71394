//! The contract on SQLite, and what only SQLite can show.

use std::sync::Arc;

use klatch_core::conversation::{Kind, Role};
use klatch_core::ids::Uuid;
use klatch_ports::views::{Head, Row};
use tempfile::TempDir;

use super::*;
use crate::drivers::sqlite::as_if_it_died;

/// Opens the same file each time.
fn file() -> impl AsyncFn() -> Arc<Sqlite> {
    let folder = TempDir::new().unwrap();
    async move || Arc::new(Sqlite::open(&folder.path().join("views.db")).unwrap())
}

klatch_ports::views_contract!(file());

const ROOM: ConversationId = ConversationId(Uuid::from_u128(1));
const ALICE: UserId = UserId(Uuid::from_u128(2));
const BOB: UserId = UserId(Uuid::from_u128(3));

/// Alice founds a group with Bob, and then writes, and mentions him now and then.
fn event(seq: u64) -> Projection {
    let joined = |user| Row::Joined { user, role: Role::Member, joined: Seq(1) };
    let name = Some("tea".to_owned());
    let rows = match seq {
        1 => vec![
            Row::Described { kind: Some(Kind::Group), name, topic: None, history: None },
            joined(ALICE),
            joined(BOB),
        ],
        _ if seq.is_multiple_of(5) => vec![Row::Mentioned { user: BOB, seq: Seq(seq) }],
        _ => vec![Row::Read { user: ALICE, seq: Seq(seq), worthy: seq }],
    };
    let head = Head { seq: Seq(seq), worthy: seq, at: Timestamp(seq), message: Seq(seq) };
    Projection { conversation: ROOM, after: Seq(seq - 1), head, rows }
}

#[tokio::test]
async fn dying_takes_a_suffix_of_the_projections_and_no_cursor_that_was_answered() {
    const EVENTS: u64 = 60;
    let folder = TempDir::new().unwrap();
    let views = Sqlite::open(&folder.path().join("views.db")).unwrap();
    let whole = klatch_ports::views::memory::Memory::default();
    whole.project((1..=EVENTS).map(event).collect()).await.unwrap();
    let whole = whole.dump(ROOM).await.unwrap();
    let mut lost = 0;
    for seq in 1..=EVENTS {
        views.project(vec![event(seq)]).await.unwrap();
        let cursor = Cursor { delivered: Seq(seq), read: Seq(seq), read_worthy: seq, version: seq };
        if seq.is_multiple_of(7) {
            views.move_cursors(vec![(BOB, ROOM, cursor)]).await.unwrap();
        }
        // Loss of power takes the end of the log, from some place on after what was synced last.
        let dead = as_if_it_died(folder.path());
        let log = std::fs::OpenOptions::new().write(true).open(dead.path().join("views.db-wal")).unwrap();
        if !seq.is_multiple_of(7) {
            log.set_len(log.metadata().unwrap().len() - seq * 97 % 4_000).unwrap();
        }
        drop(log);
        let again = Sqlite::open(&dead.path().join("views.db")).unwrap();
        again.check().await.unwrap();
        let upto = again.projected(ROOM).await.unwrap();
        assert!(upto.0 >= seq / 7 * 7, "what came before a cursor that was answered is there with it");
        lost += seq - upto.0;
        let rest = (upto.0 + 1..=EVENTS).map(event).collect();
        assert!(again.project(rest).await.unwrap().iter().all(|outcome| *outcome == Projected::Now));
        assert_eq!(again.dump(ROOM).await.unwrap(), whole);
        let row = again.inbox_row(BOB, ROOM).await.unwrap().unwrap();
        assert_eq!(row.cursor.read, Seq(seq / 7 * 7));
    }
    assert!(lost > 10, "the log was cut short, {lost} times");
}

#[tokio::test]
async fn long_lists_are_read_from_indexes_alone() {
    let open = file();
    let views = open().await;
    let plan = async |sql: &'static str| {
        let plan = move |views: &rusqlite::Connection| {
            let mut plan = views.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let nothing =
                rusqlite::params_from_iter(std::iter::repeat_n(rusqlite::types::Null, plan.parameter_count()));
            plan.query_map(nothing, |row| row.get(3))?.collect::<rusqlite::Result<Vec<String>>>()
        };
        views.0.read(plan).await.unwrap().join(", ")
    };
    let inbox = plan(lists::INBOX).await;
    assert!(inbox.contains("members USING COVERING INDEX members_by_user (user=?)"), "{inbox}");
    assert!(inbox.contains("heads USING PRIMARY KEY (conversation=?)"), "{inbox}");
    let channels = plan(lists::CHANNELS).await;
    assert!(channels.contains("USING COVERING INDEX channels") && !channels.contains("ORDER BY"), "{channels}");
}

#[tokio::test]
async fn a_backup_is_restored_and_caught_up() {
    let folder = TempDir::new().unwrap();
    let views = Sqlite::open(&folder.path().join("views.db")).unwrap();
    views.project((1..=20).map(event).collect()).await.unwrap();
    let copy = folder.path().join("copy.db");
    views.backup(copy.clone()).await.unwrap();
    views.project((21..=40).map(event).collect()).await.unwrap();

    let restored = Sqlite::open(&copy).unwrap();
    restored.check().await.unwrap();
    assert_eq!(restored.projected(ROOM).await.unwrap(), Seq(20));
    restored.project((21..=40).map(event).collect()).await.unwrap();
    assert_eq!(restored.dump(ROOM).await.unwrap(), views.dump(ROOM).await.unwrap());
}

mod same {
    //! Whatever is done, in whatever order, SQLite answers as the engine in memory does, also when it is opened again in between.

    use klatch_core::conversation::History;
    use klatch_ports::views::Notify;
    use klatch_ports::views::memory::Memory;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        /// `skip` events are missing before these; negative ones are there already.
        Project {
            room: ConversationId,
            skip: i64,
            events: u64,
            at: u64,
            rows: Vec<Row>,
        },
        Move(UserId, ConversationId, Cursor),
        Set(UserId, ConversationId, Settings),
        Clear(ConversationId),
        Reopen,
    }

    const ROOMS: u128 = 3;
    const USERS: u128 = 3;

    fn rooms() -> impl Strategy<Value = ConversationId> {
        (1..=ROOMS).prop_map(|n| ConversationId(Uuid::from_u128(n)))
    }

    fn users() -> impl Strategy<Value = UserId> {
        (1..=USERS).prop_map(|n| UserId(Uuid::from_u128(n)))
    }

    fn seqs() -> impl Strategy<Value = Seq> {
        (1..30_u64).prop_map(Seq)
    }

    fn roles() -> impl Strategy<Value = Role> {
        prop_oneof![Just(Role::Member), Just(Role::Moderator), Just(Role::Owner)]
    }

    fn rows() -> impl Strategy<Value = Row> {
        let name = proptest::option::of("[aÄ]{0,3}");
        let history = proptest::option::of(prop_oneof![Just(History::All), Just(History::SinceJoined)]);
        let described = (name.clone(), name, history);
        prop_oneof![
            described.prop_map(|(name, topic, history)| Row::Described { kind: None, name, topic, history }),
            (users(), roles(), seqs()).prop_map(|(user, role, joined)| Row::Joined { user, role, joined }),
            (users(), roles()).prop_map(|(user, role)| Row::RoleSet { user, role }),
            users().prop_map(|user| Row::Gone { user }),
            (users(), seqs()).prop_map(|(user, seq)| Row::Mentioned { user, seq }),
            (users(), seqs()).prop_map(|(user, seq)| Row::Read { user, seq, worthy: seq.0 / 2 }),
        ]
    }

    fn cursors() -> impl Strategy<Value = Cursor> {
        (seqs(), seqs(), 0..6_u64).prop_map(|(delivered, read, version)| Cursor {
            delivered,
            read,
            read_worthy: read.0 / 2,
            version,
        })
    }

    fn settings() -> impl Strategy<Value = Settings> {
        (prop_oneof![Just(Notify::All), Just(Notify::Mentions), Just(Notify::None)], any::<bool>())
            .prop_map(|(notify, favourite)| Settings { notify, favourite })
    }

    fn steps() -> impl Strategy<Value = Step> {
        let skip = prop_oneof![8 => Just(0_i64), 1 => -2..3_i64];
        let project = (rooms(), skip, 0..4_u64, 0..5_u64, proptest::collection::vec(rows(), 0..6));
        prop_oneof![
            12 => project.prop_map(|(room, skip, events, at, rows)| Step::Project { room, skip, events, at, rows }),
            4 => (users(), rooms(), cursors()).prop_map(|(user, room, to)| Step::Move(user, room, to)),
            2 => (users(), rooms(), settings()).prop_map(|(user, room, settings)| Step::Set(user, room, settings)),
            1 => rooms().prop_map(Step::Clear),
            1 => Just(Step::Reopen),
        ]
    }

    async fn take(views: &dyn Views, step: Step) -> String {
        match step {
            Step::Project { room, skip, events, at, mut rows } => {
                let there = views.projected(room).await.unwrap();
                let after = Seq(there.0.saturating_add_signed(skip));
                if after == Seq::ZERO {
                    let kind = [Kind::Direct, Kind::Group, Kind::Channel][usize::from(room.as_bytes()[15] % 3)];
                    rows.insert(0, Row::Described { kind: Some(kind), name: None, topic: None, history: None });
                }
                let seq = Seq(after.0 + events);
                let message = if seq.0.is_multiple_of(3) { Seq::ZERO } else { seq };
                let head = Head { seq, worthy: seq.0 / 2, at: Timestamp(at), message };
                format!(
                    "{:?}",
                    views.project(vec![Projection { conversation: room, after, head, rows }]).await.unwrap()
                )
            }
            Step::Move(user, room, to) => format!("{:?}", views.move_cursors(vec![(user, room, to)]).await.unwrap()),
            Step::Set(user, room, settings) => format!("{:?}", views.set_settings(user, room, settings).await.unwrap()),
            Step::Clear(room) => format!("{:?}", views.clear(room).await.unwrap()),
            Step::Reopen => String::new(),
        }
    }

    /// Every question there is, answered.
    async fn ask(views: &dyn Views) -> Vec<String> {
        let mut answers = Vec::new();
        let mut say = |answer: &dyn std::fmt::Debug| answers.push(format!("{answer:?}"));
        for room in (1..=ROOMS).map(|n| ConversationId(Uuid::from_u128(n))) {
            say(&views.dump(room).await.unwrap());
            say(&views.describe(&[room]).await.unwrap());
            say(&views.members(room, None, 2).await.unwrap());
            say(&views.members(room, Some(UserId(Uuid::from_u128(2))), 2).await.unwrap());
        }
        for user in (1..=USERS).map(|n| UserId(Uuid::from_u128(n))) {
            let inbox = views.inbox(user, None, 2).await.unwrap();
            let last = inbox.last().map(|row| (row.description.head.at, row.description.conversation));
            say(&inbox);
            say(&views.inbox(user, last, 2).await.unwrap());
            say(&views.memberships(user).await.unwrap());
        }
        say(&views.channels("ä", None, 1).await.unwrap());
        say(&views.channels("", None, 3).await.unwrap());
        answers
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn as_in_memory(steps in proptest::collection::vec(steps(), 1..60)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (memory, open) = (Memory::default(), file());
                let mut sqlite = open().await;
                for step in steps {
                    if matches!(step, Step::Reopen) {
                        drop(sqlite);
                        sqlite = open().await;
                    }
                    let said = format!("{step:?}");
                    assert_eq!(take(&*sqlite, step.clone()).await, take(&memory, step).await, "{said}");
                }
                for (ours, theirs) in ask(&*sqlite).await.into_iter().zip(ask(&memory).await) {
                    assert_eq!(ours, theirs);
                }
                sqlite.check().await.unwrap();
            });
        }
    }
}
