//! [`Keys`] in memory, for tests: the shortest code that keeps the promises.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::UserId;

use super::{Key, Keys};
use crate::Error;

/// The engine.
#[derive(Default)]
pub struct Memory(Mutex<State>);

#[derive(Default)]
struct State {
    keys: BTreeMap<UserId, Key>,
    secrets: HashMap<String, Bytes>,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while holding this lock")
    }
}

#[async_trait]
impl Keys for Memory {
    async fn get(&self, users: &[UserId]) -> Result<Vec<Option<Key>>, Error> {
        let state = self.state();
        Ok(users.iter().map(|user| state.keys.get(user).cloned()).collect())
    }

    async fn create(&self, keys: Vec<(UserId, Bytes)>) -> Result<Vec<Key>, Error> {
        let mut state = self.state();
        let mut create = |(user, wrapped)| state.keys.entry(user).or_insert(Key::Wrapped(wrapped)).clone();
        Ok(keys.into_iter().map(&mut create).collect())
    }

    async fn destroy(&self, users: &[UserId]) -> Result<(), Error> {
        self.state().keys.extend(users.iter().map(|user| (*user, Key::Destroyed)));
        Ok(())
    }

    async fn destroyed(&self, after: Option<UserId>, limit: usize) -> Result<Vec<UserId>, Error> {
        let state = self.state();
        let keys = state.keys.range((after.map_or(Unbounded, Excluded), Unbounded));
        let destroyed = keys.filter(|(_, key)| **key == Key::Destroyed);
        Ok(destroyed.map(|(user, _)| *user).take(limit).collect())
    }

    async fn secret(&self, name: &str, first: Bytes) -> Result<Bytes, Error> {
        Ok(self.state().secrets.entry(name.to_owned()).or_insert(first).clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    crate::keys_contract!({
        let keys = Arc::new(Memory::default());
        async move || keys.clone()
    });
}
