//! The contract of [`Views`]: one function per promise, run against every engine. The factory opens the engine, and opens the
//! same views when it is called again, after what it opened before was dropped.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

use std::sync::Arc;

use klatch_core::conversation::{History, Kind, Role};
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};

use super::memory::Memory;
use super::{Cursor, Head, InboxRow, Notify, Own, Projected, Projection, Row, Settings, Views};
use crate::contract::fresh;

/// Tests that an engine of [`Views`] keeps every promise. Takes a factory, `async || -> Arc<impl Views>`.
#[macro_export]
macro_rules! views_contract {
    ($factory:expr) => {
        $crate::contract_tests! { views, $factory;
            w1_a_projection_is_there_once_in_order_and_as_a_whole,
            w2_what_is_missing_after_a_loss_is_replayed_from_projected_on,
            w3_every_read_sees_what_was_projected,
            w4_cursors_last_and_the_highest_version_wins,
            w5_the_inbox_pages_newest_first_and_each_once,
            w6_mentions_are_counted_after_the_read_cursor,
            w7_channels_are_found_by_parts_whatever_the_case,
            w8_a_replay_dumps_the_same,
            w9_settings_last,
            w10_what_was_synced_is_there,
            w11_what_is_ones_own_is_taken_over_as_it_is,
            w12_what_is_wrong_is_mended_at_once_and_only_where_nothing_was_projected_meanwhile,
            w13_of_two_copies_of_what_is_ones_own_the_later_stays,
        }
    };
}

/// W1: what continues the views is projected; a repeat is `Before`, and what does not begin where they end is `Missing`, and
/// neither changes anything.
pub async fn w1_a_projection_is_there_once_in_order_and_as_a_whole<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (room, [alice, bob, carol]) = (room(), people());
    let first = founded(room, Kind::Group, "tea", &[alice, bob]);
    let second = events(room, 1, 2, vec![gone(bob)]);
    let third = events(room, 2, 3, vec![joined(bob, 3), joined(carol, 3)]);
    let outcome = views.project(vec![third.clone(), first.clone(), first.clone(), second.clone()]).await.unwrap();
    assert_eq!(outcome, [Projected::Missing(Seq(0)), Projected::Now, Projected::Before, Projected::Now]);
    assert_eq!(views.describe(&[room]).await.unwrap()[0].as_ref().unwrap().members, 1, "what was missing did nothing");

    let overlapping = events(room, 1, 3, vec![gone(alice)]);
    let outcome = views.project(vec![overlapping, third.clone(), second, third, first]).await.unwrap();
    let expected =
        [Projected::Missing(Seq(2)), Projected::Now, Projected::Before, Projected::Before, Projected::Before];
    assert_eq!(outcome, expected);
    let members = views.members(room, None, 10).await.unwrap();
    let members: Vec<_> = members.iter().map(|(user, member, _)| (*user, member.joined)).collect();
    assert_eq!(members, [(alice, Seq(1)), (bob, Seq(3)), (carol, Seq(3))]);
    assert_eq!(views.projected(room).await.unwrap(), Seq(3));
    assert_eq!(views.projected(self::room()).await.unwrap(), Seq::ZERO);

    let mut quiet = events(room, 3, 4, Vec::new());
    quiet.head.message = Seq::ZERO;
    project(&*views, quiet).await;
    let head = views.describe(&[room]).await.unwrap()[0].as_ref().unwrap().head;
    assert_eq!((head.seq, head.message), (Seq(4), Seq(3)), "the last message stays the last one");
}

/// W2: opened again, the views go as far as `projected` says, and what follows from there on makes them whole.
pub async fn w2_what_is_missing_after_a_loss_is_replayed_from_projected_on<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (room, users) = (room(), people());
    let all = history(room, users);
    for projection in &all {
        assert_eq!(views.project(vec![projection.clone()]).await.unwrap(), [Projected::Now]);
    }
    let whole = views.dump(room).await.unwrap();
    drop(views);

    let views = open().await;
    let upto = views.projected(room).await.unwrap();
    let rest: Vec<_> = all.into_iter().filter(|projection| projection.head.seq > upto).collect();
    assert!(views.project(rest).await.unwrap().iter().all(|outcome| *outcome == Projected::Now));
    assert_eq!(views.dump(room).await.unwrap(), whole);
}

