//! `EventLog` in memory: the shortest code that keeps every promise, for tests. What it holds is lost with it, so "loss of
//! power" is for it something that happens to others.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq};

use super::{Append, EventLog, READ_BYTES_MAX, Record, Snapshot};
use crate::{Error, ErrorKind};

const WHOLE: u8 = 0;
const BREAKS: u8 = 1;
const BROKEN: u8 = 2;

/// The log in memory.
#[derive(Default)]
pub struct MemoryEventLog {
    conversations: Mutex<BTreeMap<ConversationId, Conversation>>,
    health: AtomicU8,
}

#[derive(Default)]
struct Conversation {
    records: Vec<Record>,
    index: HashMap<CommandId, Bytes>,
    snapshot: Option<Snapshot>,
}

impl Conversation {
    fn tail(&self) -> Seq {
        self.records.last().map_or(Seq::ZERO, |record| record.seq)
    }

    fn append(&mut self, append: Append) -> Result<(), Error> {
        if append.expected != self.tail() || !append.is_contiguous() {
            return Err(Error::conflict("the tail is another"));
        }
        for new in append.records {
            self.index.insert(new.record.id, new.index);
            self.records.push(new.record);
        }
        Ok(())
    }
}

impl MemoryEventLog {
    /// The next append fails as if its sync had failed, and so does every later one (L10).
    pub fn fail_next_sync(&self) {
        self.health.store(BREAKS, Ordering::SeqCst);
    }

    fn conversations(&self) -> MutexGuard<'_, BTreeMap<ConversationId, Conversation>> {
        self.conversations.lock().expect("nobody panics while holding the lock")
    }

    fn check_health(&self) -> Result<(), Error> {
        match self.health.compare_exchange(BREAKS, BROKEN, Ordering::SeqCst, Ordering::SeqCst) {
            Err(WHOLE) => Ok(()),
            _ => Err(Error::new(ErrorKind::Broken, "a sync failed, as was asked for")),
        }
    }
}

#[async_trait]
impl EventLog for MemoryEventLog {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        let mut conversations = self.conversations();
        let append = |append: Append| {
            self.check_health()?;
            // Not `entry()`: a refused append must not make a conversation.
            match conversations.get_mut(&append.conversation) {
                Some(conversation) => conversation.append(append),
                None => {
                    let (id, mut conversation) = (append.conversation, Conversation::default());
                    conversation.append(append)?;
                    conversations.insert(id, conversation);
                    Ok(())
                }
            }
        };
        batch.into_iter().map(append).collect()
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        let conversations = self.conversations();
        let records = conversations.get(&conversation).map_or(&[][..], |c| &c.records);
        let mut bytes = 0;
        let fits = |record: &&Record| {
            let first = bytes == 0;
            bytes += record.head.len() + record.body.len() + 1;
            first || bytes <= READ_BYTES_MAX
        };
        let begin = records.partition_point(|record| record.seq < from);
        Ok(records[begin..].iter().take(limit).take_while(fits).cloned().collect())
    }

    async fn tails(&self, ids: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        let conversations = self.conversations();
        Ok(ids.iter().map(|id| conversations.get(id).map_or(Seq::ZERO, Conversation::tail)).collect())
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        let conversations = self.conversations();
        let find = |id| conversations.get(&conversation)?.index.get(id).cloned();
        Ok(ids.iter().map(find).collect())
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        self.check_health()?;
        if let Some(conversation) = self.conversations().get_mut(&conversation) {
            let records = conversation.records.iter_mut().filter(|record| seqs.contains(&record.seq));
            records.for_each(|record| record.body = Bytes::new());
        }
        Ok(())
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        use std::ops::Bound::{Excluded, Unbounded};
        let conversations = self.conversations();
        let page = conversations.range((after.map_or(Unbounded, Excluded), Unbounded));
        // A snapshot may have come before the first event: that is no conversation yet.
        let page = page.map(|(id, conversation)| (*id, conversation.tail())).filter(|(_, tail)| *tail > Seq::ZERO);
        Ok(page.take(limit).collect())
    }

    async fn save_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        self.check_health()?;
        self.conversations().entry(conversation).or_default().snapshot = Some(snapshot);
        Ok(())
    }

    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        Ok(self.conversations().get(&conversation).and_then(|c| c.snapshot.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event_log::contract::Bench;

    struct Memory(Arc<MemoryEventLog>);

    #[async_trait]
    impl Bench for Memory {
        fn log(&self) -> Arc<dyn EventLog> {
            self.0.clone()
        }

        async fn reopen(&mut self) {}

        fn fail_next_sync(&self) -> bool {
            self.0.fail_next_sync();
            true
        }
    }

    crate::event_log_contract!(Memory(Arc::default()));
}
