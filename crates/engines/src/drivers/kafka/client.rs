//! What every client of Kafka tells us: its log, its errors, and how many requests it sent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use klatch_ports::{Error, ErrorKind};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use serde::Deserialize;

use super::error;

/// The context of a client.
pub struct Client {
    /// What it met last on its way to a broker, since it was last asked something.
    met: Mutex<Option<String>>,
    /// Requests that it sent, as of its last statistics.
    sent: AtomicU64,
    /// Requests that all clients of a cluster sent.
    total: Arc<AtomicU64>,
}

/// What of a client's statistics is looked at (librdkafka's STATISTICS.md). They say much more, and are read each second.
#[derive(Deserialize)]
pub struct Statistics {
    /// When they were made: microseconds of the monotonic clock.
    pub ts: i64,
    brokers: HashMap<String, Broker>,
    /// Of who may be a member of a group.
    pub cgrp: Option<Membership>,
}

#[derive(Deserialize)]
struct Broker {
    /// Requests that were sent to it.
    tx: u64,
}

/// Of a group.
#[derive(Deserialize)]
pub struct Membership {
    /// How far its joining is.
    pub join_state: String,
}

impl Statistics {
    /// None, which is said in the log, where they are not as described.
    pub fn read(statistics: &[u8]) -> Option<Self> {
        let read = serde_json::from_slice(statistics);
        read.inspect_err(|error| tracing::warn!(%error, "nobody understands the statistics of Kafka's driver")).ok()
    }
}

impl Client {
    /// One whose requests are counted there.
    pub fn new(total: &Arc<AtomicU64>) -> Self {
        Self { met: Mutex::default(), sent: AtomicU64::new(0), total: total.clone() }
    }

    /// The answer to a call of this client, or why there is none: calls only say that they waited in vain, where a broker refused a password
    /// or a certificate as well.
    ///
    /// # Errors
    /// As [`error`] says, with what the client met.
    pub fn explain<T>(&self, answer: KafkaResult<T>) -> Result<T, Error> {
        let met = self.met().take();
        answer.map_err(error).map_err(|error| match met {
            Some(reason) if error.kind == ErrorKind::Unavailable => {
                Error::unavailable(format!("Kafka gave no answer: {reason}"))
            }
            _ => error,
        })
    }

    fn met(&self) -> MutexGuard<'_, Option<String>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts its requests.
    pub fn count(&self, statistics: &Statistics) {
        let sent: u64 = statistics.brokers.values().map(|broker| broker.tx).sum();
        let more = sent.saturating_sub(self.sent.swap(sent, Ordering::Relaxed));
        self.total.fetch_add(more, Ordering::Relaxed);
        metrics::counter!("klatch_calls_total", "server" => "kafka").increment(more);
    }
}

impl ClientContext for Client {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::warn!(facility, message, "Kafka's driver");
            }
            // The coordinator was away for as long as a session, and so nobody works at the member's partitions.
            RDKafkaLogLevel::Warning if facility == "SESSTMOUT" => {
                tracing::warn!(facility, message, "Kafka's driver");
            }
            _ => tracing::debug!(facility, message, "Kafka's driver"),
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        if let Some(statistics) = Statistics::read(statistics) {
            self.count(&statistics);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        // That all brokers are away follows from what was said of each.
        if code != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.met() = Some(reason.to_owned());
        }
        match code {
            // The calls only time out for that, and say nothing of it.
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL) => {
                tracing::warn!(%error, reason, "Kafka does not let us in");
            }
            // A broker that is away is heard of from the call that fails for it.
            _ => tracing::debug!(%error, reason, "Kafka's driver"),
        }
    }
}

impl ConsumerContext for Client {}
