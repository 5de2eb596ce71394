use futures_util::FutureExt;
use klatch_backing::{Flow, Kind, Link, Servers};
use klatch_ports::contract::{LENIENCY, fresh, soon, within};
use klatch_ports::{ErrorKind, live_contract};
use redis::{FromRedisValue, Value};
use tokio::time::interval;

use super::*;
use crate::drivers::redis::bench;

/// An engine on this Redis, with channels of its own.
fn live_at(address: &str) -> Arc<RedisLive> {
    Arc::new(RedisLive::new(bench::redis(address)))
}

/// Another process, as it were, with the same channels.
fn another(live: &RedisLive, address: &str) -> Arc<RedisLive> {
    Arc::new(RedisLive::new(bench::with_prefix(address, live.hearing.redis.prefix())))
}

mod on_one_server {
    use super::*;

    live_contract!({
        let live = live_at(&bench::server());
        async move || live.clone()
    });
}

mod on_a_cluster {
    use super::*;

    live_contract!({
        let live = live_at(&bench::cluster());
        async move || live.clone()
    });
}

mod on_valkey {
    use super::*;

    live_contract!({
        let live = live_at(&bench::valkey());
        async move || live.clone()
    });
}

mod on_a_cluster_of_valkey {
    use super::*;

    live_contract!({
        let first = live_at(&bench::valkey_cluster());
        async move || another(&first, &bench::valkey_cluster())
    });
}

mod between_processes {
    use super::*;

    live_contract!({
        // Each end of the bus is a process of its own.
        let first = live_at(&bench::cluster());
        async move || another(&first, &bench::cluster())
    });
}

fn topic() -> Topic {
    Topic::Conversation(ConversationId(fresh()))
}

fn said(topic: Topic, n: u64) -> Said {
    Said { topic, payload: Bytes::copy_from_slice(&n.to_be_bytes()) }
}

/// Says something new, again and again, until it is heard; returns how often it failed to be said.
async fn until_heard(live: &RedisLive, listener: &mut Box<dyn Listener>, topics: &[Topic]) -> usize {
    let mut failures = 0;
    let mut missing: HashSet<Topic> = topics.iter().copied().collect();
    let word = Bytes::from(fresh().to_string());
    let mut ticks = interval(Duration::from_millis(20));
    soon(async {
        while !missing.is_empty() {
            tokio::select! {
                batch = listener.next() => {
                    for said in batch.unwrap().into_iter().filter(|said| said.payload == word) {
                        missing.remove(&said.topic);
                    }
                }
                _ = ticks.tick() => {
                    let messages = missing.iter().map(|topic| Said { topic: *topic, payload: word.clone() });
                    failures += usize::from(live.publish(messages.collect()).await.is_err());
                }
            }
        }
    })
    .await;
    failures
}

/// How many of these topics' channels a node has listeners for.
async fn heard_at(live: &RedisLive, node: &str, topics: &[Topic]) -> usize {
    let pattern = format!("{}:*", live.hearing.redis.prefix());
    let of = if live.hearing.redis.is_cluster() { "SHARDCHANNELS" } else { "CHANNELS" };
    let channels = Vec::<Bytes>::from_redis_value(bench::ask(node, "PUBSUB", &[of, &pattern]).await).unwrap();
    topics.iter().filter(|topic| channels.contains(&live.hearing.channel(**topic))).count()
}

#[tokio::test]
async fn a_process_has_one_connection_to_hear_and_one_to_speak_however_many_topics_there_are() {
    let server = Servers::start(Kind::Redis, 1);
    let live = live_at(&server.address(1));
    let topics: Vec<_> = (0..2_500).map(|_| topic()).collect();
    let (one, one_hears) = live.listen().await.unwrap();
    let (other, mut other_hears) = live.listen().await.unwrap();
    for topic in &topics {
        one.add(*topic).await.unwrap();
    }
    other.add(topics[0]).await.unwrap();
    until_heard(&live, &mut other_hears, &topics[..1]).await;
    assert_eq!(heard_at(&live, &server.address(1), &topics).await, 2_500);
    let clients = bench::ask_text(&server.address(1), "CLIENT", &["LIST"]).await;
    let others = clients.lines().filter(|line| !line.contains("cmd=client"));
    assert_eq!(others.filter(|line| line.contains("sub=") || line.contains("cmd=publish")).count(), 2, "{clients}");

    // Nobody says when an unwanted channel has ended, so it is asked for.
    drop(one_hears);
    soon(async { while heard_at(&live, &server.address(1), &topics).await != 1 {} }).await;
    one.add(topics[1]).await.unwrap();
    assert_eq!(heard_at(&live, &server.address(1), &topics).await, 1, "who is gone adds nothing");
    drop(other_hears);
    soon(async { while heard_at(&live, &server.address(1), &topics).await != 0 {} }).await;
}

