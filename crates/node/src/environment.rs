//! The system's own time and chance.

use std::time::{SystemTime, UNIX_EPOCH};

use klatch_core::ids::Timestamp;
use klatch_server::environment::{Clock, Entropy};
use rand::Rng;

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
