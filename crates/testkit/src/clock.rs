//! A clock that moves when it is told to.

use std::sync::atomic::{AtomicU64, Ordering};

use klatch_core::ids::Timestamp;
use klatch_server::environment::Clock;

/// A clock that moves when it is told to.
pub struct FakeClock(AtomicU64);

impl FakeClock {
    /// A clock that shows this time.
    pub const fn at(ms: u64) -> Self {
        Self(AtomicU64::new(ms))
    }

    /// Moves it on.
    pub fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}
