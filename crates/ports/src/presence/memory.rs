//! [`Presence`] in memory. **Embedded**: one process knows everybody who is here. Nothing survives it, and nothing needs to.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use klatch_core::ids::{DeviceId, Timestamp, UserId};

use super::{PRESENT_MS, Presence, Rate, State};
use crate::Error;

/// Devices of one person that are looked at: beyond it, the one that rested longest is forgotten.
pub const DEVICES_MAX: usize = 64;
/// How long it is remembered since when somebody is gone: milliseconds.
pub const REMEMBERED_MS: u64 = 24 * 60 * 60 * 1000;

const SHARDS: usize = 64;
/// Entries in a shard below which nobody looks for what can be forgotten.
const SWEEP_MIN: usize = 64;

/// The engine.
#[derive(Default)]
pub struct Memory {
    people: Shards<UserId, Person>,
    buckets: Shards<String, Bucket>,
}

#[async_trait]
impl Presence for Memory {
    async fn touch(
        &self,
        user: UserId,
        device: DeviceId,
        state: State,
        now: Timestamp,
    ) -> Result<(State, State), Error> {
        let mut people = self.people.of(&user);
        people.make_room(now);
        let person = people.entries.entry(user).or_insert_with(|| Person::new(now));
        Ok(person.change(now, |devices| {
            devices.retain(|other| other.id != device);
            if state > State::Offline {
                if devices.len() == DEVICES_MAX {
                    devices.remove(0);
                }
                devices.push(Device { id: device, state, until: now.plus_ms(PRESENT_MS) });
            }
        }))
    }

    async fn leave(&self, user: UserId, device: DeviceId, now: Timestamp) -> Result<(State, State), Error> {
        let mut people = self.people.of(&user);
        let Some(person) = people.entries.get_mut(&user) else { return Ok((State::Offline, State::Offline)) };
        Ok(person.change(now, |devices| devices.retain(|other| other.id != device)))
    }

    async fn of(&self, users: &[UserId], now: Timestamp) -> Result<Vec<(State, Timestamp)>, Error> {
        let of = |user| self.people.of(user).entries.get(user).map(|person| person.at(now));
        Ok(users.iter().map(|user| of(user).unwrap_or((State::Offline, Timestamp::default()))).collect())
    }

    async fn take(&self, key: &str, rate: Rate, cost: u32, now: Timestamp) -> Result<Result<(), u64>, Error> {
        let mut buckets = self.buckets.of(key);
        if let Some(bucket) = buckets.entries.get_mut(key) {
            return Ok(bucket.take(rate, cost, now));
        }
        buckets.make_room(now);
        Ok(buckets.entries.entry(key.to_owned()).or_default().take(rate, cost, now))
    }
}

/// Somebody who is here, or was not long ago.
struct Person {
    /// In the order in which they were touched.
    devices: Vec<Device>,
    /// When the state last changed, but for devices in `devices` whose time was over since.
    since: Timestamp,
}

struct Device {
    id: DeviceId,
    state: State,
    until: Timestamp,
}

impl Person {
    fn new(now: Timestamp) -> Self {
        Self { devices: Vec::new(), since: now }
    }

    /// The state at that time, and since when.
    fn at(&self, now: Timestamp) -> (State, Timestamp) {
        let here = self.devices.iter().filter(|device| device.until > now);
        let state = here.map(|device| device.state).max().unwrap_or(State::Offline);
        // It fell to this state when the last device that held it higher had its time.
        let fell = self.devices.iter().filter(|device| device.state > state).map(|device| device.until).max();
        (state, fell.map_or(self.since, |fell| fell.max(self.since)))
    }

    fn change(&mut self, now: Timestamp, change: impl FnOnce(&mut Vec<Device>)) -> (State, State) {
        let (before, since) = self.at(now);
        self.devices.retain(|device| device.until > now);
        change(&mut self.devices);
        let after = self.at(now).0;
        self.since = if before == after { since } else { now };
        (before, after)
    }
}

/// A token bucket as the generic cell rate algorithm keeps it: one number, the time at which it will be full again.
#[derive(Default)]
struct Bucket {
    full_at_ns: u128,
}

const NS_PER_MS: u128 = 1_000_000;

