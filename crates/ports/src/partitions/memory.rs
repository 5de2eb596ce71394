//! [`Partitions`] in memory. **Embedded**: one process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use klatch_core::ids::Timestamp;

use super::{COUNTED_MS, Change, DRIVEN_MS, Map, Partitions, Sender};
use crate::Error;

/// The engine.
pub struct Memory(Mutex<State>);

struct State {
    map: Map,
    attempts: u64,
    driven_at: Timestamp,
    drained: BTreeSet<usize>,
    senders: BTreeMap<String, Sender>,
}

impl Memory {
    /// A first map.
    pub fn new(partitions: usize) -> Self {
        Self(Mutex::new(State {
            map: Map { partitions, change: None },
            attempts: 0,
            driven_at: Timestamp(0),
            drained: BTreeSet::new(),
            senders: BTreeMap::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The map, and a change that nobody drives is over.
    fn look(&mut self, now: Timestamp) -> Map {
        if now.ms_since(self.driven_at) > DRIVEN_MS {
            self.map.change = None;
        }
        self.map
    }

    fn lasting(&self, attempt: u64) -> Result<Change, Error> {
        let change = self.map.change.filter(|change| change.attempt == attempt);
        change.ok_or_else(|| Error::conflict("the change of partitions is over"))
    }
}

#[async_trait]
impl Partitions for Memory {
    async fn map(&self, now: Timestamp) -> Result<Map, Error> {
        Ok(self.state().look(now))
    }

    async fn send(&self, sender: &str, holds: Option<u64>, now: Timestamp) -> Result<Map, Error> {
        let mut state = self.state();
        state.senders.insert(sender.to_owned(), Sender { name: sender.to_owned(), at: now, holds });
        Ok(state.look(now))
    }

    async fn leave(&self, sender: &str) -> Result<(), Error> {
        self.state().senders.remove(sender);
        Ok(())
    }

    async fn senders(&self, now: Timestamp) -> Result<Vec<Sender>, Error> {
        let mut state = self.state();
        state.senders.retain(|_, sender| now.ms_since(sender.at) <= COUNTED_MS);
        Ok(state.senders.values().cloned().collect())
    }

    async fn begin(&self, partitions: usize, now: Timestamp) -> Result<u64, Error> {
        let mut state = self.state();
        if state.look(now).change.is_some() {
            return Err(Error::conflict("another change of partitions lasts"));
        }
        state.attempts += 1;
        state.map.change = Some(Change { attempt: state.attempts, partitions });
        state.driven_at = now;
        state.drained.clear();
        Ok(state.attempts)
    }

    async fn drive(&self, attempt: u64, now: Timestamp) -> Result<Vec<usize>, Error> {
        let mut state = self.state();
        state.lasting(attempt)?;
        state.driven_at = now;
        Ok(state.drained.iter().copied().collect())
    }

    async fn drained(&self, attempt: u64, partition: usize) -> Result<(), Error> {
        let mut state = self.state();
        if state.lasting(attempt).is_ok() {
            state.drained.insert(partition);
        }
        Ok(())
    }

    async fn finish(&self, attempt: u64, now: Timestamp) -> Result<(), Error> {
        let mut state = self.state();
        state.look(now);
        let Change { partitions, .. } = state.lasting(attempt)?;
        state.map = Map { partitions, change: None };
        Ok(())
    }

    async fn abandon(&self, attempt: u64) -> Result<(), Error> {
        let mut state = self.state();
        if state.lasting(attempt).is_ok() {
            state.map.change = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    crate::partitions_contract!({
        let partitions = Arc::new(Memory::new(12));
        async move || partitions.clone()
    });
}
