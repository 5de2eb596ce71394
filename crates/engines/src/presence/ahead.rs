//! `Presence` that takes from its server's buckets a little ahead: who sends much at once costs the server one call for several
//! messages, not one for each.
//!
//! What was taken ahead and is not used within [`HELD_MS`] is lost to whoever it was for. So that this never keeps somebody from what
//! they may ([`Rate`]), no more is taken ahead than a part of what flows into their bucket within that time, and a part of what it
//! holds: somebody who is on several nodes draws on each. Of several messages at once one does so, and the others take for themselves.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::presence::{Presence, Rate, State};

/// How long something that was taken ahead may be used: milliseconds.
const HELD_MS: u64 = 2_000;
/// The part of what flows in within [`HELD_MS`] that is taken ahead: one in so many. On that many nodes nobody loses anything by it.
const INFLOW_PART: u64 = 4;
/// The part of what a full bucket holds that is taken ahead at most: one in so many.
const BURST_PART: u64 = 20;
/// How many buckets are held before those that are over are looked for.
const SWEEP_MIN: usize = 1_024;

/// The engine.
pub struct Ahead<P> {
    server: P,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    tokens: HashMap<String, Tokens>,
    /// Buckets that something is being taken ahead from.
    asking: HashSet<String>,
    sweep_at: usize,
}

struct Tokens {
    left: u32,
    until: Timestamp,
}

impl<P: Presence> Ahead<P> {
    /// In front of this server.
    pub fn new(server: P) -> Self {
        Self { server, held: Mutex::new(Held { sweep_at: SWEEP_MIN, ..Held::default() }) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }
}

impl Held {
    /// Uses what was taken ahead, if it is enough.
    fn spend(&mut self, key: &str, cost: u32, now: Timestamp) -> bool {
        let Some(tokens) = self.tokens.get_mut(key).filter(|tokens| now < tokens.until) else { return false };
        let is_enough = tokens.left >= cost;
        if is_enough {
            tokens.left -= cost;
        }
        is_enough
    }

