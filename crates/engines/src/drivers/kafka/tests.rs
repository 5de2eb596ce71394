use std::error::Error as _;

use klatch_backing::{Kind, Servers};
use klatch_ports::contract::{fresh, soon};
use rdkafka::consumer::Consumer;

use super::*;

fn refused(address: &str) -> String {
    Kafka::at(address.parse().unwrap()).err().unwrap()
}

#[test]
fn an_address_says_what_librdkafka_is_told() {
    let told = |address: &str, name: &str| {
        Kafka::at(address.parse().unwrap()).unwrap().config.get(name).map(ToOwned::to_owned)
    };
    assert_eq!(told("kafka://a,b:9093", "bootstrap.servers").as_deref(), Some("a:9092,b:9093"));
    assert_eq!(told("kafka://a", "security.protocol").as_deref(), Some("plaintext"));
    assert_eq!(told("kafka://a?tls=true", "security.protocol").as_deref(), Some("ssl"));
    let all = "kafka://u:p@a?tls_ca=/ca&tls_cert=/c&tls_key=/k&sasl=plain&timeout_ms=2000";
    for (name, value) in [
        ("security.protocol", "sasl_ssl"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.username", "u"),
        ("sasl.password", "p"),
        ("ssl.ca.location", "/ca"),
        ("ssl.certificate.location", "/c"),
        ("ssl.key.location", "/k"),
        ("message.timeout.ms", "2000"),
        ("acks", "all"),
    ] {
        assert_eq!(told(all, name).as_deref(), Some(value), "{name}");
    }
    let kafka = Kafka::at("kafka://a/site".parse().unwrap()).unwrap();
    assert_eq!([kafka.commands_topic(), kafka.feed_topic()], ["site.commands", "site.feed"]);
    assert_eq!(Kafka::at("kafka://a".parse().unwrap()).unwrap().commands_topic(), "klatch.commands");
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_sentence() {
    for (address, sentence) in [
        ("kafka://a?queue_limit=0", "`queue_limit`"),
        ("kafka://a?timeout_ms=1000", "at least 1500"),
        ("kafka://a?session_ms=5000", "at least 6000"),
        ("kafka://a?session_ms=1800001", "at most 1800000"),
        ("kafka://a/my%20site", "cannot begin a topic's name"),
        ("kafka://a?sasl=plain", "needs a user"),
        ("kafka://u@a", "needs a password"),
        ("kafka://u:p@a?sasl=gssapi", "`scram-sha-256`"),
        ("kafka://a?brokers=3", "has no option `brokers`"),
    ] {
        let refused = refused(address);
        assert!(refused.contains(sentence), "{address}: {refused}");
    }
}

#[tokio::test]
async fn topics_are_made_once_and_grow_but_for_the_feed() {
    let kafka = bench::again(bench::shared(), &bench::prefix(), "");
    bench::until_named(&kafka, 1).await;
    let missing = kafka.expect(2).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::Broken);
    assert!(missing.source().unwrap().to_string().contains("klatch migrate"));
    assert_eq!(kafka.migrate(2, true).await.unwrap().len(), 3);
    assert_eq!(kafka.expect(2).await.unwrap_err().kind, ErrorKind::Broken, "that was dry");

    let (one, other) = tokio::join!(kafka.migrate(2, false), kafka.migrate(2, false));
    one.unwrap();
    other.unwrap();
    kafka.expect(2).await.unwrap();
    assert!(kafka.migrate(2, false).await.unwrap().is_empty(), "nothing is left to do");
    assert_eq!(kafka.expect(3).await.unwrap_err().kind, ErrorKind::Broken);
    assert_eq!(kafka.migrate(3, false).await.unwrap().len(), 1);
    kafka.expect(3).await.unwrap();
    kafka.expect(2).await.unwrap();
    let observer = kafka.observer("test").unwrap();
    let feed = observer.fetch_metadata(Some(&kafka.feed_topic()), kafka.timeout()).unwrap();
    assert_eq!(feed.topics()[0].partitions().len(), 2);

    let lonely = bench::again(bench::shared(), &bench::prefix(), "copies=2");
    assert_eq!(lonely.migrate(1, false).await.unwrap_err().kind, ErrorKind::Broken, "there is one broker");
}

#[tokio::test]
async fn health_says_what_loss_of_power_can_take() {
    let (kafka, prefix) = bench::topics(bench::shared(), 1, "").await;
    let findings = kafka.health().await.unwrap();
    for finding in ["1 brokers", &format!("{prefix}.commands has 1 copies"), "min.insync.replicas"] {
        assert!(findings.iter().any(|found| found.contains(finding)), "{finding}: {findings:?}");
    }
    let nothing = bench::again(bench::shared(), &bench::prefix(), "");
    assert!(nothing.health().await.unwrap().iter().any(|finding| finding.contains("there is no topic")));
}

#[tokio::test]
async fn three_brokers_with_three_copies_are_well() {
    let servers = Servers::start(Kind::Kafka, 3);
    let (kafka, _) = bench::topics(&servers, 2, "").await;
    // How much room this machine has is not what is tried here.
    let health = async || {
        Ok::<_, Error>(
            kafka.health().await?.into_iter().filter(|found| !found.contains(" GB left ")).collect::<Vec<_>>(),
        )
    };
    soon(async { while !health().await.is_ok_and(|found| found.is_empty()) {} }).await;
    servers.kill(3);
    let away = async { while !health().await.is_ok_and(|found| found.len() >= 2) {} };
    soon(away).await;
    let findings = health().await.unwrap();
    assert!(findings.iter().any(|finding| finding.contains("2 of 3 copies in sync")), "{findings:?}");
}

#[tokio::test]
async fn brokers_say_how_much_room_they_have() {
    let (kafka, _) = bench::topics(bench::shared(), 1, "").await;
    let all = kafka.disks(100).await;
    assert!(matches!(&all[..], [one] if one.starts_with("broker 1 has ") && one.contains(" GB left for /")), "{all:?}");
    assert!(kafka.disks(0).await.is_empty());
    let nobody = bench::at("127.0.0.1:1", &bench::prefix(), "");
    assert!(nobody.disks(0).await[0].contains("cannot be asked"));
}

#[tokio::test]
async fn who_has_the_password_is_let_in() {
    let plain = "sasl.enabled.mechanisms=PLAIN\n\
        listener.name.other.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
        user_klatch=\"s3cret\";\ngroup.min.session.timeout.ms=7000";
    let mut there = String::new();
    let _servers = Servers::prepared(Kind::Kafka, 1, |servers| {
        there = format!("{}:9094", bench::host(servers));
        servers.configure(1, &bench::another_listener(&bench::host(servers), &there, "SASL_PLAINTEXT", plain));
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    for (password, is_right) in [("s3cret", true), ("guessed", false)] {
        std::fs::write(file.path(), password).unwrap();
        let options = format!("sasl=plain&timeout_ms=10000&password_file={}", file.path().display());
        let kafka = bench::at(&format!("klatch@{there}"), &bench::prefix(), &options);
        match kafka.migrate(1, false).await {
            Ok(made) => assert_eq!((made.len(), is_right), (3, true)),
            Err(refused) => {
                assert_eq!((refused.kind, is_right), (ErrorKind::Unavailable, false));
                let why = refused.source().unwrap().to_string();
                assert!(why.contains("Authentication failed"), "{why}");
            }
        }
        assert_eq!(kafka.disks(0).await.is_empty(), is_right, "the other client shows the same password");
        if is_right {
            let findings = kafka.health().await.unwrap();
            assert!(
                findings.iter().any(|found| found.contains("no `session_ms` of 6000, but 7000 to")),
                "{findings:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_may_end_at_any_moment_of_its_joining() {
    // A group waits so long for who went before the brokers had a name for it.
    let (kafka, _) = bench::topics(bench::shared(), 1, bench::SHORT_SESSION).await;
    let room = Room { messages_max: 10, bytes_max: 1_000 };
    let join = || Member::join(&kafka, "test", fresh(), &kafka.feed_topic(), Inboxes::new(room, |_| {})).unwrap();
    // Whoever is there already has the one partition, so that the others are given none.
    let first = join();
    soon(async { while !first.inboxes().places().is_ok_and(|them| them.is_some()) {} }).await;
    let mut leaving = Vec::new();
    for moment in 0..20 {
        let member = join();
        leaving.push(member.left());
        // Each at another moment of it.
        tokio::time::sleep(Duration::from_millis(moment * 9)).await;
    }
    for mut left in leaving {
        soon(left.wait_for(|left| *left)).await.unwrap();
    }
}

#[tokio::test]
async fn of_two_members_with_the_same_name_the_first_one_ends_and_the_second_has_what_it_had() {
    let (kafka, _) = bench::topics(bench::shared(), 1, "").await;
    let (name, room) = (fresh(), Room { messages_max: 10, bytes_max: 1_000 });
    let join = || Member::join(&kafka, "test", name, &kafka.feed_topic(), Inboxes::new(room, |_| {})).unwrap();
    let has_it = |member: &Member| matches!(member.inboxes().places(), Ok(Some(places)) if !places.is_empty());
    let first = join();
    soon(async {
        while !has_it(&first) {
            tokio::task::yield_now().await
        }
    })
    .await;
    let second = join();
    soon(async {
        while !has_it(&second) {
            tokio::task::yield_now().await
        }
    })
    .await;
    soon(async {
        while first.inboxes().places().is_ok() {
            tokio::task::yield_now().await
        }
    })
    .await;
    soon(first.left().wait_for(|left| *left)).await.unwrap();
    assert!(has_it(&second));
}
