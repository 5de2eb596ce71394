//! A client comes back.

use std::collections::BTreeMap;

use klatch_protocol::objects::ConversationKind;
use klatch_testkit::{TestNode, text};

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
