//! Somebody leaves or is removed, and hears nothing later.

use std::sync::atomic::{AtomicU64, Ordering};

use klatch_core::conversation::EventKind;
use klatch_ports::live::{Said, Topic};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::log::{SaidEvent, Signal, decode_event};
use klatch_protocol::objects::{CommandBody, ConversationKind, EventBody, Slug};
use klatch_server::gateway;
use klatch_testkit::{DeafLive, NodeOptions, TestNode, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_hears_of_it_and_of_nothing_later() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let mut his = bob.device().await;
    let removed = ada.command(tea, CommandBody::Remove { user: bob.id() }).await.expect("committed").seq;
    ada.say(tea, "he is gone").await;
    his.until(tea, removed).await;
    his.send(&ClientFrame::Ping).await;
    his.next_where(|frame| matches!(frame, ServerFrame::Pong)).await;
    assert_eq!(his.last(tea), removed);
    let read = bob.rest.history(tea, "").await.expect_err("refused");
    assert_eq!(read.slug(), Some(Slug::NotFound));
    assert!(bob.rest.conversations(None).await.expect("a list").items.is_empty());
}

/// A bus that drops every tenth event, and the one that removes somebody.
fn drops_every_tenth_and_removals() -> klatch_testkit::Loses {
    let heard = AtomicU64::new(0);
    Box::new(move |said: &Said| {
        let Topic::Conversation(_) = said.topic else { return false };
        let Ok(Some(Signal::Events(events))) = Signal::decode(said.payload.clone()) else { return false };
        let tenth = heard.fetch_add(1, Ordering::Relaxed) % 10 == 9;
        let kind = |event: SaidEvent| decode_event(event.seq, event.head, event.body).expect("an event").kind;
        tenth || events.into_iter().map(kind).any(|kind| matches!(kind, EventKind::Removed { .. }))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_loses_things_reveals_nothing_and_hides_nothing() {
    let mut options = NodeOptions::default();
    options.overrides.live = Some(DeafLive::new(drops_every_tenth_and_removals()));
    options.overrides.gateway =
        gateway::Options { repair_every: std::time::Duration::from_millis(100), ..gateway::Options::default() };
    let node = TestNode::with(options).await;
    let (ada, bob, eve) = (node.user("ada").await, node.user("bob").await, node.user("eve").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id(), eve.id()]).await.id;
    let (mut hers, mut his, mut eves) = (ada.device().await, bob.device().await, eve.device().await);
    for device in [&mut hers, &mut his, &mut eves] {
        device.send(&ClientFrame::Open { conversations: vec![tea] }).await;
    }
    for n in 0..45 {
        ada.say(tea, &format!("before {n}")).await;
    }
    let removed = ada.command(tea, CommandBody::Remove { user: eve.id() }).await.expect("committed").seq;
    // Signals must not overtake the removal that was lost.
    his.send(&ClientFrame::Typing { conversation: tea, on: true }).await;
    for n in 0..45 {
        let id = hers.command(tea, text(&format!("after {n}"))).await;
        hers.committed(id).await;
    }
    let last = ada.say(tea, "the end").await;
    his.until(tea, last).await;
    assert_eq!(his.texts(tea).len(), 91, "everybody else misses nothing");
    eves.until(tea, removed).await;
    eves.send(&ClientFrame::Ping).await;
    eves.next_where(|frame| matches!(frame, ServerFrame::Pong)).await;
    assert_eq!(eves.last(tea), removed, "nothing later left her socket");
    assert!(eves.texts(tea).iter().all(|text| text.starts_with("before")));
}

#[tokio::test(flavor = "multi_thread")]
async fn history_may_begin_where_one_joined() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Channel, "tea", &[]).await.id;
    let change = CommandBody::Change {
        name: None,
        topic: None,
        history: Some(klatch_protocol::objects::HistoryMode::SinceJoined),
    };
    ada.command(tea, change).await.expect("committed");
    ada.say(tea, "before").await;
    let joined = bob.command(tea, CommandBody::Join).await.expect("committed").seq;
    let page = bob.rest.history(tea, "").await.expect("a page");
    assert_eq!((page.first, page.events[0].seq), (joined, joined));
    assert!(matches!(page.events[0].kind, EventBody::Joined { .. }));
}
