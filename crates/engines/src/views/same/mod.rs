//! Whatever is done, in whatever order, an engine answers as the one in memory does, also when it is opened again in between.

use std::sync::Arc;

use klatch_core::conversation::{History, Kind, Role};
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId, Uuid};
use klatch_ports::views::memory::Memory;
use klatch_ports::views::{Cursor, Head, Notify, Projection, Row, Settings, Views};
use proptest::prelude::*;

/// What can be done.
#[derive(Clone, Debug)]
pub enum Step {
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

fn step() -> impl Strategy<Value = Step> {
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
            format!("{:?}", views.project(vec![Projection { conversation: room, after, head, rows }]).await.unwrap())
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

/// Histories, made by chance.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..60)
}

/// Does these things to an empty store and in memory; the store, opened for the last time.
///
/// # Panics
/// If the two ever say something different.
pub async fn as_in_memory<V: Views>(open: impl AsyncFn() -> Arc<V>, steps: Vec<Step>) -> Arc<V> {
    let memory = Memory::default();
    let mut views = open().await;
    for step in steps {
        if matches!(step, Step::Reopen) {
            drop(views);
            views = open().await;
        }
        let said = format!("{step:?}");
        assert_eq!(take(&*views, step.clone()).await, take(&memory, step).await, "{said}");
    }
    for (ours, theirs) in ask(&*views).await.into_iter().zip(ask(&memory).await) {
        assert_eq!(ours, theirs);
    }
    views
}