/// W3: once `project` returned, every question is answered with what it brought.
pub async fn w3_every_read_sees_what_was_projected<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (room, [alice, bob, stranger]) = (room(), people());
    assert_eq!(views.describe(&[room]).await.unwrap(), [None]);
    project(&*views, founded(room, Kind::Direct, "", &[alice, bob])).await;
    project(&*views, events(room, 1, 2, vec![Row::RoleSet { user: bob, role: Role::Owner }])).await;
    let topic = Row::Described { kind: None, name: None, topic: Some("green".to_owned()), history: None };
    let mut no_message = events(room, 2, 3, vec![topic]);
    no_message.head.message = Seq::ZERO;
    project(&*views, no_message).await;

    let described = views.describe(&[self::room(), room]).await.unwrap();
    assert_eq!(described[0], None);
    let description = described[1].clone().unwrap();
    assert_eq!((description.kind, &*description.topic, description.members), (Kind::Direct, "green", 2));
    let head = Head { message: Seq(2), ..head(3) };
    assert_eq!((description.history, description.head), (History::SinceJoined, head));
    assert_eq!(views.membership(bob, room).await.unwrap().unwrap().role, Role::Owner);
    assert_eq!(views.membership(stranger, room).await.unwrap(), None);
    assert_eq!((views.memberships(bob).await.unwrap(), views.memberships(stranger).await.unwrap()), (1, 0));
    let row = views.inbox_row(alice, room).await.unwrap().unwrap();
    assert_eq!((row.description, row.with, row.cursor), (description, Some(bob), Cursor::default()));
    assert_eq!(views.inbox_row(stranger, room).await.unwrap(), None);

    assert_eq!(names(&*views, room, None, 1).await, [alice]);
    assert_eq!(names(&*views, room, Some(alice), 10).await, [bob]);
    project(&*views, events(room, 3, 4, vec![gone(bob)])).await;
    assert_eq!(views.membership(bob, room).await.unwrap(), None);
    assert_eq!(views.inbox(bob, None, 10).await.unwrap(), []);
    assert_eq!(views.describe(&[room]).await.unwrap()[0].as_ref().unwrap().members, 1);
}

/// W4: cursors move as `Cursor::moved` says, belong to members, and are there when the engine is opened again.
pub async fn w4_cursors_last_and_the_highest_version_wins<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (room, [alice, bob, stranger]) = (room(), people());
    project(&*views, founded(room, Kind::Group, "tea", &[alice, bob])).await;
    project(&*views, events(room, 1, 30, Vec::new())).await;
    let to = |delivered, read, version| cursor(delivered, read, version);
    let moves = [to(20, 10, 1), to(15, 5, 1), to(0, 7, 2), to(0, 25, 3)].map(|to| (alice, room, to));
    let moves = [&moves[..], &[(stranger, room, to(1, 1, 1)), (bob, self::room(), to(1, 1, 1))]].concat();
    let moved = views.move_cursors(moves).await.unwrap();
    let expected = [to(20, 10, 1), to(20, 10, 1), to(20, 7, 2), to(25, 25, 3)].map(Some);
    assert_eq!(moved, [&expected[..], &[None, None]].concat());
    drop(views);

    let views = open().await;
    let there = views.move_cursors(vec![(alice, room, Cursor::default())]).await.unwrap();
    assert_eq!(there, [Some(to(25, 25, 3))]);
    let members = views.members(room, None, 10).await.unwrap();
    assert_eq!(members.iter().map(|member| member.2).collect::<Vec<_>>(), [to(25, 25, 3), Cursor::default()]);
    assert_eq!(views.inbox_row(alice, room).await.unwrap().unwrap().cursor, to(25, 25, 3));

    let absurd = [to(u64::MAX, 1, 9), to(1, u64::MAX, 9), to(1, 1, u64::MAX)].map(|to| (alice, room, to));
    assert_eq!(views.move_cursors(absurd.to_vec()).await.unwrap(), [Some(to(25, 25, 3)); 3]);

    // Writing moves the cursor too: forward, and once.
    project(&*views, events(room, 30, 31, vec![Row::Read { user: alice, seq: Seq(31), worthy: 31 }])).await;
    assert_eq!(views.inbox_row(alice, room).await.unwrap().unwrap().cursor, to(31, 31, 4));
    views.move_cursors(vec![(alice, room, to(0, 2, 5))]).await.unwrap();
    let late = vec![Row::Read { user: alice, seq: Seq(31), worthy: 31 }, joined(stranger, 32)];
    project(&*views, events(room, 31, 32, late)).await;
    assert_eq!(views.inbox_row(alice, room).await.unwrap().unwrap().cursor, to(31, 2, 5), "a replay moves nothing");

    project(&*views, events(room, 32, 33, vec![gone(alice)])).await;
    assert_eq!(views.move_cursors(vec![(alice, room, to(1, 1, 9))]).await.unwrap(), [None]);
    project(&*views, events(room, 33, 34, vec![joined(alice, 34)])).await;
    assert_eq!(
        views.inbox_row(alice, room).await.unwrap().unwrap().cursor,
        Cursor::default(),
        "who comes back begins anew"
    );
}