#[tokio::test]
async fn a_server_that_is_killed_holds_nobody_up_and_is_heard_again_when_it_is_back() {
    let server = Servers::start(Kind::Redis, 1);
    let live = live_at(&server.address(1));
    let (topics, mut listener) = live.listen().await.unwrap();
    let before: Vec<_> = (0..1_500).map(|_| topic()).collect();
    for topic in &before {
        topics.add(*topic).await.unwrap();
    }
    assert_eq!(until_heard(&live, &mut listener, &before[..3]).await, 0);
    server.kill(1);
    let (meanwhile, gone) = ([topic(), topic()], before[1_499]);
    let publish = || live.publish(vec![said(before[0], 0)]);
    let is_away = || live.hearing.ears.borrow().values().all(|ear| ear.is_away());
    // It may take until the end of a connection has been noticed; each call ends in time all the same.
    let limit = live.hearing.redis.timeout() * LENIENCY;
    soon(async {
        while !is_away() || !matches!(publish().now_or_never(), Some(Err(_))) {
            let failed = timeout(limit, publish()).await.expect("it ends in time");
            assert_eq!(failed.unwrap_err().kind, ErrorKind::Unavailable);
            timeout(limit, topics.add(meanwhile[0])).await.expect("it ends in time").unwrap();
            tokio::task::yield_now().await;
        }
    })
    .await;
    // From then on nobody waits.
    assert_eq!(publish().now_or_never().unwrap().unwrap_err().kind, ErrorKind::Unavailable);
    for topic in meanwhile {
        topics.add(topic).now_or_never().expect("it is known to be away").unwrap();
    }
    topics.remove(gone).await.unwrap();
    server.revive();
    let all: Vec<_> = before[..1_499].iter().chain(&meanwhile).copied().collect();
    within(Duration::from_secs(5), until_heard(&live, &mut listener, &all)).await;
    assert_eq!(heard_at(&live, &server.address(1), &[gone]).await, 0);
}

#[tokio::test]
async fn a_link_that_is_cut_or_silent_is_replaced() {
    let link = Link::to(bench::server()).await;
    let live = Arc::new(RedisLive::new(bench::impatient(link.address())));
    let (topics, mut listener) = live.listen().await.unwrap();
    let topic = topic();
    topics.add(topic).await.unwrap();
    until_heard(&live, &mut listener, &[topic]).await;
    link.tear();
    until_heard(&live, &mut listener, &[topic]).await;

    // Only what comes to us is held: so the server hears us, and nothing ends. Both connections find out by themselves.
    let speaker = another(&live, &bench::server());
    link.set(Flow::Open, Flow::Held);
    let said_nothing = within(live.hearing.redis.timeout(), live.publish(vec![said(topic, 1)])).await;
    assert_eq!(said_nothing.unwrap_err().kind, ErrorKind::Unavailable);
    soon(async {
        while live.hearing.ears.borrow().values().any(|ear| !ear.is_away()) {
            tokio::task::yield_now().await
        }
    })
    .await;
    speaker.publish(vec![said(topic, 2)]).await.unwrap();
    link.set(Flow::Open, Flow::Open);
    until_heard(&speaker, &mut listener, &[topic]).await;
}

#[tokio::test]
async fn who_is_cut_off_because_it_does_not_keep_up_hears_again() {
    let server = Servers::start(Kind::Redis, 1);
    let address = server.address(1);
    bench::ask(&address, "CONFIG", &["SET", "client-output-buffer-limit", "pubsub 1mb 1mb 1"]).await;
    let link = Link::to(address.clone()).await;
    let live = live_at(link.address());
    let speaker = another(&live, &address);
    let (topics, mut listener) = live.listen().await.unwrap();
    let topic = topic();
    topics.add(topic).await.unwrap();
    until_heard(&live, &mut listener, &[topic]).await;
    link.set(Flow::Open, Flow::Held);
    let cut_off = async || {
        let clients = bench::ask_text(&address, "CLIENT", &["LIST", "TYPE", "pubsub"]).await;
        clients.trim().is_empty()
    };
    let flood = Said { topic, payload: vec![0; 64 * 1024].into() };
    soon(async {
        while !cut_off().await {
            speaker.publish(vec![flood.clone(); 32]).await.unwrap();
        }
    })
    .await;
    link.set(Flow::Open, Flow::Open);
    until_heard(&speaker, &mut listener, &[topic]).await;
}

