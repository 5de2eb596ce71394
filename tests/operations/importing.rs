//! An IRC log is imported: once, in order, with every line accounted for.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use klatch_client::Rest;
use klatch_node::commands::import::target;
use klatch_node::import::irc;
use klatch_node::import::report::{Kinds, Links, Report};
use klatch_node::import::upload::{self, Target};
use klatch_protocol::objects::{AccountState, Body, ConversationKind, Event, EventBody, Origin, User};
use klatch_protocol::rest::{ImportBatch, ImportItem, Page};
use klatch_testkit::TestNode;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

async fn import(rest: &Rest, channel: &str, file: &Path) -> Report {
    let conversation = target(rest, channel).await.expect("a channel");
    let target = Target { rest, conversation, channel: channel.to_owned() };
    upload::run(&target, file, &CancellationToken::new(), |_| ()).await.expect("an import")
}

async fn everything(rest: &Rest, conversation: Uuid) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let last = events.last().map_or(0, |event| event.seq);
        let page = rest.history(conversation, &format!("after={last}&limit=200")).await.expect("a page");
        if page.events.is_empty() {
            return events;
        }
        events.extend(page.events);
    }
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("operations/irc.jsonl")
}

fn replies(events: &[Event], line: u64) -> Vec<Uuid> {
    let id = irc::id("2004-01-01.a", line);
    let event = events.iter().find(|event| event.id == id).expect("it was imported");
    let EventBody::Sent { replies, .. } = &event.kind else { panic!("no message: {event:?}") };
    for reply in replies {
        assert!(events.iter().any(|event| event.id == reply.id && event.seq == reply.seq), "a link leads somewhere");
    }
    replies.iter().map(|reply| reply.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_log_is_accounted_for() {
    let node = TestNode::start().await;
    let report = import(node.owner(), "tea", &sample()).await;
    let kinds = Kinds { messages: 7, joined: 2, left: 1, system: 1, unknown: 1 };
    let links = Links { all: 9, kept: 4, moved: 3, merged: 1, not_kept: 1 };
    let not_kept = [("the line was not understood".to_owned(), 1)].into();
    let expected = Report { lines: 12, kinds, imported: 11, repeated: 0, not_kept, links };
    assert_eq!(report, expected);
    assert!(report.adds_up());

    let tea = target(node.owner(), "tea").await.expect("it is there");
    let events = everything(node.owner(), tea).await;
    assert_eq!(events.len(), 12, "the channel began, and eleven lines came");
    let line = |line| irc::id("2004-01-01.a", line);
    assert_eq!(replies(&events, 5), [line(1), line(2)], "a message may answer several");
    assert_eq!(replies(&events, 6), [line(2)], "who joined is answered by the message before");
    assert_eq!(replies(&events, 7), [line(2), line(6)], "what is missing too, and nothing twice");
    assert_eq!(replies(&events, 3), [line(2)], "a notice may answer");

    let (first, third) = (&events[1], &events[3]);
    assert_eq!(first.claimed_at, Some(1_072_915_200_000), "midnight, as no time is known yet");
    assert!(events[2].claimed_at > third.claimed_at && events[2].seq < third.seq, "the order is the file's");
    let notice = Body::Notice { text: "[bob] is now known as bob".to_owned() };
    assert!(matches!(&events[5].kind, EventBody::Sent { body: Some(body), .. } if *body == notice));
    assert_eq!(events[11].worthy, 7, "notices count as unread for nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_joined_a_log_has_no_rights_here() {
    let node = TestNode::start().await;
    import(node.owner(), "tea", &sample()).await;
    let tea = target(node.owner(), "tea").await.expect("it is there");
    let seen: klatch_protocol::objects::Conversation =
        node.owner().get(&format!("/conversations/{tea}")).await.expect("a channel");
    assert_eq!((seen.kind, seen.members), (ConversationKind::Channel, 1));
    assert_eq!(seen.read.worthy, 7, "who imports a log need not read it");
    let people: Page<User> = node.owner().get("/users?query=bob").await.expect("people");
    assert_eq!(people.items.len(), 2, "[bob] and bob are two");
    assert!(people.items.iter().all(|user| user.state == AccountState::Imported && user.origin.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_imports_nothing() {
    let node = TestNode::start().await;
    let first = import(node.owner(), "tea", &sample()).await;
    let again = import(node.owner(), "tea", &sample()).await;
    assert_eq!(again, Report { imported: 0, repeated: first.imported, ..first });
    let tea = target(node.owner(), "tea").await.expect("it is there");
    assert_eq!(everything(node.owner(), tea).await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_stopped_goes_on_where_it_was() {
    let node = TestNode::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("long.jsonl");
    let mut lines = String::new();
    for line in 0..1_700 {
        let (nick, minute) = (line % 97, line % 60);
        let replies = if line > 2 { format!("[{}, {}]", line - 1, line / 2) } else { "[]".to_owned() };
        let said = format!(r#""time": "10:{minute:02}", "nick": "n{nick}", "text": "{line}", "replies_to": {replies}"#);
        writeln!(lines, r#"{{"file": "x", "line": {line}, "date": "2010-05-05", {said}}}"#).expect("text");
    }
    std::fs::write(&file, lines).expect("a file");

    let conversation = target(node.owner(), "tea").await.expect("a channel");
    let (stop, rest) = (CancellationToken::new(), node.owner());
    let to = Target { rest, conversation, channel: "tea".to_owned() };
    let stopped = upload::run(&to, &file, &stop, |_| stop.cancel()).await.expect("half an import");
    assert_eq!((stopped.lines, stopped.imported), (500, 500));
    assert!(stopped.adds_up());

    let node = node.restart().await;
    let rest = import(node.owner(), "tea", &file).await;
    assert_eq!((rest.lines, rest.repeated, rest.imported), (1_700, 500, 1_200));
    let events = everything(node.owner(), conversation).await;
    let ids: Vec<_> = events[1..].iter().map(|event| event.id).collect();
    let expected: Vec<_> = (0..1_700).map(|line| irc::id("x", line)).collect();
    assert_eq!(ids, expected, "everything is there once, in the order of the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_owners_of_a_channel_import_into_it() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Channel, "tea", &[]).await.id;
    let refused = target(&bob.rest, "tea").await.expect_err("a stranger").to_string();
    assert!(refused.contains("you are not in #tea"), "{refused}");
    bob.command(tea, klatch_protocol::objects::CommandBody::Join).await.expect("joined");
    let refused = target(&bob.rest, "tea").await.expect_err("a member").to_string();
    assert!(refused.contains("you do not own #tea"), "{refused}");
    let to = Target { rest: &bob.rest, conversation: tea, channel: "tea".to_owned() };
    let refused = upload::run(&to, &sample(), &CancellationToken::new(), |_| ()).await.expect_err("by the server too");
    assert!(format!("{refused:#}").contains("Only owners"), "{refused:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_behind_more_commands_than_are_remembered_is_still_one() {
    let node = TestNode::start().await;
    let tea = target(node.owner(), "tea").await.expect("a channel");
    let item = |line| ImportItem {
        id: irc::id("x", line),
        author: Origin { network: "irc".to_owned(), name: "ada".to_owned() },
        at: 0,
        body: Body::Text { text: line.to_string(), emote: false },
        replies: Vec::new(),
    };
    let first = ImportBatch { items: (0..10).map(item).collect() };
    node.owner().import(tea, &first).await.expect("imported");
    let second = ImportBatch { items: (10..490).chain(0..10).map(item).collect() };
    let answer = node.owner().import(tea, &second).await.expect("imported");
    assert!(answer.outcomes[480..].iter().all(|outcome| outcome.repeated), "{:?}", &answer.outcomes[480..]);
    assert_eq!(everything(node.owner(), tea).await.len(), 491);
}
