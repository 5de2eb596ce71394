//! The contract of [`Live`]: one function per promise, run against every engine. The factory makes an engine; all that it makes
//! in one test are ends of the same bus.

#![expect(clippy::unwrap_used, reason = "a contract is a test")]

use std::sync::Arc;

use bytes::Bytes;

use super::{Listener, Live, Said, Topic};
use crate::contract::{fresh, soon};

/// Tests that an engine of [`Live`] keeps every promise. Takes a factory, `async || -> Arc<impl Live>`.
#[macro_export]
macro_rules! live_contract {
    ($factory:expr) => {
        $crate::contract_tests! { live, $factory;
            v1_everybody_who_added_the_topic_hears_it_once,
            v2_one_publisher_is_heard_in_order,
            v3_who_does_not_keep_up_loses_and_holds_nobody_up,
            v4_a_removed_topic_is_no_longer_heard,
        }
    };
}

/// V1: every listener that added the topic hears what is published on it, once; others do not.
pub async fn v1_everybody_who_added_the_topic_hears_it_once<L: Live>(make: impl AsyncFn() -> Arc<L>) {
    let live = make().await;
    let (heard, other) = (topic(), topic());
    let (topics_a, mut a) = live.listen().await.unwrap();
    let (topics_b, mut b) = live.listen().await.unwrap();
    topics_a.add(heard).await.unwrap();
    topics_a.add(heard).await.unwrap();
    topics_b.add(heard).await.unwrap();
    topics_b.add(other).await.unwrap();
    live.publish(vec![said(heard, 1), said(other, 2), said(heard, 3)]).await.unwrap();
    let mut in_b = hear(&mut *b, 3).await;
    in_b.sort_by_key(|said| said.payload.clone());
    assert_eq!(hear(&mut *a, 2).await, [said(heard, 1), said(heard, 3)]);
    assert_eq!(in_b, [said(heard, 1), said(other, 2), said(heard, 3)]);

    live.publish(vec![said(heard, 4)]).await.unwrap();
    assert_eq!(hear(&mut *a, 1).await, [said(heard, 4)], "nothing comes twice");
}

/// V2: what one publisher says on one topic is heard in that order.
pub async fn v2_one_publisher_is_heard_in_order<L: Live>(make: impl AsyncFn() -> Arc<L>) {
    let live = make().await;
    let topic = topic();
    let (topics, mut listener) = live.listen().await.unwrap();
    topics.add(topic).await.unwrap();
    let speaking = async {
        for first in (0..1_000).step_by(10) {
            live.publish((first..first + 10).map(|n| said(topic, n)).collect()).await.unwrap();
        }
    };
    let ((), heard) = tokio::join!(speaking, hear(&mut *listener, 1_000));
    assert_eq!(heard, (0..1_000).map(|n| said(topic, n)).collect::<Vec<_>>());
}

/// V3: a listener that does not keep up loses some; it is not lost itself, and publishers and other listeners notice nothing.
pub async fn v3_who_does_not_keep_up_loses_and_holds_nobody_up<L: Live>(make: impl AsyncFn() -> Arc<L>) {
    const SAID: u64 = 100_000;
    let live = make().await;
    let (flooded, quiet) = (topic(), topic());
    let (slow_topics, mut slow) = live.listen().await.unwrap();
    let (quick_topics, mut quick) = live.listen().await.unwrap();
    slow_topics.add(flooded).await.unwrap();
    slow_topics.add(quiet).await.unwrap();
    quick_topics.add(quiet).await.unwrap();
    let payload = Bytes::from(vec![7; 1_024]);
    for _ in 0..SAID / 1_000 {
        soon(live.publish(vec![Said { topic: flooded, payload: payload.clone() }; 1_000])).await.unwrap();
        tokio::task::yield_now().await;
    }
    live.publish(vec![said(quiet, 0)]).await.unwrap();
    assert_eq!(hear(&mut *quick, 1).await, [said(quiet, 0)]);

    let mut heard = 0;
    loop {
        live.publish(vec![said(quiet, 1)]).await.unwrap();
        let batch = soon(slow.next()).await.unwrap();
        heard += batch.iter().filter(|said| said.topic == flooded).count() as u64;
        if batch.contains(&said(quiet, 1)) {
            break;
        }
    }
    assert!(heard < SAID, "its queue has a limit");
}

/// V4: after `remove` returned, nothing new of that topic is heard; other topics are.
pub async fn v4_a_removed_topic_is_no_longer_heard<L: Live>(make: impl AsyncFn() -> Arc<L>) {
    let live = make().await;
    let (removed, kept) = (topic(), topic());
    let (topics, mut listener) = live.listen().await.unwrap();
    topics.add(removed).await.unwrap();
    topics.add(kept).await.unwrap();
    topics.remove(removed).await.unwrap();
    live.publish(vec![said(removed, 1), said(kept, 2)]).await.unwrap();
    assert_eq!(hear(&mut *listener, 1).await, [said(kept, 2)]);
    live.publish(vec![said(kept, 3)]).await.unwrap();
    assert_eq!(hear(&mut *listener, 1).await, [said(kept, 3)]);

    topics.add(removed).await.unwrap();
    live.publish(vec![said(removed, 4)]).await.unwrap();
    assert_eq!(hear(&mut *listener, 1).await, [said(removed, 4)], "it can be added again");
}

fn topic() -> Topic {
    Topic::Node(fresh())
}

fn said(topic: Topic, n: u64) -> Said {
    Said { topic, payload: Bytes::copy_from_slice(&n.to_be_bytes()) }
}

/// At least `count` messages, as many as came with them.
async fn hear(listener: &mut dyn Listener, count: usize) -> Vec<Said> {
    let mut heard = Vec::new();
    while heard.len() < count {
        heard.extend(soon(listener.next()).await.expect("the engine runs"));
    }
    heard
}