/// W5: pages of any size list every conversation once, newest activity first; what moves meanwhile hides nothing else.
pub async fn w5_the_inbox_pages_newest_first_and_each_once<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let [alice, bob, _] = people();
    let rooms: Vec<_> = (0..25).map(|_| room()).collect();
    for (n, room) in rooms.iter().enumerate() {
        let mut first = founded(*room, Kind::Group, "tea", &[if n == 7 { bob } else { alice }]);
        // Some at the same moment, and not in order of id.
        first.head.at = Timestamp([5, 1, 5, 9, 9][n % 5] * 1_000 + n as u64 / 10);
        project(&*views, first).await;
    }
    let all = views.inbox(alice, Some((Timestamp(u64::MAX), room())), 100).await.unwrap();
    assert_eq!(views.inbox(alice, None, 100).await.unwrap(), all);
    assert_eq!((all.len(), views.memberships(alice).await.unwrap()), (24, 24));
    assert!(all.is_sorted_by(|a, b| place(a) > place(b)));

    for size in [1, 7, 24] {
        let mut paged = Vec::new();
        loop {
            let page = views.inbox(alice, paged.last().map(place), size).await.unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= size);
            paged.extend(page);
        }
        assert_eq!(paged, all);
    }

    let first = views.inbox(alice, None, 10).await.unwrap();
    let moving = all[15].description.conversation;
    let mut moved = events(moving, 1, 2, Vec::new());
    moved.head.at = Timestamp(99_999);
    project(&*views, moved).await;
    let rest = views.inbox(alice, first.last().map(place), 100).await.unwrap();
    let expected: Vec<_> = all[10..].iter().filter(|row| row.description.conversation != moving).cloned().collect();
    assert_eq!(rest, expected);
    assert_eq!(views.inbox(alice, None, 1).await.unwrap()[0].description.conversation, moving);
}

/// W6: mentions count for the one who was mentioned, after their read cursor, wherever that moves.
pub async fn w6_mentions_are_counted_after_the_read_cursor<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (room, [alice, bob, _]) = (room(), people());
    project(&*views, founded(room, Kind::Group, "tea", &[alice, bob])).await;
    let mentioned = |user, seq| Row::Mentioned { user, seq: Seq(seq) };
    let rows =
        vec![mentioned(alice, 2), mentioned(alice, 5), mentioned(alice, 5), mentioned(bob, 5), mentioned(alice, 8)];
    project(&*views, events(room, 1, 10, rows)).await;
    let count = async |user| views.inbox_row(user, room).await.unwrap().unwrap().mentions;
    assert_eq!((count(alice).await, count(bob).await), (3, 1));
    for (version, (read, left)) in [(5, 1), (9, 0), (1, 3), (4, 2)].into_iter().enumerate() {
        views.move_cursors(vec![(alice, room, cursor(read, read, version as u64 + 1))]).await.unwrap();
        assert_eq!((count(alice).await, count(bob).await), (left, 1), "read up to {read}");
        assert_eq!(views.inbox(alice, None, 1).await.unwrap()[0].mentions, left);
    }
    project(&*views, events(room, 10, 11, vec![gone(alice)])).await;
    project(&*views, events(room, 11, 12, vec![joined(alice, 12)])).await;
    assert_eq!(count(alice).await, 0, "before they came there was nothing for them");
}

