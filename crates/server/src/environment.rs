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
