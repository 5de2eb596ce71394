//! A conversation with very many listeners.

use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, ConversationKind};
use klatch_server::gateway;
use klatch_testkit::{NodeOptions, TestNode};

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_look_hears_where_it_stands_and_what_means_them() {
    let mut options = NodeOptions::default();
    options.overrides.gateway = gateway::Options {
        large_from: 2,
        repair_every: std::time::Duration::from_millis(50),
        ..gateway::Options::default()
    };
    options.is_together = true;
    let node = TestNode::with(options).await;
    let (ada, bob, eve) = (node.user("ada").await, node.user("bob").await, node.user("eve").await);
    let hall = ada.begin(ConversationKind::Group, "hall", &[bob.id(), eve.id()]).await.id;
    let (_hers, mut looks, mut dozes) = (ada.device().await, bob.device().await, eve.device().await);
    looks.send(&ClientFrame::Open { conversations: vec![hall] }).await;
    looks.send(&ClientFrame::Ping).await;
    looks.next_where(|frame| matches!(frame, ServerFrame::Pong)).await;

    let seq = ada.say(hall, "to whom it may concern").await;
    looks.until(hall, seq).await;
    let head = dozes.next_where(|frame| matches!(frame, ServerFrame::Head { .. })).await;
    let ServerFrame::Head { heads } = head else { unreachable!("asked for") };
    assert_eq!((heads[0].conversation, heads[0].seq, heads[0].worthy), (hall, seq, 1));
    assert_eq!(dozes.last(hall), 0, "events are for those who look");

    let body = Body::Text { text: "eve!".to_owned(), emote: false };
    let mention = CommandBody::Send { body, mentions: vec![eve.id()], replies: Vec::new(), thread: None };
    let seq = ada.command(hall, mention).await.expect("committed").seq;
    dozes.until(hall, seq).await;
    let removed = ada.command(hall, CommandBody::Remove { user: eve.id() }).await.expect("committed").seq;
    dozes.until(hall, removed).await;
}