/// W7: channels, and only they, are found by parts of name and topic, in any case, in pages in order of name.
pub async fn w7_channels_are_found_by_parts_whatever_the_case<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let [alice, ..] = people();
    // The store may hold other channels, of other tests: these have a word of their own.
    let word = fresh().simple().to_string();
    let names = ["Ärger", "ärger", "b 100%", "C_d", "ZÜRICH"].map(|name| format!("{name} {word}"));
    for name in &names {
        project(&*views, founded(room(), Kind::Channel, name, &[alice])).await;
    }
    let twin = format!("b 100% {word}");
    project(&*views, founded(room(), Kind::Channel, &twin, &[alice])).await;
    project(&*views, founded(room(), Kind::Group, &names[0], &[alice])).await;
    let topic = Row::Described { kind: None, name: None, topic: Some(format!("Über {word} \"Tee\"")), history: None };
    let quiet = room();
    project(&*views, founded(quiet, Kind::Channel, "quiet", &[alice])).await;
    project(&*views, events(quiet, 1, 2, vec![topic])).await;

    let find = async |query: &str| -> Vec<String> {
        let query = query.replace("WORD", &word);
        views.channels(&query, None, 100).await.unwrap().into_iter().map(|channel| channel.name).collect()
    };
    let mut sorted = [&names[..], &[twin, "quiet".to_owned()]].concat();
    sorted.sort();
    assert_eq!(find("word").await.into_iter().filter(|name| name.contains(&word)).count(), 0);
    assert_eq!(find(&word.to_uppercase()).await, sorted, "in order of name, groups not among them");
    assert_eq!(find("ärGER WORD").await, [&*names[0], &*names[1]], "in order of the bytes");
    assert_eq!(find("zürich WORD").await, [&*names[4]]);
    assert_eq!(find("100% WORD").await.len(), 2, "no character has a meaning of its own");
    assert_eq!(find("c_D WORD").await.len(), 1);
    assert_eq!(find("C.d WORD").await.len(), 0);
    assert_eq!(find("WORD \"tee").await, ["quiet"], "by topic");

    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = views.channels(&word, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.name.clone(), last.conversation));
        paged.extend(page.into_iter().map(|channel| channel.name));
    }
    assert_eq!(paged, sorted);
}

/// W8: cleared and replayed, in other pieces than it happened, a conversation dumps the same; and what people had set is there.
pub async fn w8_a_replay_dumps_the_same<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (room, other, users) = (room(), room(), people());
    let [alice, bob, _] = users;
    let all = history(room, users);
    for projection in &all {
        project(&*views, projection.clone()).await;
    }
    project(&*views, founded(other, Kind::Group, "other", &users)).await;
    let mine = Settings { notify: Notify::Mentions, favourite: true };
    views.move_cursors(vec![(bob, room, cursor(4, 3, 1_000))]).await.unwrap();
    views.set_settings(bob, room, mine).await.unwrap();
    let (dumped, elsewhere) = (views.dump(room).await.unwrap(), views.dump(other).await.unwrap());
    let rows = [views.inbox_row(alice, room).await.unwrap(), views.inbox_row(bob, room).await.unwrap()];
    assert_eq!(rows[1].as_ref().unwrap().settings, mine);

    views.clear(room).await.unwrap();
    assert_eq!(views.projected(room).await.unwrap(), Seq::ZERO);
    assert_eq!(views.membership(bob, room).await.unwrap(), None);
    assert_ne!(views.dump(room).await.unwrap(), dumped);
    for piece in all.chunks(3) {
        let rows = piece.iter().flat_map(|projection| projection.rows.clone()).collect();
        let whole = Projection { after: piece[0].after, rows, ..piece.last().unwrap().clone() };
        project(&*views, whole).await;
    }
    assert_eq!(views.dump(room).await.unwrap(), dumped);
    assert_eq!(views.dump(other).await.unwrap(), elsewhere, "another conversation is not touched");
    let replayed = [views.inbox_row(alice, room).await.unwrap(), views.inbox_row(bob, room).await.unwrap()];
    assert_eq!(replayed, rows);
}

/// W9: settings belong to members, and are there when the engine is opened again.
pub async fn w9_settings_last<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (room, [alice, bob, stranger]) = (room(), people());
    project(&*views, founded(room, Kind::Group, "tea", &[alice, bob])).await;
    let quiet = Settings { notify: Notify::None, favourite: false };
    let dear = Settings { notify: Notify::Mentions, favourite: true };
    assert!(views.set_settings(alice, room, quiet).await.unwrap());
    views.move_cursors(vec![(alice, room, cursor(1, 1, 1))]).await.unwrap();
    assert!(views.set_settings(alice, room, dear).await.unwrap());
    assert!(!views.set_settings(stranger, room, dear).await.unwrap());
    drop(views);

    let views = open().await;
    let row = views.inbox_row(alice, room).await.unwrap().unwrap();
    assert_eq!((row.settings, row.cursor), (dear, cursor(1, 1, 1)));
    assert_eq!(views.inbox_row(bob, room).await.unwrap().unwrap().settings, Settings::default());
    project(&*views, events(room, 1, 2, vec![gone(alice)])).await;
    assert!(!views.set_settings(alice, room, dear).await.unwrap());
    project(&*views, events(room, 2, 3, vec![joined(alice, 3)])).await;
    assert_eq!(views.inbox_row(alice, room).await.unwrap().unwrap().settings, Settings::default());
}

