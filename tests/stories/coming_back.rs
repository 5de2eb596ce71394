//! A client comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use klatch_ports::Error;
use klatch_ports::live::memory::Memory;
use klatch_ports::live::{Listener, Live, Said, Topic, Topics};
use klatch_protocol::gateway::{ClientFrame, CloseCode, ReadMove, ServerFrame};
use klatch_protocol::objects::{Body, ConversationKind, EventBody, ReadCursor};
use klatch_protocol::rest::CursorMove;
use klatch_testkit::{DeafLive, NodeOptions, TestNode, text};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// Within which a message that nobody heard is found where somebody is looking.
const LOST_FOUND: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_what_it_missed_and_no_more() {
    let node = TestNode::boundless().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let seen = ada.say(tea, "one").await;
    ada.say(tea, "two").await;
    let last = ada.say(tea, "three").await;
    let mut his = bob.silent_device().await;
    let items = his.sync(BTreeMap::from([(tea, seen)])).await;
    assert_eq!(items[0].head.seq, last);
    assert_eq!(his.texts(tea), ["two", "three"]);
    let seq = ada.say(tea, "four").await;
    his.until(tea, seq).await;
    assert_eq!(his.texts(tea), ["two", "three", "four"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_month_it_begins_afresh() {
    let node = TestNode::boundless().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let mut hers = ada.device().await;
    let mut last = tea;
    for n in 0..600 {
        last = hers.command(tea, text(&n.to_string())).await;
    }
    hers.committed(last).await;
    let mut his = bob.silent_device().await;
    let items = his.sync(BTreeMap::from([(tea, 1)])).await;
    assert_eq!(items[0].afresh, Some(true));
    assert!(items[0].events.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_after_a_restart() {
    let node = TestNode::start().await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    ada.say(tea, "before").await;
    let mut hers = ada.device().await;
    let node = node.restart().await;
    assert_eq!(hers.closed().await.code, 4000, "told to resume");
    let (ada, bob) = (ada.at(&node.base()).await, bob.at(&node.base()).await);
    let mut his = bob.silent_device().await;
    his.sync(BTreeMap::from([(tea, 1)])).await;
    assert_eq!(his.texts(tea), ["before"]);
    let seq = ada.say(tea, "after").await;
    his.until(tea, seq).await;
    assert_eq!(his.texts(tea), ["before", "after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_conversations_come_in_pages() {
    let node = TestNode::boundless().await;
    let ada = node.user("ada").await;
    for n in 0..250 {
        ada.begin(ConversationKind::Group, &format!("group {n}"), &[]).await;
    }
    let mut hers = ada.silent_device().await;
    let items = hers.sync(BTreeMap::new()).await;
    assert_eq!(items.len(), 250);
    assert_eq!(items[0].name, "group 249", "the newest activity first");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_elsewhere_while_a_device_comes_back_it_hears_of() {
    let none = || Arc::new(Semaphore::new(0));
    let any = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
    let live = Arc::new(SlowLive { inner: Arc::default(), asked: none(), may_listen: none(), may_introduce: any });
    let mut options = NodeOptions::default();
    options.overrides.live = Some(live.clone());
    let node = TestNode::with(options).await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let seq = ada.say(tea, "one").await;
    let mut his = bob.silent_device().await;
    his.send(&ClientFrame::Sync { have: BTreeMap::new(), after: None }).await;
    live.asked.acquire().await.expect("it is never closed").forget();
    // The list is made; it does not listen yet.
    let read = CursorMove { read: Some(ReadMove { seq, version: 10 }), delivered: None };
    let path = format!("/conversations/{tea}/cursor");
    bob.rest.write::<_, ReadCursor>(reqwest::Method::PUT, &path, Some(&read)).await.expect("moved");
    live.may_listen.add_permits(1);
    let moved = his.next_where(|frame| matches!(frame, ServerFrame::Cursor { .. })).await;
    let ServerFrame::Cursor { user, read: Some(read), .. } = moved else { panic!("a cursor that says read") };
    assert_eq!((user, read.seq, read.worthy), (bob.id(), seq, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_into_a_conversation_hears_it_though_something_was_away_just_then() {
    let mut options = NodeOptions::default();
    options.overrides.live = Some(DeafLive::refusing(2));
    let node = TestNode::with(options).await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let mut his = bob.device().await;
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    his.next_where(|frame| matches!(frame, ServerFrame::Conversation { .. })).await;
    let seq = ada.say(tea, "one").await;
    his.until(tea, seq).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_hears_soon_what_was_lost_also_where_they_looked_before_they_listened() {
    let mut options = NodeOptions::default();
    options.overrides.live = Some(DeafLive::new(Box::new(|said| matches!(said.topic, Topic::Conversation(_)))));
    let node = TestNode::with(options).await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let mut his = bob.silent_device().await;
    his.send(&ClientFrame::Open { conversations: vec![tea] }).await;
    his.sync(BTreeMap::new()).await;
    let seq = ada.say(tea, "one").await;
    let begun = Instant::now();
    timeout(3 * LOST_FOUND, his.until(tea, seq)).await.expect("it is found");
    println!("found after {:?} (promised within {LOST_FOUND:?})", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_hear_what_follows_a_sync_is_cut_off_and_comes_back() {
    let mut options = NodeOptions::default();
    let live = DeafLive::refusing(usize::MAX);
    options.overrides.live = Some(live.clone());
    let node = TestNode::with(options).await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    let mut his = bob.silent_device().await;
    his.send(&ClientFrame::Sync { have: BTreeMap::new(), after: None }).await;
    assert_eq!(his.closed().await.code, CloseCode::Internal.number());
    live.relent();
    let mut his = bob.silent_device().await;
    his.sync(BTreeMap::new()).await;
    let seq = ada.say(tea, "one").await;
    his.until(tea, seq).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_introduced_in_the_middle_of_a_sync_misses_nothing_between_the_two() {
    let none = || Arc::new(Semaphore::new(0));
    let live = Arc::new(SlowLive { inner: Arc::default(), asked: none(), may_listen: none(), may_introduce: none() });
    let mut options = NodeOptions::default();
    options.overrides.live = Some(live.clone());
    let node = TestNode::with(options).await;
    let (ada, bob) = (node.user("ada").await, node.user("bob").await);
    let tea = ada.begin(ConversationKind::Group, "tea", &[bob.id()]).await.id;
    ada.begin(ConversationKind::Group, "pie", &[bob.id()]).await;
    let mut his = bob.silent_device().await;
    his.send(&ClientFrame::Sync { have: BTreeMap::new(), after: None }).await;
    live.asked.acquire().await.expect("it is never closed").forget();
    // The list is made. It listens to neither yet, when it hears that it is in one of them, where something happened.
    ada.say(tea, "one").await;
    live.may_introduce.add_permits(100);
    // What it is told waits until the answer to its sync is complete, so nothing says when it is in; most often it is by the next answer.
    let seq = ada.say(tea, "two").await;
    live.may_listen.add_permits(2);
    // What was missed may come after what followed, so what came is looked at frame by frame: a device keeps nothing that is older than
    // what it has.
    let mut texts = BTreeMap::new();
    while texts.len() < 2 {
        let frame = his.next_where(|frame| matches!(frame, ServerFrame::Events { .. })).await;
        let ServerFrame::Events { conversation, events } = frame else { unreachable!("asked for") };
        for event in events {
            if let (true, EventBody::Sent { body: Some(Body::Text { text, .. }), .. }) =
                (conversation == tea, event.kind)
            {
                texts.insert(event.seq, text);
            }
        }
    }
    assert_eq!(texts.into_values().collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(his.last(tea), seq);
}

/// A live bus that takes its time before it lets somebody listen to a conversation, or hear that they are in one.
struct SlowLive {
    inner: Arc<Memory>,
    /// One for each who asks.
    asked: Arc<Semaphore>,
    /// One for each who may go on.
    may_listen: Arc<Semaphore>,
    /// One for each message to a person that may go on.
    may_introduce: Arc<Semaphore>,
}

struct SlowTopics {
    inner: Arc<dyn Topics>,
    asked: Arc<Semaphore>,
    may_listen: Arc<Semaphore>,
}

#[async_trait]
impl Live for SlowLive {
    async fn publish(&self, messages: Vec<Said>) -> Result<(), Error> {
        let (personal, others) = messages.into_iter().partition(|said| matches!(said.topic, Topic::User(_)));
        for said in Vec::<Said>::into_iter(personal) {
            let (inner, may_introduce) = (self.inner.clone(), self.may_introduce.clone());
            tokio::spawn(async move {
                may_introduce.acquire().await.expect("it is never closed").forget();
                inner.publish(vec![said]).await
            });
        }
        self.inner.publish(others).await
    }

    async fn listen(&self) -> Result<(Arc<dyn Topics>, Box<dyn Listener>), Error> {
        let (inner, listener) = self.inner.listen().await?;
        let (asked, may_listen) = (self.asked.clone(), self.may_listen.clone());
        Ok((Arc::new(SlowTopics { inner, asked, may_listen }), listener))
    }
}

#[async_trait]
impl Topics for SlowTopics {
    async fn add(&self, topic: Topic) -> Result<(), Error> {
        if matches!(topic, Topic::Conversation(_)) {
            self.asked.add_permits(1);
            self.may_listen.acquire().await.map_err(Error::unavailable)?.forget();
        }
        self.inner.add(topic).await
    }

    async fn remove(&self, topic: Topic) -> Result<(), Error> {
        self.inner.remove(topic).await
    }
}
