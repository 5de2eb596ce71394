//! A corner of a broker for a test: empty, and nobody else's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use klatch_backing::{Kind, Servers};
use klatch_ports::contract::fresh;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use super::Broker;

/// The broker at these addresses, with a prefix of one's own.
pub fn address(hosts: &[String]) -> String {
    format!("amqp://guest:guest@{}/?prefix={}", hosts.join(","), fresh().simple())
}

/// The broker that an address names.
pub fn at(address: &str) -> Broker {
    Broker::at(address.parse().expect("an address")).expect("a place")
}

/// The address of a corner of the broker that all tests of this process share.
pub fn shared() -> String {
    address(&Servers::shared(Kind::RabbitMq).addresses())
}

/// Counts what is called on this thread.
#[derive(Default)]
pub struct Calls(Arc<AtomicU64>);

impl Calls {
    /// How many there were since this was asked before.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Recorder for Calls {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.0.clone())
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
