//! Time, chance and new ids: handed in, so that tests decide what they are. The system's own are the node's.

use klatch_core::ids::{Timestamp, Uuid};

/// The time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01 UTC.
    fn now(&self) -> Timestamp;
}

/// Chance that nobody can guess.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// A new UUIDv7 (RFC 9562, section 5.7): the time, then chance.
pub fn uuid_v7(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    uuid::Builder::from_unix_timestamp_millis(clock.now().0, &random).into_uuid()
}

/// Waiting longer after each failure, with chance in it so that not everybody comes back at once.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST_MS: u64 = 50;
    const LONGEST_MS: u64 = 5_000;

    /// Waits: up to 50 ms after the first failure, twice as long after each further one, up to 5 s.
    pub async fn wait(&mut self, entropy: &dyn Entropy) {
        let limit = (Self::FIRST_MS << self.failures.min(16)).min(Self::LONGEST_MS);
        self.failures += 1;
        let mut chance = [0; 8];
        entropy.fill(&mut chance);
        let ms = limit / 2 + u64::from_le_bytes(chance) % (limit / 2);
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }

    /// It worked.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}
