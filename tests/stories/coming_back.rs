//! A client comes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use klatch_ports::Error;
use klatch_ports::live::memory::Memory;
use klatch_ports::live::{Listener, Live, Said, Topic, Topics};
use klatch_protocol::gateway::{ClientFrame, ReadMove, ServerFrame};
use klatch_protocol::objects::{ConversationKind, ReadCursor};
use klatch_protocol::rest::CursorMove;
use klatch_testkit::{NodeOptions, TestNode, text};
use tokio::sync::Semaphore;

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
    let live = Arc::new(SlowLive { inner: Memory::default(), asked: none(), may_listen: none() });
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

/// A live bus that takes its time before it lets somebody listen to a conversation.
struct SlowLive {
    inner: Memory,
    /// One for each who asks.
    asked: Arc<Semaphore>,
    /// One for each who may go on.
    may_listen: Arc<Semaphore>,
}

struct SlowTopics {
    inner: Arc<dyn Topics>,
    asked: Arc<Semaphore>,
    may_listen: Arc<Semaphore>,
}

#[async_trait]
impl Live for SlowLive {
    async fn publish(&self, messages: Vec<Said>) -> Result<(), Error> {
        self.inner.publish(messages).await
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
