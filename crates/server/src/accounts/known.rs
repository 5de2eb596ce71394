//! Sessions that were there a moment ago, so that not every request asks the directory. What ends in this process is forgotten at
//! once; what ends elsewhere, within [`KNOWN_MS`].

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use klatch_core::ids::{DeviceId, Timestamp, UserId};

/// How long a session counts as there without asking again.
pub const KNOWN_MS: u64 = 1_000;
/// LIMIT: sessions that are remembered; beyond, everything is forgotten, which costs a question each.
const KNOWN_MAX: usize = 50_000;

/// Sessions that were there a moment ago.
#[derive(Default)]
pub(crate) struct Known(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    until: HashMap<DeviceId, (UserId, Timestamp)>,
    /// Counts what was forgotten: an answer that was on its way meanwhile is not remembered.
    forgotten: u64,
}

impl Known {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this session was there a moment ago; otherwise what to hand to [`Known::remember`] after asking.
    pub fn check(&self, user: UserId, device: DeviceId, now: Timestamp) -> Result<(), u64> {
        let inner = self.inner();
        let known = inner.until.get(&device).is_some_and(|(of, until)| *of == user && now < *until);
        if known { Ok(()) } else { Err(inner.forgotten) }
    }

    /// The session was there when it was asked for, after `check` gave this.
    pub fn remember(&self, asked: u64, user: UserId, device: DeviceId, now: Timestamp) {
        let mut inner = self.inner();
        if inner.forgotten == asked {
            if inner.until.len() >= KNOWN_MAX {
                inner.until.clear();
            }
            inner.until.insert(device, (user, now.plus_ms(KNOWN_MS)));
        }
    }

    /// These sessions have ended.
    pub fn forget(&self, devices: &[DeviceId]) {
        let mut inner = self.inner();
        inner.forgotten += 1;
        devices.iter().for_each(|device| {
            inner.until.remove(device);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId::from_bytes([2; 16]);
    const DESK: DeviceId = DeviceId::from_bytes([3; 16]);
    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn a_session_is_known_for_a_moment_and_forgotten_at_once() {
        let known = Known::default();
        let asked = known.check(ADA, DESK, NOW).unwrap_err();
        known.remember(asked, ADA, DESK, NOW);
        assert!(known.check(ADA, DESK, NOW.plus_ms(KNOWN_MS - 1)).is_ok());
        assert!(known.check(ADA, DESK, NOW.plus_ms(KNOWN_MS)).is_err());
        assert!(known.check(UserId::from_bytes([9; 16]), DESK, NOW).is_err());
        known.forget(&[DESK]);
        assert!(known.check(ADA, DESK, NOW).is_err());
    }

    #[test]
    fn an_answer_from_before_the_end_is_not_remembered() {
        let known = Known::default();
        let asked = known.check(ADA, DESK, NOW).unwrap_err();
        known.forget(&[DESK]);
        known.remember(asked, ADA, DESK, NOW);
        assert!(known.check(ADA, DESK, NOW).is_err());
    }
}