/// W10.
pub async fn w10_what_was_synced_is_there<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (room, [alice, bob, _]) = (room(), people());
    project(&*views, founded(room, Kind::Group, "tea", &[alice, bob])).await;
    views.sync().await.unwrap();
    drop(views);
    let views = open().await;
    assert_eq!(views.projected(room).await.unwrap(), Seq(1));
    assert!(views.membership(bob, room).await.unwrap().is_some());
}

/// W11: everything that is members' own is listed once, and is elsewhere what it was, also where versions there are higher.
pub async fn w11_what_is_ones_own_is_taken_over_as_it_is<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (first, second, [alice, bob, stranger]) = (room(), room(), people());
    for room in [first, second] {
        project(&*views, founded(room, Kind::Group, "tea", &[alice, bob])).await;
        project(&*views, events(room, 1, 9, vec![Row::Read { user: alice, seq: Seq(9), worthy: 9 }])).await;
    }
    let dear = Settings { notify: Notify::Mentions, favourite: true };
    views.move_cursors(vec![(bob, first, cursor(5, 3, 7)), (bob, second, cursor(2, 2, 40))]).await.unwrap();
    assert!(views.set_settings(bob, second, dear).await.unwrap());
    let ours = async |views: &V, limit: usize| -> Vec<Own> {
        let mut all: Vec<Own> = Vec::new();
        // The store may hold what is others' own.
        let mut after =
            Some((ConversationId(klatch_core::ids::Uuid::from_u128(first.0.as_u128() - 1)), UserId(first.0)));
        loop {
            let page = views.own(after, limit).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= limit);
            after = Some((last.conversation, last.user));
            all.extend(page);
        }
        all.retain(|own| [first, second].contains(&own.conversation));
        all
    };
    let listed = ours(&views, 1).await;
    assert_eq!(ours(&views, 100).await, listed);
    let mine = |conversation, user, cursor, settings| Own {
        conversation,
        user,
        cursor,
        settings,
        set: u64::from(settings != Settings::default()),
    };
    let none = Settings::default();
    let expected = [
        mine(first, alice, cursor(9, 9, 1), none),
        mine(first, bob, cursor(5, 3, 7), none),
        mine(second, alice, cursor(9, 9, 1), none),
        mine(second, bob, cursor(2, 2, 40), dear),
    ];
    assert_eq!(listed, expected);

    views.move_cursors(vec![(bob, first, cursor(9, 9, 1_000)), (alice, second, cursor(9, 1, 1_000))]).await.unwrap();
    let gone = mine(second, stranger, cursor(9, 9, 9), dear);
    views.take_own([&expected[..], &[gone]].concat()).await.unwrap();
    drop(views);

    let views = open().await;
    assert_eq!(ours(&views, 3).await, expected, "whatever versions there were; strangers have nothing");
    project(&*views, events(first, 9, 10, vec![Row::Read { user: alice, seq: Seq(10), worthy: 10 }])).await;
    assert_eq!(views.inbox_row(alice, first).await.unwrap().unwrap().cursor, cursor(10, 10, 2), "and it goes on");
    project(&*views, events(first, 10, 11, vec![self::gone(bob)])).await;
    assert_eq!(ours(&views, 9).await.len(), 3, "who left has nothing");
}

