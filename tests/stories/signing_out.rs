//! Who is signed out is out everywhere, and so is what somebody said who closed their account.

use std::time::{Duration, Instant};

use klatch_protocol::gateway::CloseCode;
use klatch_protocol::objects::{Conversation, ConversationKind, EventBody, Slug};
use klatch_protocol::rest::{Closure, Page};
use klatch_testkit::{PASSWORD, TestNode, eventually};
use reqwest::Method;

/// Within which a session that was ended is over on every node.
const PROMISED: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_is_over_on_every_node() {
    let node = TestNode::start().await;
    let (ada, ben) = (node.user("ada").await, node.user("ben").await);
    // Where there are several nodes, the two came to different ones.
    let there = ada.at(ben.rest.base()).await;
    let mut device = there.device().await;
    let asked: Page<Conversation> = there.rest.get("/conversations").await.expect("she is signed in");
    assert!(asked.items.is_empty());

    ada.rest.write::<(), ()>(Method::DELETE, "/sessions/current", None).await.expect("signed out");
    let begun = Instant::now();
    assert_eq!(device.closed().await.code, CloseCode::SignedOut.number());
    let closed = begun.elapsed();
    eventually("the token is refused", async || {
        let answer = there.rest.get::<Page<Conversation>>("/conversations").await;
        answer.err().filter(|error| error.slug() == Some(Slug::SignedOut))
    })
    .await;
    let refused = begun.elapsed();
    println!("closed after {closed:?}, refused after {refused:?} (promised within {PROMISED:?})");
    assert!(refused.max(closed) < 3 * PROMISED);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_said_is_shown_nowhere_when_their_account_is_closed() {
    let node = TestNode::start().await;
    let (ada, ben) = (node.user("ada").await, node.user("ben").await);
    let tea = ben.begin(ConversationKind::Group, "tea", &[ada.id()]).await.id;
    let said = ada.say(tea, "for now").await;
    // Nobody is connected; where there are several nodes, both have her key.
    let readers = [ben.at(ada.rest.base()).await, ben];
    let body = async |at: usize| {
        let page = readers[at].rest.history(tea, "").await.expect("a page");
        let event = page.events.into_iter().find(|event| event.seq == said).expect("its place stays");
        let EventBody::Sent { body, .. } = event.kind else { panic!("{event:?}") };
        body
    };
    for at in 0..readers.len() {
        assert!(body(at).await.is_some());
    }
    let closure = Closure { password: PASSWORD.to_owned() };
    ada.rest.write::<_, ()>(Method::POST, "/me/closure", Some(&closure)).await.expect("closed");
    assert_eq!(body(0).await, None, "where it was closed, at once");
    eventually("it is gone there, too", async || body(1).await.is_none().then_some(())).await;
    node.stop().await;
}
