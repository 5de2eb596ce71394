//! The world around a node: the system's own time and chance, and what tests put in their place.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use klatch_core::ids::Timestamp;
use klatch_ports::event_log::EventLog;
use klatch_ports::live::Live;
use klatch_server::environment::{Clock, Entropy};
use klatch_server::{accounts, gateway};
use rand::Rng;

use crate::compaction;

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A cryptographic generator, seeded by the operating system and seeded anew as it goes.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// Puts something around the log: tests that break it on purpose.
pub type Decorate = fn(Arc<dyn EventLog>) -> Arc<dyn EventLog>;

/// What tests put in place of the world.
#[derive(Clone)]
pub struct Overrides {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The live bus, if not the configured one.
    pub live: Option<Arc<dyn Live>>,
    /// Something around the log.
    pub decorate_log: Option<Decorate>,
    /// How the gateway behaves.
    pub gateway: gateway::Options,
    /// How much work a password is, and how often one may try.
    pub accounts: accounts::Options,
    /// When the log is compacted.
    pub compaction: compaction::Pace,
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            live: None,
            decorate_log: None,
            gateway: gateway::Options::default(),
            accounts: accounts::Options::default(),
            compaction: compaction::Pace::default(),
        }
    }
}
