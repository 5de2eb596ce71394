//! Who is signed out is out everywhere, and so is what somebody said who closed their account.

use std::time::{Duration, Instant};

use klatch_protocol::gateway::CloseCode;
use klatch_protocol::objects::{Conversation, ConversationKind, EventBody, Slug};
use klatch_protocol::rest::{Closure, Page};
use klatch_testkit::{PASSWORD, TestNode, eventually_within};
use reqwest::Method;

/// Within which the access tokens of a session that was ended are refused on every node.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);
/// Within which its connections are closed, also where the word of it is lost on its way.
const CLOSED_WITHIN: Duration = Duration::from_secs(25);
/// Within which a key that was destroyed is forgotten by a node that has it in memory.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(20);

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
    let closed = async {
        assert_eq!(device.closed().await.code, CloseCode::SignedOut.number());
        begun.elapsed()
    };
    let refused = async {
        eventually_within(3 * REFUSED_WITHIN, "the token is refused", async || {
            let answer = there.rest.get::<Page<Conversation>>("/conversations").await;
            answer.err().filter(|error| error.slug() == Some(Slug::SignedOut))
        })
        .await;
        begun.elapsed()
    };
    let (closed, refused) = tokio::join!(closed, refused);
    println!(
        "refused after {refused:?} (promised within {REFUSED_WITHIN:?}), closed after {closed:?} ({CLOSED_WITHIN:?})"
    );
    assert!(closed < 3 * CLOSED_WITHIN, "{closed:?}");
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
    eventually_within(3 * FORGOTTEN_WITHIN, "it is gone there, too", async || body(1).await.is_none().then_some(()))
        .await;
    node.stop().await;
}
