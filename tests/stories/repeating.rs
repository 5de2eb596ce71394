//! A command is sent again, and takes effect once.

use klatch_client::new_id;
use klatch_ports::live::Topic;
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{ConversationKind, NewCommand, Slug};
use klatch_testkit::{DeafLive, NodeOptions, TestNode, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_gets_the_first_answer_on_either_way() {
    let node = TestNode::start().await;
    let ada = node.user("ada").await;
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let new = NewCommand { id: new_id(), command: text("once"), seen: None, after: None, claimed_at: None };
    let first = ada.submit(tea, &new).await.expect("committed");
    let mut hers = ada.device().await;
    for seen in [None, Some(0), Some(1), Some(1_000_000)] {
        let again = NewCommand { seen, ..new.clone() };
        hers.send(&ClientFrame::Command { conversation: tea, new: again.clone() }).await;
        let answer = hers.answer(new.id).await;
        let expected = ServerFrame::Committed { id: new.id, conversation: tea, seq: first.seq, repeated: true };
        assert_eq!(answer, expected);
        assert!(ada.submit(tea, &again).await.expect("committed").repeated);
    }
    let other = NewCommand { command: text("twice"), ..new };
    assert_eq!(ada.submit(tea, &other).await.expect_err("refused").slug(), Some(Slug::CommandReused));
    let page = ada.rest.history(tea, "").await.expect("a page");
    assert_eq!(page.events.len(), 2, "the conversation began, and one message was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_on_its_way_is_found_in_the_log() {
    let mut options = NodeOptions::default();
    // As while Redis is away: nobody hears what became of anything.
    options.overrides.live = Some(DeafLive::new(Box::new(|said| matches!(said.topic, Topic::Node(_)))));
    let node = TestNode::with(options).await;
    let ada = node.user("ada").await;
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let mut hers = ada.device().await;
    let first = hers.command(tea, text("one")).await;
    assert_eq!(hers.committed(first).await, 2);
    assert_eq!(ada.say(tea, "two").await, 3);
    let other = NewCommand { id: first, command: text("another"), seen: None, after: None, claimed_at: None };
    hers.send(&ClientFrame::Command { conversation: tea, new: other }).await;
    let answer = hers.answer(first).await;
    assert!(matches!(answer, ServerFrame::Rejected { .. }), "what is in the log is not that: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_keeps_its_order() {
    let node = TestNode::boundless().await;
    let ada = node.user("ada").await;
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let mut hers = ada.device().await;
    let missing = new_id();
    let new = NewCommand { id: new_id(), command: text("x"), seen: None, after: Some(missing), claimed_at: None };
    hers.send(&ClientFrame::Command { conversation: tea, new: new.clone() }).await;
    let answer = hers.answer(new.id).await;
    assert!(matches!(answer, ServerFrame::Rejected { problem, .. } if problem.slug() == Some(Slug::OutOfOrder)));

    let mut after = None;
    let mut ids = Vec::new();
    for n in 0..300 {
        let id = new_id();
        let new = NewCommand { id, command: text(&n.to_string()), seen: Some(1), after, claimed_at: None };
        hers.send(&ClientFrame::Command { conversation: tea, new }).await;
        after = Some(id);
        ids.push(id);
    }
    let mut seqs = Vec::new();
    for id in ids {
        seqs.push(hers.committed(id).await);
    }
    assert!(seqs.is_sorted());
    hers.until(tea, seqs[299]).await;
    assert_eq!(hers.texts(tea), (0..300).map(|n| n.to_string()).collect::<Vec<_>>());
}
