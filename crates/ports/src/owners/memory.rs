//! [`Owners`] in memory. **Embedded**: one process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use klatch_core::ids::Timestamp;

use super::{CLAIM_MS, Owner, Owners};
use crate::Error;

/// The engine.
#[derive(Default)]
pub struct Memory(Mutex<BTreeMap<usize, (String, Timestamp)>>);

impl Memory {
    fn claims(&self) -> MutexGuard<'_, BTreeMap<usize, (String, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Owners for Memory {
    async fn claim(&self, partitions: &[usize], address: &str, now: Timestamp) -> Result<(), Error> {
        let claims = partitions.iter().map(|partition| (*partition, (address.to_owned(), now)));
        self.claims().extend(claims);
        Ok(())
    }

    async fn owners(&self, now: Timestamp) -> Result<Vec<Owner>, Error> {
        let mut claims = self.claims();
        claims.retain(|_, (_, at)| now.ms_since(*at) <= CLAIM_MS);
        let owner = |(partition, (address, _)): (&usize, &(String, Timestamp))| Owner {
            partition: *partition,
            address: address.clone(),
        };
        Ok(claims.iter().map(owner).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    crate::owners_contract!({
        let owners = Arc::new(Memory::default());
        async move || owners.clone()
    });
}
