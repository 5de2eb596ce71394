//! The harness must be able to fail: a node that acknowledges before the log has synced is found out, and so is one whose log
//! does not sync at all.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::event_log::MemoryEventLog as Memory;
use klatch_ports::event_log::{Append, EventLog, Record, Snapshot};

use super::child::Fate;
use super::site::{Plan, Round, Site};

/// A log that says "done" before it is: it keeps everything in memory, and writes it down in its own time.
pub struct EarlyLog {
    memory: Memory,
    real: Arc<dyn EventLog>,
    later: tokio::sync::mpsc::UnboundedSender<Vec<Append>>,
}

impl EarlyLog {
    /// Around the real one.
    pub fn around(real: Arc<dyn EventLog>) -> Arc<dyn EventLog> {
        let (later, mut waiting) = tokio::sync::mpsc::unbounded_channel();
        let writer = real.clone();
        tokio::spawn(async move {
            while let Some(batch) = waiting.recv().await {
                // Late enough that somebody has been told before.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                writer.append(batch).await;
            }
        });
        Arc::new(Self { memory: Memory::default(), real, later })
    }
}

#[async_trait]
impl EventLog for EarlyLog {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        let answers = self.memory.append(batch.clone()).await;
        self.later.send(batch).expect("the writer is there");
        answers
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        let early = self.memory.read(conversation, from, limit).await?;
        if early.is_empty() { self.real.read(conversation, from, limit).await } else { Ok(early) }
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        let early = self.memory.tails(conversations).await?;
        let real = self.real.tails(conversations).await?;
        Ok(early.into_iter().zip(real).map(|(early, real)| early.max(real)).collect())
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        self.memory.find(conversation, ids).await
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        self.memory.erase(conversation, seqs).await
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        self.real.conversations(after, limit).await
    }

    async fn save_snapshot(&self, _: ConversationId, _: Snapshot) -> Result<(), Error> {
        Ok(())
    }

    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        self.real.snapshot(conversation).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_before_the_sync_is_found_out() {
    is_found_out(&Fate { is_early: true, ..Fate::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_left_out_is_found_out() {
    // All of them, and those of the log alone, as if it asked for none.
    is_found_out(&Fate { never_syncs: Some(""), ..Fate::default() }).await;
    is_found_out(&Fate { never_syncs: Some(".jnl"), ..Fate::default() }).await;
}

async fn is_found_out(fate: &Fate) {
    let mut site = Site::new().await;
    let Round { findings, .. } = site.round(fate, &Plan::default()).await.expect("it comes back");
    assert!(findings.iter().any(|finding| finding.starts_with("acknowledged")), "{fate:?}: {findings:#?}");
}
