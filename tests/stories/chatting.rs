//! People chat.

use klatch_protocol::gateway::{ClientFrame, DeviceState, ReadMove, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, ConversationKind, EventBody, Slug};
use klatch_testkit::{TestNode, eventually, text};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_says_the_other_hears_at_once() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let (mut hers, mut his) = (ada.device().await, bob.device().await);

    let hello = hers.command(tea, text("hello")).await;
    let seq = hers.committed(hello).await;
    his.until(tea, seq).await;
    assert_eq!(his.texts(tea), ["hello"]);
    hers.until(tea, seq).await;
    assert_eq!(hers.texts(tea), ["hello"], "one's own event comes back, too");

    let answer = CommandBody::Send {
        body: Body::Text { text: "waves".to_owned(), emote: true },
        mentions: vec![ada.id()],
        replies: vec![hello],
        thread: None,
    };
    let answer = his.command(tea, answer).await;
    let seq = his.committed(answer).await;
    hers.until(tea, seq).await;
    let EventBody::Sent { replies, mentions, .. } = &hers.events[&tea].last().expect("it came").kind else {
        panic!("a message")
    };
    assert_eq!((replies[0].id, mentions[0]), (hello, ada.id()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_edited_reacted_to_pinned_and_deleted() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let sent = ada.command(tea, text("early words")).await.expect("committed");
    let target = sent.id;
    let body = Body::Text { text: "later words".to_owned(), emote: false };
    let edit = CommandBody::Edit { target, body: body.clone(), mentions: Vec::new() };
    ada.command(tea, edit).await.expect("committed");
    bob.command(tea, CommandBody::React { target, emoji: "👍".to_owned() }).await.expect("committed");
    ada.command(tea, CommandBody::Pin { target }).await.expect("committed");

    let page = bob.rest.history(tea, "").await.expect("a page");
    let overlay = &page.overlay[&sent.seq];
    assert_eq!(overlay.edited.as_ref().and_then(|edit| edit.body.clone()), Some(body));
    assert_eq!((overlay.reactions[0].count, overlay.reactions[0].me), (1, true));
    assert_eq!(overlay.pinned.map(|pin| pin.by), Some(ada.id()));
    eventually("the list shows the message as it reads now", async || {
        let preview = bob.rest.conversations(None).await.expect("a list").items.remove(0).last?.kind;
        let EventBody::Sent { body: Some(Body::Text { text, .. }), .. } = preview else { return None };
        (text == "later words").then_some(())
    })
    .await;

    ada.command(tea, CommandBody::Delete { target }).await.expect("committed");
    let page = bob.rest.history(tea, "").await.expect("a page");
    assert!(page.overlay[&sent.seq].deleted.is_some() && page.overlay[&sent.seq].edited.is_none());
    let json = serde_json::to_string(&page).expect("JSON");
    assert!(!json.contains("words"), "what is deleted is shown nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_there_is_one_direct_conversation() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let hers = ada.begin(ConversationKind::Direct, "", &[bob.id()]).await;
    let his = bob.begin(ConversationKind::Direct, "", &[ada.id()]).await;
    assert_eq!(hers.id, his.id);
    assert_eq!((hers.with, his.with), (Some(bob.id()), Some(ada.id())));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_told_that_there_is_nothing() {
    let node = TestNode::start().await;
    let (ada, eve) = (node.user("ada").await, node.user("eve").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    ada.say(tea, "secret").await;
    let mut hers = eve.device().await;
    let refused = hers.command(tea, text("let me in")).await;
    let ServerFrame::Rejected { problem, .. } = hers.answer(refused).await else { panic!("not rejected") };
    assert_eq!(problem.slug(), Some(Slug::NotFound));
    for path in ["", "/events", "/members", "/pins"] {
        let read = eve.rest.get::<serde_json::Value>(&format!("/conversations/{tea}{path}")).await;
        assert_eq!(read.expect_err("refused").slug(), Some(Slug::NotFound), "{path}");
    }
    hers.send(&ClientFrame::Typing { conversation: tea, on: true }).await;
    let error = hers.next_where(|frame| matches!(frame, ServerFrame::Error { .. })).await;
    let ServerFrame::Error { problem, of } = error else { unreachable!("asked for") };
    assert_eq!((problem.slug(), of.as_deref()), (Some(Slug::NotFound), Some("typing")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_hears_from_then_on() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    ada.say(tea, "before").await;
    let mut his = bob.device().await;
    ada.command(tea, CommandBody::Add { user: bob.id() }).await.expect("committed");
    let told = his.next_where(|frame| matches!(frame, ServerFrame::Conversation { .. })).await;
    let ServerFrame::Conversation { item } = told else { unreachable!("asked for") };
    assert_eq!((item.id, item.members), (tea, 2));
    assert_eq!(item.head.worthy - item.read.worthy, 0, "what was said before one came is not unread");
    let seq = ada.say(tea, "after").await;
    his.until(tea, seq).await;
    assert_eq!(his.texts(tea), ["after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_cursors_and_presence_reach_the_other() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Direct, "", &[bob.id()]).await.id;
    let seq = ada.say(tea, "hello").await;
    let mut hers = ada.device().await;
    hers.send(&ClientFrame::Watch { users: vec![bob.id()] }).await;
    hers.next_where(|frame| matches!(frame, ServerFrame::Presence { .. })).await;

    let mut his = bob.device().await;
    // That he came was a signal; where it was lost, another must follow, and only what changes is told.
    let present = |time: u64| ClientFrame::Presence {
        state: if time.is_multiple_of(2) { DeviceState::Online } else { DeviceState::Away },
    };
    let is_his = |frame: &ServerFrame| matches!(frame, ServerFrame::Presence { users } if users[0].user == bob.id());
    hers.signalled(&mut his, present, is_his).await;
    let typing = |_: u64| ClientFrame::Typing { conversation: tea, on: true };
    let is_his = |frame: &ServerFrame| matches!(frame, ServerFrame::Typing { user, on: true, .. } if *user == bob.id());
    hers.signalled(&mut his, typing, is_his).await;
    let reading = |time: u64| {
        let read = ReadMove { seq, version: 10 + time };
        ClientFrame::Cursor { conversation: tea, read: Some(read), delivered: Some(seq) }
    };
    let is_his = |frame: &ServerFrame| matches!(frame, ServerFrame::Cursor { user, .. } if *user == bob.id());
    let moved = hers.signalled(&mut his, reading, is_his).await;
    let ServerFrame::Cursor { read: Some(read), .. } = moved else { panic!("a cursor that says read") };
    assert_eq!((read.seq, read.worthy), (seq, 1));
    eventually("nothing is unread", async || {
        let item = bob.rest.conversations(None).await.expect("a list").items.remove(0);
        (item.head.worthy == 1 && item.read.worthy == 1).then_some(())
    })
    .await;
}
