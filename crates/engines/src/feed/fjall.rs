//! `Feed` on fjall: it follows the log itself in its global order, so that nothing needs to be published. **Embedded**: one
//! process, one disk.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::ConversationId;
use klatch_ports::Error;
use klatch_ports::event_log::{READ_BYTES_MAX, Record};
use klatch_ports::feed::{Entry, Feed, Follower};
use tokio::sync::watch;

use crate::drivers::fjall::{Group, Space, Store, View, u64_or_corrupt};
use crate::event_log::fjall::{decode, seq_of_key};

/// The feed of a store on this disk. Those who follow it keep the store open.
pub struct FjallFeed {
    store: Arc<Store>,
}

impl FjallFeed {
    /// The feed of this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Feed for FjallFeed {
    async fn publish(&self, _events: &[(ConversationId, Record)]) -> Result<(), Error> {
        // They are in the log, and whoever follows was told.
        Ok(())
    }

    async fn follow(&self, worker: &'static str) -> Result<Box<dyn Follower>, Error> {
        let place = self.store.view().get(Space::Workers, worker.as_bytes())?;
        let place = place.map_or(Ok(0), |place| u64_or_corrupt(&place))?;
        Ok(Box::new(FjallFollower { store: self.store.clone(), last: self.store.watch_position(), worker, place }))
    }
}

struct FjallFollower {
    store: Arc<Store>,
    /// The last position of the log.
    last: watch::Receiver<u64>,
    worker: &'static str,
    /// The position of the last entry that was handed out.
    place: u64,
}

#[async_trait]
impl Follower for FjallFollower {
    async fn next(&mut self, limit: usize) -> Result<Vec<Entry>, Error> {
        let place = self.place;
        self.last.wait_for(|last| *last > place).await.map_err(Error::unavailable)?;
        let entries = self.store.view_blocking(move |view| read(&view, place, limit)).await?;
        self.place = entries.last().map_or(place, |entry| entry.position);
        Ok(entries)
    }

    async fn is_behind(&mut self) -> Result<bool, Error> {
        Ok(*self.last.borrow() > self.place)
    }

    async fn commit(&mut self, position: u64) -> Result<(), Error> {
        let worker = Bytes::from_static(self.worker.as_bytes());
        let stage = move |group: &mut Group<'_>| {
            let place = group.get(Space::Workers, &worker)?;
            if place.map_or(Ok(0), |place| u64_or_corrupt(&place))? < position {
                group.put(Space::Workers, worker, position.to_be_bytes().to_vec());
            }
            Ok(())
        };
        self.store.write(stage).await
    }
}

/// The entries after a position, until there are `limit` or they grow large.
fn read(view: &View, place: u64, limit: usize) -> Result<Vec<Entry>, Error> {
    let (first, last) = ((place + 1).to_be_bytes(), u64::MAX.to_be_bytes());
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for entry in view.range(Space::Order, &first, &last).take(limit) {
        let (position, key) = entry?;
        let missing = || Error::corrupt("the feed names a record that the log does not have");
        let value = view.get(Space::Records, &key)?.ok_or_else(missing)?;
        bytes += value.len();
        if bytes > READ_BYTES_MAX && !entries.is_empty() {
            break;
        }
        let conversation = key.get(..16).and_then(ConversationId::from_slice).ok_or_else(missing)?;
        let record = decode(seq_of_key(&key)?, value)?;
        entries.push(Entry { position: u64_or_corrupt(&position)?, conversation, record });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use klatch_ports::event_log::EventLog;

    use super::*;
    use crate::drivers::fjall::bench::Disk;
    use crate::event_log::fjall::FjallEventLog;

    #[async_trait]
    impl klatch_ports::feed::contract::Bench for Disk {
        fn log(&self) -> Arc<dyn EventLog> {
            Arc::new(FjallEventLog::new(self.store()))
        }

        fn feed(&self) -> Arc<dyn Feed> {
            Arc::new(FjallFeed::new(self.store()))
        }

        async fn reopen(&mut self) {
            self.reopen_store().await;
        }

        async fn crash(&mut self) {
            self.crash_store().await;
        }
    }

    klatch_ports::feed_contract!(Disk::new());
}
