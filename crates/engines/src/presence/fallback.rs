//! `Presence` that goes on without its server: while that is away, this process answers from what it knows itself. Then people are
//! here whose devices are connected to this node, and each node has buckets of its own.
//!
//! There is no circuit breaker in front of the server, because the driver is one: it notices within two seconds that a node is away,
//! then fails at once, and tries with growing, jittered rests whether it is back.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::presence::memory::Memory;
use klatch_ports::presence::{Presence, Rate, State};
use klatch_ports::{Error, ErrorKind};

/// The engine. It fails with what its server fails with, but for `Unavailable`.
///
/// The counter `klatch_presence_alone_total` says how many calls were answered without the server.
pub struct Fallback<P> {
    server: P,
    local: Memory,
    is_alone: AtomicBool,
}

impl<P: Presence> Fallback<P> {
    /// With this server, as long as it is there.
    pub fn new(server: P) -> Self {
        Self { server, local: Memory::default(), is_alone: AtomicBool::new(false) }
    }

    /// What the server says, or nothing where it is away.
    fn heard<T>(&self, answer: Result<T, Error>) -> Result<Option<T>, Error> {
        match answer {
            Err(error) if error.kind == ErrorKind::Unavailable => {
                metrics::counter!("klatch_presence_alone_total").increment(1);
                if !self.is_alone.swap(true, Ordering::Relaxed) {
                    let reason = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
                    tracing::warn!(reason, "presence and limits are those of this node alone until the server is back");
                }
                Ok(None)
            }
            Err(error) => Err(error),
            Ok(answer) => {
                if self.is_alone.load(Ordering::Relaxed) && self.is_alone.swap(false, Ordering::Relaxed) {
                    tracing::info!("presence and limits are those of all nodes again");
                }
                Ok(Some(answer))
            }
        }
    }
}

#[async_trait]
impl<P: Presence> Presence for Fallback<P> {
    async fn touch(
        &self,
        user: UserId,
        device: DeviceId,
        state: State,
        now: Timestamp,
    ) -> Result<(State, State), Error> {
        // Kept in any case, so that whoever is connected here is still here when the server goes.
        let local = self.local.touch(user, device, state, now).await?;
        Ok(self.heard(self.server.touch(user, device, state, now).await)?.unwrap_or(local))
    }

    async fn leave(&self, user: UserId, device: DeviceId, now: Timestamp) -> Result<(State, State), Error> {
        let local = self.local.leave(user, device, now).await?;
        Ok(self.heard(self.server.leave(user, device, now).await)?.unwrap_or(local))
    }

    async fn of(&self, users: &[UserId], now: Timestamp) -> Result<Vec<(State, Timestamp)>, Error> {
        match self.heard(self.server.of(users, now).await)? {
            Some(of) => Ok(of),
            None => self.local.of(users, now).await,
        }
    }

    async fn take(&self, key: &str, rate: Rate, cost: u32, now: Timestamp) -> Result<Result<(), u64>, Error> {
        match self.heard(self.server.take(key, rate, cost, now).await)? {
            Some(taken) => Ok(taken),
            None => self.local.take(key, rate, cost, now).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use klatch_backing::{Kind, Servers};
    use klatch_core::ids::Uuid;
    use klatch_ports::contract::{fresh, soon};
    use klatch_ports::presence_contract;

    use super::*;
    use crate::drivers::redis::bench;
    use crate::presence::redis::RedisPresence;

    fn fallback_from(address: &str) -> Arc<Fallback<RedisPresence>> {
        Arc::new(Fallback::new(RedisPresence::new(bench::redis(address))))
    }

    mod with_its_server {
        use super::*;

        presence_contract!(async || fallback_from(&bench::server()));
    }

    mod alone {
        use super::*;

        // Nobody listens there.
        presence_contract!(async || fallback_from("127.0.0.1:1"));
    }

    #[tokio::test]
    async fn who_is_connected_here_stays_here_when_the_server_goes_and_everybody_is_back_with_it() {
        let server = Servers::start(Kind::Redis, 1);
        let here = fallback_from(&server.address(1));
        let (user, device, now) = (UserId(fresh()), DeviceId(fresh()), Timestamp(1_000));
        let rate = Rate { burst: 2, per_minute: 1 };
        here.touch(user, device, State::Online, now).await.unwrap();
        here.take("key", rate, 2, now).await.unwrap().unwrap();
        here.take("key", rate, 2, now).await.unwrap().unwrap_err();
        server.kill(1);
        assert_eq!(here.of(&[user], now).await.unwrap(), [(State::Online, now)]);
        here.take("key", rate, 2, now).await.unwrap().expect("this node's own bucket");
        here.take("key", rate, 1, now).await.unwrap().unwrap_err();
        assert_eq!(here.touch(user, DeviceId(Uuid::nil()), State::Away, now).await.unwrap().0, State::Online);
        assert!(here.is_alone.load(Ordering::Relaxed));
        server.revive();
        soon(async {
            while here.is_alone.load(Ordering::Relaxed) {
                here.take("other", rate, 0, now).await.unwrap().unwrap();
            }
        })
        .await;
        here.touch(user, device, State::Online, now).await.unwrap();
        assert_eq!(here.of(&[user], now).await.unwrap()[0].0, State::Online);
    }
}
