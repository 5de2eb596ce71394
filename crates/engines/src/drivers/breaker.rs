//! A circuit breaker for a server that has one way to fail for everybody: after several calls in a row got no answer, the next ones fail at
//! once, and nobody waits for what does not come. After a rest they are let through again, until one fails. Rests are jittered, so that
//! all nodes do not come back at the same moment (Nygard, *Release It!*, "Circuit Breaker").

use std::iter::{RepeatWith, repeat_with};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures};
use failsafe::futures::CircuitBreaker as _;
use failsafe::{Instrument, StateMachine};
use klatch_ports::{Error, ErrorKind};
use rand::RngExt;

/// Calls in a row without an answer, after which the next ones fail at once.
const FAILURES: u32 = 5;
/// Within which a server that is back is noticed. The library's own rests are whole seconds.
const REST: RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_secs(1);

type Rests = RepeatWith<fn() -> Duration>;

/// The breaker. Cheap to clone: all clones stand before the same server.
///
/// The counter `klatch_breaker_refusals_total` says how many calls failed at once.
#[derive(Clone)]
pub struct Breaker {
    machine: StateMachine<ConsecutiveFailures<Rests>, Watch>,
    name: Arc<str>,
}

impl Breaker {
    /// Before the `server` of this kind, which errors call by its `name`.
    pub fn new(server: &'static str, name: &str) -> Self {
        let rests: Rests = repeat_with(|| rand::rng().random_range(REST));
        let policy = consecutive_failures(FAILURES, rests);
        let name: Arc<str> = name.into();
        let watch = Watch { server, name: name.clone(), is_open: false.into() };
        Self { machine: StateMachine::new(policy, watch), name }
    }

    /// Makes a call, unless too many failed before it. A call fails where it ends with `Unavailable`; any other answer is one.
    ///
    /// # Errors
    /// Those of the call. `Unavailable`: it was not made.
    pub async fn call<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let has_failed = |error: &Error| error.kind == ErrorKind::Unavailable;
        self.machine.call_with(has_failed, call).await.map_err(|failure| match failure {
            failsafe::Error::Inner(error) => error,
            failsafe::Error::Rejected => {
                Error::unavailable(format!("{} gave no answer several times: it is asked again in a moment", self.name))
            }
        })
    }
}

/// Tells operators.
struct Watch {
    server: &'static str,
    name: Arc<str>,
    is_open: AtomicBool,
}

impl Instrument for Watch {
    fn on_call_rejected(&self) {
        metrics::counter!("klatch_breaker_refusals_total", "server" => self.server).increment(1);
    }

    fn on_open(&self) {
        if !self.is_open.swap(true, Ordering::Relaxed) {
            tracing::warn!(server = &*self.name, "gives no answer: calls fail at once until it does");
        }
    }

    fn on_half_open(&self) {}

    fn on_closed(&self) {
        if self.is_open.swap(false, Ordering::Relaxed) {
            tracing::info!(server = &*self.name, "answers again");
        }
    }
}

#[cfg(test)]
mod tests {
    use klatch_ports::contract::soon;

    use super::*;

    async fn fails(breaker: &Breaker, kind: ErrorKind) -> Result<(), ErrorKind> {
        breaker.call(async { Err(Error::new(kind, "it did")) }).await.map_err(|error| error.kind)
    }

    /// Whether a call is made.
    async fn is_made(breaker: &Breaker) -> bool {
        breaker.call(async { Ok(()) }).await.is_ok()
    }

    #[tokio::test]
    async fn who_gives_no_answer_is_left_alone_and_asked_again() {
        let breaker = Breaker::new("test", "a server");
        for _ in 1..FAILURES {
            assert_eq!(fails(&breaker, ErrorKind::Unavailable).await, Err(ErrorKind::Unavailable));
        }
        assert!(is_made(&breaker).await, "one less than it takes");
        for _ in 0..FAILURES {
            assert_eq!(fails(&breaker, ErrorKind::Unavailable).await, Err(ErrorKind::Unavailable));
        }
        let refused = breaker.call(async { Ok(()) }).await.unwrap_err();
        let sentence = std::error::Error::source(&refused).unwrap().to_string();
        assert!(refused.kind == ErrorKind::Unavailable && sentence.contains("a server"), "{sentence}");
        let comes_back = async {
            while !is_made(&breaker).await {
                tokio::task::yield_now().await;
            }
        };
        soon(comes_back).await;
        assert!(is_made(&breaker).await);
    }

    #[tokio::test]
    async fn who_refuses_has_answered() {
        let breaker = Breaker::new("test", "a server");
        for _ in 0..2 * FAILURES {
            assert_eq!(fails(&breaker, ErrorKind::Conflict).await, Err(ErrorKind::Conflict));
        }
        assert!(is_made(&breaker).await);
    }
}