/// W12: whatever is wrong, however it came about, and whatever is there of it.
pub async fn w12_what_is_wrong_is_mended_at_once_and_only_where_nothing_was_projected_meanwhile<V: Views>(
    open: impl AsyncFn() -> Arc<V>,
) {
    let views = open().await;
    let (room, users) = (room(), people());
    let [alice, bob, _] = users;
    let all = history(room, users);
    let last = all.last().unwrap().head.seq;
    let replay = async |upto: usize| {
        let memory = Memory::default();
        for projection in &all[..upto] {
            project(&memory, projection.clone()).await;
        }
        memory.replayed(room)
    };
    let right = replay(all.len()).await;
    // Everything is another than it should be, but for how far it goes, and Bob since when he is there.
    let wrong = Row::Described {
        kind: None,
        name: Some("beer".to_owned()),
        topic: Some("?".to_owned()),
        history: Some(History::All),
    };
    project(&*views, founded(room, Kind::Group, "", &[alice])).await;
    let rows = vec![wrong, joined(bob, 7), joined(UserId(fresh()), 3), Row::Mentioned { user: alice, seq: Seq(1) }];
    project(&*views, Projection { rows, ..events(room, 1, last.0, Vec::new()) }).await;
    let mine = Settings { notify: Notify::Mentions, favourite: true };
    views.set_settings(bob, room, mine).await.unwrap();
    views.move_cursors(vec![(bob, room, cursor(9, 3, 40))]).await.unwrap();

    let before = views.dump(room).await.unwrap();
    for at in [0, 1, last.0 - 1, last.0 + 1] {
        assert!(!views.mend(room, Seq(at), right.clone()).await.unwrap(), "at {at}");
    }
    assert_eq!(views.dump(room).await.unwrap(), before, "somebody projected meanwhile");
    assert!(views.mend(room, last, right.clone()).await.unwrap());
    drop(views);

    let views = open().await;
    assert_eq!(views.dump(room).await.unwrap(), right.dump.to_string());
    assert_eq!(views.describe(&[room]).await.unwrap()[0].as_ref().unwrap().members, right.dump.members.len() as u64);
    let row = views.inbox_row(bob, room).await.unwrap().unwrap();
    assert_eq!((row.settings, row.cursor), (mine, Cursor { read_worthy: 10, ..cursor(10, 10, 41) }), "Bob wrote at 10");
    let row = views.inbox_row(alice, room).await.unwrap().unwrap();
    assert_eq!(row.cursor, cursor(12, 12, 0), "and Alice at 12, but moved nothing");
    assert!(views.mend(room, last, right.clone()).await.unwrap());
    assert_eq!(views.inbox_row(bob, room).await.unwrap().unwrap().cursor, cursor(10, 10, 41), "once");

    views.move_cursors(vec![(alice, room, cursor(12, 5, 1))]).await.unwrap();
    project(&*views, events(room, last.0, last.0 + 1, vec![joined(UserId(fresh()), last.0 + 1)])).await;
    assert!(!views.mend(room, last, right).await.unwrap(), "it went on");
    let ahead = Seq(last.0 + 1);
    let back = replay(5).await;
    assert!(views.mend(room, ahead, back.clone()).await.unwrap(), "also back, where it was ahead of the log");
    assert_eq!(views.dump(room).await.unwrap(), back.dump.to_string());
    assert_eq!(views.inbox_row(alice, room).await.unwrap().unwrap().cursor, cursor(12, 5, 1), "what they set, stays");

    let nothing = self::room();
    let begun = views.mend(nothing, Seq::ZERO, replay(all.len()).await).await.unwrap();
    assert!(begun, "also from nothing");
    assert_eq!(views.projected(nothing).await.unwrap(), last);
    project(&*views, events(nothing, last.0, last.0 + 1, vec![gone(bob)])).await;
    assert!(!views.mend(nothing, Seq::ZERO, replay(all.len()).await).await.unwrap());
}