#[tokio::test]
async fn a_slot_that_moves_is_followed_by_those_who_hear_and_those_who_speak() {
    let servers = Servers::start(Kind::Redis, 3);
    let live = live_at(&bench::cluster_of(&servers));
    let speaker = another(&live, &bench::cluster_of(&servers));
    let (topics, mut listener) = live.listen().await.unwrap();
    let (moving, others) = (topic(), (0..300).map(|_| topic()).collect::<Vec<_>>());
    topics.add(moving).await.unwrap();
    for topic in &others {
        topics.add(*topic).await.unwrap();
    }
    until_heard(&speaker, &mut listener, &[moving]).await;
    let channel = String::from_utf8(live.hearing.channel(moving).to_vec()).unwrap();
    let moves = async {
        for _ in 0..3 {
            let (from, to) = bench::move_slot(&servers, &channel).await;
            assert_eq!(until_heard(&speaker, &mut listener, &[moving]).await, 0, "who speaks is told where to go");
            assert_eq!(heard_at(&live, &servers.address(from), &[moving]).await, 0);
            assert_eq!(heard_at(&live, &servers.address(to), &[moving]).await, 1);
        }
    };
    // Meanwhile others come and go, so that slots move while the servers are being asked.
    let coming_and_going = async {
        loop {
            let topic = topic();
            topics.add(topic).await.unwrap();
            topics.remove(topic).await.unwrap();
        }
    };
    tokio::select! {
        () = moves => {}
        () = coming_and_going => {}
    }
    until_heard(&speaker, &mut listener, &others).await;

    // Nobody has told us of this slot, until we ask there.
    let fresh = topic();
    bench::move_slot(&servers, std::str::from_utf8(&live.hearing.channel(fresh)).unwrap()).await;
    topics.add(fresh).await.unwrap();
    speaker.publish(vec![said(fresh, 1)]).await.unwrap();
    soon(async { while !listener.next().await.unwrap().contains(&said(fresh, 1)) {} }).await;

    topics.remove(moving).await.unwrap();
    soon(async {
        for node in servers.addresses() {
            while heard_at(&live, &node, &[moving]).await != 0 {}
        }
    })
    .await;
}

#[tokio::test]
async fn a_node_of_a_cluster_that_dies_takes_only_its_own_topics_along_and_brings_them_back() {
    let servers = Servers::start(Kind::Redis, 3);
    let live = live_at(&bench::cluster_of(&servers));
    let (topics, mut listener) = live.listen().await.unwrap();
    let all: Vec<_> = (0..60).map(|_| topic()).collect();
    for topic in &all {
        topics.add(*topic).await.unwrap();
    }
    until_heard(&live, &mut listener, &all).await;
    let slots = live.hearing.redis.slots().await.unwrap();
    let dead = servers.address(2);
    let (lost, kept): (Vec<_>, Vec<_>) =
        all.iter().partition(|topic| **slots.node_of(&live.hearing.channel(**topic)).unwrap() == *dead);
    assert!(lost.len() > 5 && kept.len() > 5);
    servers.kill(2);
    until_heard(&live, &mut listener, &kept).await;
    assert_eq!(live.publish(vec![said(lost[0], 1)]).await.unwrap_err().kind, ErrorKind::Unavailable);
    servers.revive();
    until_heard(&live, &mut listener, &all).await;
}

#[tokio::test]
async fn the_end_of_the_engine_is_heard() {
    let live = live_at(&bench::server());
    let (topics, mut listener) = live.listen().await.unwrap();
    let topic = topic();
    topics.add(topic).await.unwrap();
    until_heard(&live, &mut listener, &[topic]).await;
    drop(live);
    soon(async { while listener.next().await.is_some() {} }).await;
    topics.add(topic).await.unwrap();
}

#[tokio::test]
async fn strangers_on_our_channels_are_not_understood_and_do_no_harm() {
    let live = live_at(&bench::server());
    let channels = [format!("{}:c:1", live.hearing.redis.prefix()), "x".to_owned(), String::new()];
    assert!(channels.iter().all(|channel| live.hearing.topic(channel.as_bytes()).is_none()));
    let all = [Topic::Conversation(ConversationId(fresh())), Topic::User(UserId(fresh())), Topic::Node(fresh())];
    assert!(all.iter().all(|topic| live.hearing.topic(&live.hearing.channel(*topic)) == Some(*topic)));
    assert_eq!(bench::ask(&bench::server(), "PUBLISH", &[&channels[0], "?"]).await, Value::Int(0));
}
