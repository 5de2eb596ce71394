//! How librdkafka's clients are set up (its CONFIGURATION.md says what each of these means).

use std::time::Duration;

use rdkafka::ClientConfig;

use crate::drivers::place::{Secret, Tls};

/// How often a member shows that it lives. So much less than a session is what brokers have to find another coordinator: who does not hear of one
/// begins again as a new member, which waits for the one that it was.
const HEARTBEAT: Duration = Duration::from_millis(1_000);
/// How long the others wait for a member that lives but does not take part when partitions are handed out anew.
const REBALANCE: Duration = Duration::from_secs(15);
/// Between two commits of what members settled.
const COMMIT: Duration = Duration::from_millis(250);
/// How long the producer waits for company for a message: a millisecond costs less than a request for each.
const LINGER: Duration = Duration::from_millis(1);
/// Messages that may wait in the producer.
const PRODUCER_MESSAGES_MAX: usize = 100_000;
/// Bytes that may wait in the producer: KiB.
const PRODUCER_KIB_MAX: usize = 64 * 1024;
/// Bytes that a client fetches ahead of its inboxes: KiB.
const FETCH_AHEAD_KIB: usize = 2 * 1024;
/// How often clients tell how many requests they sent.
const STATISTICS: Duration = Duration::from_secs(1);

/// One of librdkafka's settings.
pub fn set(config: &mut ClientConfig, name: &str, value: impl ToString) {
    config.set(name, value.to_string());
}

/// How they show who they are.
///
/// # Errors
/// A sentence that says what to change.
pub fn set_security(
    config: &mut ClientConfig,
    tls: Option<&Tls>,
    user: Option<&str>,
    password: Option<&Secret>,
    mechanism: Option<String>,
) -> Result<(), String> {
    let protocol = match (tls.is_some(), user.is_some()) {
        (false, false) => "plaintext",
        (true, false) => "ssl",
        (false, true) => "sasl_plaintext",
        (true, true) => "sasl_ssl",
    };
    set(config, "security.protocol", protocol);
    if let Some(tls) = tls {
        for (name, file) in [
            ("ssl.ca.location", &tls.ca),
            ("ssl.certificate.location", &tls.own.as_ref().map(|own| own.0.clone())),
            ("ssl.key.location", &tls.own.as_ref().map(|own| own.1.clone())),
        ] {
            if let Some(file) = file {
                set(config, name, file.display());
            }
        }
    }
    let Some(user) = user else {
        return mechanism.map_or(Ok(()), |_| Err("`sasl` needs a user: `kafka://user@host`".to_owned()));
    };
    let password = password.ok_or("a user of `kafka://` needs a password: name its file with `password_file`")?;
    let mechanism = mechanism.unwrap_or_else(|| "scram-sha-512".to_owned()).to_uppercase();
    if !["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"].contains(&mechanism.as_str()) {
        return Err("the option `sasl` is `plain`, `scram-sha-256` or `scram-sha-512`".to_owned());
    }
    set(config, "sasl.mechanism", mechanism);
    set(config, "sasl.username", user);
    set(config, "sasl.password", &password.0);
    Ok(())
}

/// What all clients have, and producers need.
pub fn set_limits(config: &mut ClientConfig, timeout: Duration) {
    let ms = |duration: Duration| duration.as_millis().to_string();
    for (name, value) in [
        ("client.id", "klatch".to_owned()),
        ("allow.auto.create.topics", "false".to_owned()),
        ("socket.timeout.ms", ms(timeout)),
        ("socket.connection.setup.timeout.ms", "2000".to_owned()),
        ("socket.keepalive.enable", "true".to_owned()),
        ("reconnect.backoff.ms", "50".to_owned()),
        ("reconnect.backoff.max.ms", "1000".to_owned()),
        ("retry.backoff.ms", "50".to_owned()),
        ("retry.backoff.max.ms", "500".to_owned()),
        // So that a partition that moved without an error is found as well.
        ("topic.metadata.refresh.interval.ms", "10000".to_owned()),
        ("statistics.interval.ms", ms(STATISTICS)),
        // That of a broker that went away is no news once the calls to it failed.
        ("log.connection.close", "false".to_owned()),
        ("enable.idempotence", "true".to_owned()),
        ("acks", "all".to_owned()),
        ("max.in.flight.requests.per.connection", "5".to_owned()),
        ("message.timeout.ms", ms(timeout)),
        ("request.timeout.ms", ms(timeout)),
        ("linger.ms", ms(LINGER)),
        ("queue.buffering.max.messages", PRODUCER_MESSAGES_MAX.to_string()),
        ("queue.buffering.max.kbytes", PRODUCER_KIB_MAX.to_string()),
        ("partitioner", "murmur2".to_owned()),
    ] {
        set(config, name, value);
    }
}

/// What a client that reads has beside that.
pub fn set_reading(config: &mut ClientConfig, group: &str, session: Duration) {
    let ms = |duration: Duration| duration.as_millis().to_string();
    // librdkafka warns of each setting that is not of the reader's kind.
    for name in [
        "enable.idempotence",
        "acks",
        "message.timeout.ms",
        "request.timeout.ms",
        "linger.ms",
        "queue.buffering.max.messages",
        "queue.buffering.max.kbytes",
        "partitioner",
    ] {
        config.remove(name);
    }
    for (name, value) in [
        ("group.id", group.to_owned()),
        ("partition.assignment.strategy", "cooperative-sticky".to_owned()),
        ("session.timeout.ms", ms(session)),
        ("heartbeat.interval.ms", ms(HEARTBEAT)),
        // librdkafka takes none that is shorter than the session.
        ("max.poll.interval.ms", ms(REBALANCE.max(session))),
        // Of what was settled, and of nothing else; before a partition is given up as well.
        ("enable.auto.commit", "true".to_owned()),
        ("auto.commit.interval.ms", ms(COMMIT)),
        ("enable.auto.offset.store", "false".to_owned()),
        ("auto.offset.reset", "earliest".to_owned()),
        ("fetch.wait.max.ms", "500".to_owned()),
        ("fetch.error.backoff.ms", "100".to_owned()),
        // Nothing more is fetched of a partition before its messages were taken: else each message is a request of its own.
        ("queued.min.messages", "1".to_owned()),
        ("fetch.queue.backoff.ms", "5".to_owned()),
        ("queued.max.messages.kbytes", FETCH_AHEAD_KIB.to_string()),
        ("check.crcs", "true".to_owned()),
    ] {
        set(config, name, value);
    }
}
