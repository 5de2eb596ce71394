//! The contract on SQLite, and what only SQLite can show.

use std::sync::Arc;

use klatch_core::conversation::{Kind, Role};
use klatch_core::ids::Uuid;
use klatch_ports::views::{Head, Row};
use tempfile::TempDir;

use super::*;
use crate::drivers::sqlite::as_if_it_died;
use crate::views::same;

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

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, ..Default::default() })]
    #[test]
    fn as_in_memory(steps in same::histories()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { same::as_in_memory(file(), steps).await.check().await.unwrap() });
    }
}
