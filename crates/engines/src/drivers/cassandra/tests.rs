use std::fs;
use std::time::Duration;

use klatch_backing::{Flow, Kind, Servers};
use klatch_ports::contract::{soon, within};

use super::*;

const SCHEMA: Schema = Schema {
    name: "numbers",
    migrations: &[
        "CREATE TABLE IF NOT EXISTS KS.numbers (name text PRIMARY KEY, number bigint)",
        "CREATE TABLE IF NOT EXISTS KS.others (name text PRIMARY KEY)",
    ],
};

fn shared() -> &'static Servers {
    Servers::shared(Kind::Cassandra)
}

async fn refusal(address: &str) -> String {
    let refused = Database::connect(address.parse().unwrap()).await.err().expect("it is refused");
    assert_eq!(refused.kind, ErrorKind::Broken);
    std::error::Error::source(&refused).unwrap().to_string()
}

#[tokio::test]
async fn schemas_are_prepared_once_and_later_ones_are_refused() {
    let database = bench::open(&bench::place(shared())).await;
    let missing = database.expect(&SCHEMA).await.unwrap_err();
    assert!(std::error::Error::source(&missing).unwrap().to_string().contains("klatch migrate"));
    let older = Schema { migrations: &SCHEMA.migrations[..1], ..SCHEMA };
    let lacking = database.lacking_keyspace().await.unwrap().expect("nobody made it");
    assert!(lacking.contains("'replication_factor': 1"), "{lacking}");
    assert_eq!(database.version(&SCHEMA).await.unwrap(), 0, "to look makes nothing");
    assert!(database.lacking_keyspace().await.unwrap().is_some());
    assert_eq!(database.migrate(&older).await.unwrap(), [1]);
    assert_eq!(database.lacking_keyspace().await.unwrap(), None);
    assert_eq!(database.expect(&SCHEMA).await.unwrap_err().kind, ErrorKind::Broken);
    assert_eq!(database.migrate(&SCHEMA).await.unwrap(), [2]);
    assert!(database.migrate(&SCHEMA).await.unwrap().is_empty());
    database.expect(&SCHEMA).await.unwrap();
    assert_eq!(database.expect(&older).await.unwrap_err().kind, ErrorKind::Broken);
    assert_eq!(database.migrate(&older).await.unwrap_err().kind, ErrorKind::Broken);
}

#[tokio::test]
async fn an_address_that_cannot_be_meant_is_refused_with_a_sentence() {
    for (address, sentence) in [
        ("cassandra://h", "needs a keyspace"),
        ("cassandra://h/Klatch", "small letters"),
        ("cassandra://h/k?consistency=one", "no option `consistency`"),
        ("cassandra://h/k?timeout_ms=0", "`timeout_ms`"),
        ("cassandra://h/k?replication=none", "`replication` is `none`"),
        ("cassandra://h/k?replication=dc:0", "`replication` is `dc:0`"),
        ("cassandra://h/k?tls_ca=/not/there", "/not/there"),
    ] {
        let refused = refusal(address).await;
        assert!(refused.contains(sentence), "{address}: {refused}");
    }
    let each = replication_of("dc1:3,dc-2:5");
    assert_eq!(each, "{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc-2': 5}");
}

fn replication_of(option: &str) -> String {
    schema::replication(option).unwrap()
}

#[tokio::test]
async fn a_condition_is_kept_or_not_and_told() {
    let database = bench::open(&bench::prepared(&SCHEMA).await).await;
    let text = "UPDATE KS.numbers SET number = ? WHERE name = ? IF number = ?";
    let set = database.prepare(text, Level::Conditional).await.unwrap();
    let set = |to: i64, if_is: Option<i64>| -> Vec<Bound> { vec![(set.clone(), Box::new((to, "one", if_is)))] };
    let before = database.calls();
    assert!(database.write_if(set(1, None)).await.unwrap());
    assert!(!database.write_if(set(2, None)).await.unwrap());
    assert!(database.write_if(set(2, Some(1))).await.unwrap());
    assert_eq!(database.calls() - before, 3);
    let ask = database.prepare("SELECT number FROM KS.numbers WHERE name = ?", Level::Serial).await.unwrap();
    assert_eq!(database.rows::<(i64,)>(&ask, ("one",)).await.unwrap(), [(2,)]);
}

