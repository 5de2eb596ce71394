use futures_util::FutureExt;
use klatch_backing::{Flow, Kind, Link, Servers};
use klatch_ports::ErrorKind;
use klatch_ports::contract::{LENIENCY, soon, within};

use super::*;

fn call(name: &'static str, args: &[&str]) -> Call {
    let args: Vec<_> = args.iter().map(|arg| Bytes::copy_from_slice(arg.as_bytes())).collect();
    Call { key: args.first().cloned().unwrap_or_default(), name, args }
}

async fn ping(redis: &Redis) -> Result<(), Error> {
    redis.call(&[call("PING", &[])]).await.map(|_| ())
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_sentence() {
    for (place, sentence) in [
        ("redis://a,b", "cluster=true"),
        ("redis://a,b/1?cluster=true", "no databases"),
        ("redis://a?cluster=yes", "`true` or left out"),
        ("redis://a/chat", "no number of a database"),
        ("redis://a?prefix={x}", "no braces"),
        ("redis://a?timeout_ms=0", "above 0"),
        ("redis://a?pool=1", "`pool`"),
        ("rediss://a?tls_ca=/not/there", "/not/there"),
    ] {
        let refused = Redis::at(place.parse().unwrap()).err().unwrap();
        assert!(refused.contains(sentence), "{place}: {refused}");
    }
}

#[tokio::test]
async fn an_operator_need_change_nothing_of_redis_nor_of_valkey() {
    for address in [bench::server(), bench::cluster(), bench::valkey(), bench::valkey_cluster()] {
        assert_eq!(bench::redis(&address).health().await, Vec::<String>::new(), "{address}");
    }
}

#[tokio::test]
async fn an_operator_is_told_which_server_is_short_of_memory() {
    let servers = Servers::start(Kind::Redis, 1);
    let server = servers.address(1);
    bench::ask(&server, "CONFIG", &["SET", "maxmemory", "100000"]).await;
    let findings = bench::redis(&server).health().await;
    assert!(matches!(&findings[..], [one] if one.contains("raise `maxmemory`")), "{findings:?}");
}

#[tokio::test]
async fn accounts_and_passwords_are_used() {
    let server = bench::server();
    bench::ask(&server, "ACL", &["SETUSER", "chat", "on", ">s3cret", "~*", "&*", "+@all"]).await;
    let place = |account: &str| Redis::at(format!("redis://{account}@{server}").parse().unwrap()).unwrap();
    ping(&place("chat:s3cret")).await.unwrap();
    let refused = ping(&place("chat:secret")).await.unwrap_err();
    assert!(format!("{refused:?}").contains("WRONGPASS"), "{refused:?}");
}

#[tokio::test]
async fn a_call_is_one_round_trip_however_much_is_in_it() {
    let link = Link::to(bench::server()).await;
    let redis = bench::redis(link.address());
    ping(&redis).await.unwrap();
    let slow = Flow::Slow(Duration::from_millis(50));
    link.set(slow, slow);
    let calls: Vec<_> = (0..500).map(|n| call("ECHO", &[&n.to_string()])).collect();
    let answers = redis.call(&calls).await.unwrap();
    // Each way in some pieces, whatever else asks whether the other side is there.
    assert!((2..100).contains(&link.met()), "{} pieces", link.met());
    let echoes: Vec<String> =
        answers.into_iter().map(|answer| redis::from_redis_value(answer.unwrap()).unwrap()).collect();
    assert_eq!(echoes, (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_server_that_is_silent_is_away_within_the_time_then_at_once_and_comes_back() {
    let link = Link::to(bench::server()).await;
    let redis = bench::impatient(link.address());
    let is_up = async || {
        while ping(&redis).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon(is_up()).await;
    for (to_server, to_client) in [(Flow::Held, Flow::Open), (Flow::Open, Flow::Held), (Flow::Held, Flow::Held)] {
        link.set(to_server, to_client);
        let is_known = async {
            while !matches!(ping(&redis).now_or_never(), Some(Err(_))) {
                let failed = timeout(redis.timeout() * LENIENCY, ping(&redis)).await.expect("it ends in time");
                assert_eq!(failed.unwrap_err().kind, ErrorKind::Unavailable);
            }
        };
        // The line notices by itself. From then on nobody waits.
        within(CHECK_EVERY + redis.timeout(), is_known).await;
        assert_eq!(ping(&redis).now_or_never().unwrap().unwrap_err().kind, ErrorKind::Unavailable);
        link.set(Flow::Open, Flow::Open);
        soon(is_up()).await;
    }
}

#[tokio::test]
async fn a_cluster_is_known_from_one_node_and_calls_find_their_slots() {
    let cluster = bench::cluster();
    let one = format!("{}?cluster=true", cluster.split(',').next().unwrap());
    let redis = bench::redis(&one);
    let key = |n: u32| format!("{}:{n}", redis.prefix());
    let sets: Vec<_> = (0..100).map(|n| call("SET", &[&key(n), &n.to_string()])).collect();
    assert!(redis.call(&sets).await.unwrap().iter().all(Result::is_ok));
    let gets: Vec<_> = (0..100).map(|n| call("GET", &[&key(n)])).collect();
    let got: Vec<u32> = redis
        .call(&gets)
        .await
        .unwrap()
        .into_iter()
        .map(|answer| redis::from_redis_value(answer.unwrap()).unwrap())
        .collect();
    assert_eq!(got, (0..100).collect::<Vec<_>>());
    assert_eq!(redis.slots().await.unwrap().nodes().len(), 3);
}

#[tokio::test]
async fn slots_that_moved_or_are_on_their_way_are_followed() {
    use klatch_backing::{Kind, Servers};

    let servers = Servers::start(Kind::Redis, 3);
    let redis = bench::redis(&bench::cluster_of(&servers));
    let ask = async |call| redis.call(&[call]).await.unwrap().remove(0).unwrap();
    let key = "moving";
    assert_eq!(ask(call("SET", &[key, "1"])).await, Value::Okay);
    assert_eq!(ask(call("DEL", &[key])).await, Value::Int(1));
    let (_, from) = bench::move_slot(&servers, key).await;
    assert_eq!(ask(call("SET", &[key, "2"])).await, Value::Okay, "it has moved");

    let to = from % 3 + 1;
    let slot = slots::slot_of(key.as_bytes()).to_string();
    let [from_id, to_id] =
        [from, to].map(async |node| bench::ask_text(&servers.address(node), "CLUSTER", &["MYID"]).await);
    let (from_id, to_id) = (from_id.await, to_id.await);
    bench::ask(&servers.address(to), "CLUSTER", &["SETSLOT", &slot, "IMPORTING", &from_id]).await;
    bench::ask(&servers.address(from), "CLUSTER", &["SETSLOT", &slot, "MIGRATING", &to_id]).await;
    let (there, tag) = (servers.address(to), "{moving}:new");
    let (host, port) = there.split_once(':').unwrap();
    bench::ask(&servers.address(from), "MIGRATE", &[host, port, key, "0", "1000"]).await;
    let calls = [call("GET", &[key]), call("SET", &[tag, "3"]), call("GET", &[tag])];
    let answers = redis.call(&calls).await.unwrap().into_iter().map(Result::unwrap).collect::<Vec<_>>();
    let text = |text: &str| Value::BulkString(text.into());
    assert_eq!(answers, [text("2"), Value::Okay, text("3")], "who is asked for a key that has gone says where it is");
}