    fn put(&mut self, key: &str, more: u32, now: Timestamp) {
        let until = now.plus_ms(HELD_MS);
        if let Some(tokens) = self.tokens.get_mut(key) {
            *tokens = Tokens { left: more, until };
            return;
        }
        if self.tokens.len() >= self.sweep_at {
            self.tokens.retain(|_, tokens| now < tokens.until);
            self.sweep_at = (self.tokens.len() * 2).max(SWEEP_MIN);
        }
        self.tokens.insert(key.to_owned(), Tokens { left: more, until });
    }
}

/// The one that takes ahead from a bucket.
struct Asking<'a>(&'a Mutex<Held>, &'a str);

impl<'a> Asking<'a> {
    /// None, if there is one already.
    fn begin(held: &'a Mutex<Held>, key: &'a str) -> Option<Self> {
        let is_first = lock(held).asking.insert(key.to_owned());
        is_first.then(|| Self(held, key))
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        lock(self.0).asking.remove(self.1);
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many tokens are taken ahead.
fn more(rate: Rate) -> u32 {
    let inflow = u64::from(rate.per_minute) * HELD_MS / 60_000 / INFLOW_PART;
    u32::try_from(inflow.min(u64::from(rate.burst) / BURST_PART)).unwrap_or(u32::MAX)
}

#[async_trait]
impl<P: Presence> Presence for Ahead<P> {
    async fn touch(
        &self,
        user: UserId,
        device: DeviceId,
        state: State,
        now: Timestamp,
    ) -> Result<(State, State), Error> {
        self.server.touch(user, device, state, now).await
    }

    async fn leave(&self, user: UserId, device: DeviceId, now: Timestamp) -> Result<(State, State), Error> {
        self.server.leave(user, device, now).await
    }

    async fn of(&self, users: &[UserId], now: Timestamp) -> Result<Vec<(State, Timestamp)>, Error> {
        self.server.of(users, now).await
    }

    async fn take(&self, key: &str, rate: Rate, cost: u32, now: Timestamp) -> Result<Result<(), u64>, Error> {
        let more = more(rate);
        if more <= cost {
            return self.server.take(key, rate, cost, now).await;
        }
        if self.held().spend(key, cost, now) {
            return Ok(Ok(()));
        }
        if let Some(_asking) = Asking::begin(&self.held, key)
            && self.server.take(key, rate, cost + more, now).await?.is_ok()
        {
            self.held().put(key, more, now);
            return Ok(Ok(()));
        }
        let taken = self.server.take(key, rate, cost, now).await?;
        // What is missing there may have been taken ahead meanwhile.
        if taken.is_err() && self.held().spend(key, cost, now) {
            return Ok(Ok(()));
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use klatch_ports::contract::fresh;
    use klatch_ports::presence_contract;

    use super::*;
    use crate::drivers::redis::bench;
    use crate::presence::redis::RedisPresence;

    const RATE: Rate = Rate { burst: 200, per_minute: 1_200 };
    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    /// Nodes of one site.
    fn nodes<const N: usize>() -> [Arc<Ahead<RedisPresence>>; N] {
        let redis = bench::redis(&bench::server());
        [(); N].map(|()| Arc::new(Ahead::new(RedisPresence::new(redis.clone()))))
    }

    fn node() -> Arc<Ahead<RedisPresence>> {
        let [node] = nodes();
        node
    }

    presence_contract!(async || node());

    /// How many of so many are admitted at once.
    async fn admitted(nodes: &[Arc<Ahead<RedisPresence>>], key: &str, many: usize, now: Timestamp) -> usize {
        let taken = (0..many).map(|n| nodes[n % nodes.len()].take(key, RATE, 1, now));
        futures_util::future::join_all(taken).await.into_iter().filter(|taken| taken.as_ref().unwrap().is_ok()).count()
    }

    /// What is left in the bucket at the server.
    async fn left(node: &Ahead<RedisPresence>, key: &str, now: Timestamp) -> u32 {
        let mut left = RATE.burst;
        while left > 0 && node.server.take(key, RATE, left, now).await.unwrap().is_err() {
            left -= 1;
        }
        left
    }

    #[tokio::test]
    async fn several_messages_cost_the_server_one_call_and_nobody_gets_more_than_they_may() {
        let (node, key) = (node(), fresh().to_string());
        assert_eq!(more(RATE), 10);
        for _ in 0..=10 {
            node.take(&key, RATE, 1, NOW).await.unwrap().unwrap();
        }
        assert_eq!(left(&node, &key, NOW).await, 200 - 11, "the server was asked once");

        let (nodes, key) = (nodes::<2>(), fresh().to_string());
        assert_eq!(admitted(&nodes, &key, 500, NOW).await, 200, "the burst, wherever");
        assert_eq!(admitted(&nodes, &key, 100, NOW.plus_ms(1_000)).await, 20, "and then as many as flow in");
    }

    #[tokio::test]
    async fn who_sends_much_at_once_loses_no_more_than_is_taken_ahead_once() {
        let (node, key) = (node(), fresh().to_string());
        let times: [_; 10] = std::array::from_fn(|n| NOW.plus_ms(n as u64 * HELD_MS));
        for time in times {
            // Each time, what was taken ahead before is lost, and 40 have flowed in.
            assert_eq!(admitted(std::slice::from_ref(&node), &key, 30, time).await, 30);
        }
        let left = left(&node, &key, times[9]).await;
        assert!(left >= 200 - 40, "the burst is spent: {left}");
    }

    #[tokio::test]
    async fn who_sends_on_several_nodes_now_and_then_is_never_kept_from_it() {
        let (nodes, key) = (nodes::<4>(), fresh().to_string());
        for second in 0..60 {
            // Each time, what was taken ahead before is lost.
            let now = NOW.plus_ms(second * HELD_MS);
            assert_eq!(admitted(&nodes, &key, 4, now).await, 4, "after {second}");
        }
    }

    #[tokio::test]
    async fn what_is_not_used_is_forgotten() {
        let node = node();
        for n in 0..3 * SWEEP_MIN as u64 {
            node.held().put(&n.to_string(), 10, NOW.plus_ms(n * HELD_MS / SWEEP_MIN as u64));
        }
        assert!(node.held().tokens.len() <= 2 * SWEEP_MIN);
        assert!(!node.held().spend("0", 1, NOW.plus_ms(HELD_MS)), "it is over");
    }
}
