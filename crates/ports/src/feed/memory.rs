//! `Feed` in memory, for tests: it keeps everything that was published, since another kind of worker may yet come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use klatch_core::ids::ConversationId;
use tokio::sync::Notify;

use super::{Entry, Feed, Follower};
use crate::Error;
use crate::event_log::Record;

/// The feed in memory.
#[derive(Default, Clone)]
pub struct MemoryFeed(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    published: Notify,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    committed: HashMap<&'static str, u64>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding the lock")
    }
}

#[async_trait]
impl Feed for MemoryFeed {
    async fn publish(&self, events: &[(ConversationId, Record)]) -> Result<(), Error> {
        let mut state = self.0.state();
        for (conversation, record) in events.iter().cloned() {
            let position = state.entries.len() as u64 + 1;
            state.entries.push(Entry { position, conversation, record });
        }
        self.0.published.notify_waiters();
        Ok(())
    }

    async fn follow(&self, worker: &'static str) -> Result<Box<dyn Follower>, Error> {
        let place = *self.0.state().committed.entry(worker).or_default();
        Ok(Box::new(MemoryFollower { feed: self.0.clone(), worker, place }))
    }
}

struct MemoryFollower {
    feed: Arc<Shared>,
    worker: &'static str,
    place: u64,
}

#[async_trait]
impl Follower for MemoryFollower {
    async fn next(&mut self, limit: usize) -> Result<Vec<Entry>, Error> {
        let feed = self.feed.clone();
        loop {
            let mut published = std::pin::pin!(feed.published.notified());
            // Enabled before looking, so that nothing is published unheard in between.
            published.as_mut().enable();
            let entries: Vec<_> =
                { feed.state().entries.iter().skip(self.place as usize).take(limit).cloned().collect() };
            if let Some(last) = entries.last() {
                self.place = last.position;
                return Ok(entries);
            }
            published.await;
        }
    }

    async fn is_behind(&mut self) -> Result<bool, Error> {
        Ok(self.feed.state().entries.len() as u64 > self.place)
    }

    async fn commit(&mut self, position: u64) -> Result<(), Error> {
        let mut state = self.feed.state();
        let committed = state.committed.entry(self.worker).or_default();
        *committed = position.max(*committed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::{EventLog, MemoryEventLog};
    use crate::feed::contract::Bench;

    #[derive(Default)]
    struct Memory(Arc<MemoryEventLog>, Arc<MemoryFeed>);

    #[async_trait]
    impl Bench for Memory {
        fn log(&self) -> Arc<dyn EventLog> {
            self.0.clone()
        }

        fn feed(&self) -> Arc<dyn Feed> {
            self.1.clone()
        }

        async fn reopen(&mut self) {}
    }

    crate::feed_contract!(Memory::default());
}