#[tokio::test]
async fn an_operator_is_told_which_node_is_short_of_room() {
    let unwatched = bench::open(&bench::prepared(&SCHEMA).await).await.health().await.unwrap();
    assert!(unwatched.iter().any(|finding| finding.contains("nobody watches the disks")), "{unwatched:?}");
    let full = "data_disk_usage_percentage_warn_threshold: 1\ndata_disk_usage_max_disk_size: 1MiB";
    let servers = Servers::prepared(Kind::Cassandra, 1, |it| it.configure(1, full));
    let database = bench::open(&bench::place(&servers)).await;
    let is_short = |findings: Vec<String>| findings.iter().any(|finding| finding.contains("is nearly full"));
    // Cassandra looks twice a minute.
    within(Duration::from_secs(90), async { while !database.health().await.is_ok_and(is_short) {} }).await;
}

#[tokio::test]
async fn a_server_that_is_silent_or_gone_is_away_and_comes_back() {
    let place = bench::impatient(bench::prepared(&SCHEMA).await);
    let links = bench::links(shared()).await;
    let database = bench::open_through(&place, &links).await;
    let ask = database.prepare("SELECT number FROM KS.numbers WHERE name = ?", Level::Majority).await.unwrap();
    let ask = || database.rows::<(i64,)>(&ask, ("one",));
    ask().await.unwrap();
    let link = links.values().next().unwrap();
    link.set(Flow::Open, Flow::Held);
    assert_eq!(ask().await.unwrap_err().kind, ErrorKind::Unavailable);
    link.tear();
    assert_eq!(ask().await.unwrap_err().kind, ErrorKind::Unavailable);
    link.set(Flow::Open, Flow::Open);
    soon(async {
        while ask().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let refused = database.prepare("SELECT * FROM KS.nothing", Level::Majority).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Broken);
}

#[tokio::test]
async fn after_a_long_outage_it_is_back_within_seconds() {
    let place = bench::impatient(bench::prepared(&SCHEMA).await);
    let links = bench::links(shared()).await;
    let database = bench::open_through(&place, &links).await;
    let ask = database.prepare("SELECT number FROM KS.numbers WHERE name = ?", Level::Majority).await.unwrap();
    let ask = || database.rows::<(i64,)>(&ask, ("one",));
    ask().await.unwrap();
    let link = links.values().next().unwrap();
    link.set(Flow::Held, Flow::Held);
    // The driver waits longer from attempt to attempt: after these seconds, ten.
    let mut turns = tokio::time::interval(Duration::from_millis(20));
    let end = tokio::time::Instant::now() + Duration::from_secs(15);
    while turns.tick().await < end {
        link.tear();
        assert_eq!(ask().await.unwrap_err().kind, ErrorKind::Unavailable);
    }
    link.set(Flow::Open, Flow::Open);
    let back = async { while ask().await.is_err() && turns.tick().await > end {} };
    within(Duration::from_secs(10), back).await;
    ask().await.unwrap();
}

#[tokio::test]
async fn tables_are_made_while_a_node_is_away_and_where_it_has_not_heard_of_them_yet() {
    let servers = Servers::start(Kind::Cassandra, 3);
    let place = bench::place(&servers);
    servers.pause(3);
    let away = format!("{} is now DOWN", servers.address(3).replace(":9042", ":7000"));
    within(Duration::from_secs(60), async {
        while !fs::read_to_string(servers.folder(1).join("log")).unwrap().contains(&away) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    bench::migrated(&bench::open(&place).await, &SCHEMA).await;
    servers.resume(3);
    let mut of_that_node = place.clone();
    of_that_node.hosts.drain(..2);
    let database = soon(async {
        loop {
            match Database::connect(of_that_node.clone()).await {
                Ok(database) => break database,
                Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "it has slept: {error:?}"),
            }
        }
    })
    .await;
    assert!(bench::migrated(&database, &SCHEMA).await.is_empty(), "nothing is made twice");
}
