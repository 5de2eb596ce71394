//! `klatch doctor` says what an operator should change.

use klatch_node::config::Config;
use klatch_node::{Overrides, doctor, migrate};
use klatch_testkit::Stack;

/// On whatever stack the tests run; of embedded engines there is nothing to say.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_it_should_be_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().expect("a directory");
    let stack = Stack::chosen();
    let mut config = Config { data: dir.path().to_owned(), engines: stack.engines().await, ..Config::default() };
    let look = async |config: &Config| doctor::findings(config, &Overrides::default()).await.expect("it can be meant");
    let before = look(&config).await;
    if stack == Stack::Embedded {
        assert!(before.is_empty(), "{before:?}");
        return;
    }
    let says = |findings: &[String], word: &str| findings.iter().any(|finding| finding.contains(word));
    assert!(says(&before, "klatch migrate"), "{before:?}");
    migrate::run(&config, &Overrides::default()).await.expect("the servers can be prepared");
    let after = look(&config).await;
    assert!(!says(&after, "klatch migrate"), "{after:?}");
    // Each server of the tests is alone, and PostgreSQL has the keys as well.
    assert!(says(&after, "synchronous_standby_names") && says(&after, "give them a server of their own"), "{after:?}");
    // AMQP does not tell how many copies a queue has.
    let has_kafka = config.engines.queue.starts_with("kafka:");
    assert_eq!(after.iter().any(|finding| finding.starts_with("queue: ")), has_kafka, "{after:?}");
    let has_cassandra = config.engines.event_log.starts_with("cassandra:");
    assert_eq!(says(&after, "has 1 copies of everything"), has_cassandra, "{after:?}");
    assert!(!says(&after, "commitlog_sync") && !says(&after, "paxos_variant"), "{after:?}");

    "redis://127.0.0.1:1".clone_into(&mut config.engines.live);
    "redis://127.0.0.1:1".clone_into(&mut config.engines.presence);
    let away = look(&config).await;
    assert!(says(&away, "live, presence: Redis at 127.0.0.1:1 cannot be asked"), "{away:?}");
}