/// W13: whichever of the two is copied to the other, and however often.
pub async fn w13_of_two_copies_of_what_is_ones_own_the_later_stays<V: Views>(open: impl AsyncFn() -> Arc<V>) {
    let views = open().await;
    let (room, [alice, bob, stranger]) = (room(), people());
    project(&*views, founded(room, Kind::Group, "tea", &[alice, bob])).await;
    let (dear, quiet) =
        (Settings { notify: Notify::Mentions, favourite: true }, Settings { notify: Notify::None, favourite: false });
    let own = |user, cursor, settings, set| Own { conversation: room, user, cursor, settings, set };
    let there = async |views: &V, user| {
        let row = views.inbox_row(user, room).await.unwrap().unwrap();
        (row.cursor, row.settings)
    };
    let copy = vec![own(bob, cursor(9, 7, 3), dear, 1), own(stranger, cursor(9, 7, 3), dear, 1)];
    for _ in 0..2 {
        views.merge_own(copy.clone()).await.unwrap();
        assert_eq!(there(&views, bob).await, (cursor(9, 7, 3), dear));
    }
    assert_eq!(views.inbox_row(stranger, room).await.unwrap(), None);

    assert!(views.set_settings(bob, room, quiet).await.unwrap());
    views.move_cursors(vec![(bob, room, cursor(8, 4, 4))]).await.unwrap();
    views.merge_own(copy).await.unwrap();
    assert_eq!(there(&views, bob).await, (cursor(9, 4, 4), quiet), "here it is later");

    views.merge_own(vec![own(bob, cursor(12, 3, 4), dear, 2)]).await.unwrap();
    assert_eq!(there(&views, bob).await, (cursor(12, 4, 4), quiet), "of two alike, what is here and what is further");
    views.merge_own(vec![own(bob, cursor(2, 6, 4), dear, 3), own(alice, cursor(1, 1, 0), quiet, 0)]).await.unwrap();
    drop(views);
    let views = open().await;
    assert_eq!(there(&views, bob).await, (cursor(12, 6, 4), dear));
    assert_eq!(there(&views, alice).await, (cursor(1, 1, 0), Settings::default()));
}

fn room() -> ConversationId {
    ConversationId(fresh())
}

/// Three people, in order.
fn people() -> [UserId; 3] {
    std::array::from_fn(|_| UserId(fresh()))
}

fn head(seq: u64) -> Head {
    Head { seq: Seq(seq), worthy: seq, at: Timestamp(1_000 + seq), message: Seq(seq) }
}

fn cursor(delivered: u64, read: u64, version: u64) -> Cursor {
    Cursor { delivered: Seq(delivered), read: Seq(read), read_worthy: read, version }
}

fn joined(user: UserId, seq: u64) -> Row {
    Row::Joined { user, role: Role::Member, joined: Seq(seq) }
}

fn gone(user: UserId) -> Row {
    Row::Gone { user }
}

fn events(conversation: ConversationId, after: u64, upto: u64, rows: Vec<Row>) -> Projection {
    Projection { conversation, after: Seq(after), head: head(upto), rows }
}

/// The first event of a conversation.
fn founded(conversation: ConversationId, kind: Kind, name: &str, members: &[UserId]) -> Projection {
    let history = Some(History::SinceJoined);
    let described =
        Row::Described { kind: Some(kind), name: Some(name.to_owned()), topic: Some(String::new()), history };
    let members = members.iter().map(|user| joined(*user, 1));
    events(conversation, 0, 1, [described].into_iter().chain(members).collect())
}

/// A conversation in which everything happens, one event at a time.
fn history(room: ConversationId, [alice, bob, carol]: [UserId; 3]) -> Vec<Projection> {
    let read = |user, seq| Row::Read { user, seq: Seq(seq), worthy: seq };
    let mentioned = |user, seq| Row::Mentioned { user, seq: Seq(seq) };
    let named = |name: &str| Row::Described { kind: None, name: Some(name.to_owned()), topic: None, history: None };
    let rows = [
        vec![read(alice, 2), mentioned(bob, 2), mentioned(carol, 2)],
        vec![read(bob, 3)],
        vec![Row::RoleSet { user: bob, role: Role::Moderator }],
        vec![gone(bob)],
        vec![named("coffee")],
        vec![joined(bob, 7)],
        vec![read(alice, 8), mentioned(bob, 8)],
        vec![gone(carol)],
        vec![read(bob, 10)],
        vec![Row::RoleSet { user: alice, role: Role::Owner }],
        vec![read(alice, 12), mentioned(bob, 12)],
    ];
    let first = founded(room, Kind::Channel, "tea", &[alice, bob, carol]);
    let rest = (1..).zip(rows).map(|(after, rows)| events(room, after, after + 1, rows));
    [first].into_iter().chain(rest).collect()
}

async fn project(views: &impl Views, projection: Projection) {
    assert_eq!(views.project(vec![projection]).await.unwrap(), [Projected::Now]);
}

async fn names(views: &impl Views, room: ConversationId, after: Option<UserId>, limit: usize) -> Vec<UserId> {
    views.members(room, after, limit).await.unwrap().into_iter().map(|member| member.0).collect()
}

fn place(row: &InboxRow) -> (Timestamp, ConversationId) {
    (row.description.head.at, row.description.conversation)
}