impl Bucket {
    fn take(&mut self, rate: Rate, cost: u32, now: Timestamp) -> Result<(), u64> {
        let token_ns = 60_000 * NS_PER_MS / u128::from(rate.per_minute.max(1));
        let burst = rate.burst.max(1);
        let now_ns = u128::from(now.0) * NS_PER_MS;
        let full_at_ns = self.full_at_ns.max(now_ns) + u128::from(cost.min(burst)) * token_ns;
        let too_far_ns = full_at_ns.saturating_sub(now_ns + u128::from(burst) * token_ns);
        if too_far_ns > 0 {
            return Err(u64::try_from(too_far_ns.div_ceil(NS_PER_MS)).unwrap_or(u64::MAX));
        }
        self.full_at_ns = full_at_ns;
        Ok(())
    }
}

/// What can be forgotten at some time, because nothing follows from it any more.
trait Forgettable {
    fn is_over(&self, now: Timestamp) -> bool;
}

impl Forgettable for Person {
    fn is_over(&self, now: Timestamp) -> bool {
        let (state, since) = self.at(now);
        state == State::Offline && now.ms_since(since) > REMEMBERED_MS
    }
}

impl Forgettable for Bucket {
    fn is_over(&self, now: Timestamp) -> bool {
        self.full_at_ns <= u128::from(now.0) * NS_PER_MS
    }
}

struct Shards<K, V> {
    shards: [Mutex<Shard<K, V>>; SHARDS],
    hasher: RandomState,
}

struct Shard<K, V> {
    entries: HashMap<K, V>,
    /// How many entries there may be before those that are over are looked for.
    sweep_at: usize,
}

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        let shard = |_| Mutex::new(Shard { entries: HashMap::new(), sweep_at: SWEEP_MIN });
        Self { shards: std::array::from_fn(shard), hasher: RandomState::new() }
    }
}

impl<K, V> Shards<K, V> {
    fn of(&self, key: &(impl Hash + ?Sized)) -> MutexGuard<'_, Shard<K, V>> {
        let at = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards[at].lock().expect("nobody panics while holding this lock")
    }
}

impl<K: Eq + Hash, V: Forgettable> Shard<K, V> {
    /// Forgets what is over, each time that the entries have doubled: so an entry costs a constant, and there are never more
    /// than twice those that count.
    fn make_room(&mut self, now: Timestamp) {
        if self.entries.len() >= self.sweep_at {
            self.entries.retain(|_, value| !value.is_over(now));
            self.sweep_at = (self.entries.len() * 2).max(SWEEP_MIN);
            self.entries.shrink_to(self.sweep_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use klatch_core::ids::Uuid;

    use super::*;

    crate::presence_contract!(async || Arc::new(Memory::default()));

    #[tokio::test]
    async fn memory_is_bounded_by_what_happened_lately() {
        let presence = Memory::default();
        let rate = Rate { burst: 10, per_minute: 600 };
        for n in 0..50_000_u64 {
            let now = Timestamp(n * 60_000);
            let (user, device) = (UserId(Uuid::from_u128(n.into())), DeviceId(Uuid::from_u128(n.into())));
            presence.touch(user, device, State::Online, now).await.unwrap();
            presence.take(&n.to_string(), rate, 10, now).await.unwrap().unwrap();
        }
        let people: usize = presence.people.shards.iter().map(|shard| shard.lock().unwrap().entries.len()).sum();
        let buckets: usize = presence.buckets.shards.iter().map(|shard| shard.lock().unwrap().entries.len()).sum();
        let lately = usize::try_from(REMEMBERED_MS / 60_000).unwrap();
        assert!(people <= 2 * lately + SHARDS * SWEEP_MIN, "{people}");
        assert!(buckets <= SHARDS * SWEEP_MIN, "{buckets}");
    }

    #[tokio::test]
    async fn a_person_has_so_many_devices_and_no_more() {
        let presence = Memory::default();
        let user = UserId(Uuid::from_u128(1));
        for n in 0..1_000 {
            presence.touch(user, DeviceId(Uuid::from_u128(n)), State::Away, Timestamp(1)).await.unwrap();
        }
        assert_eq!(presence.people.of(&user).entries[&user].devices.len(), DEVICES_MAX);
    }

    #[tokio::test]
    async fn the_long_run_is_exact() {
        let presence = Memory::default();
        let rate = Rate { burst: 5, per_minute: 7 };
        let mut admitted = 0;
        for now in 0..600_000 {
            admitted += u64::from(presence.take("key", rate, 1, Timestamp(now)).await.unwrap().is_ok());
        }
        assert_eq!(admitted, 5 + 70 - 1);
    }
}
