//! `Overlays` on fjall, beside the log. **Embedded**: one process, one disk.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::overlay::Overlays;

use crate::drivers::fjall::{Group, Space, Store, pair, u64_or_corrupt};
use crate::event_log::fjall::{record_key as row_key, seq_of_key};

/// Rows that are forgotten in one step.
const CLEAR_MAX: usize = 4_096;

/// The overlay in a store on this disk.
pub struct FjallOverlays {
    store: Arc<Store>,
}

impl FjallOverlays {
    /// The overlay in this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Overlays for FjallOverlays {
    async fn put(&self, conversation: ConversationId, upto: Seq, rows: Vec<(Seq, Bytes)>) -> Result<(), Error> {
        let stage = move |group: &mut Group<'_>| {
            let applied = group.get(Space::Overlays, conversation.as_bytes())?;
            if applied.map_or(Ok(0), |applied| u64_or_corrupt(&applied))? >= upto.0 {
                return Ok(());
            }
            for (seq, row) in rows {
                group.put(Space::Overlays, row_key(conversation, seq), row);
            }
            group.put(Space::Overlays, conversation.as_bytes().to_vec(), upto.0.to_be_bytes().to_vec());
            Ok(())
        };
        self.store.write(stage).await
    }

    async fn range(&self, conversation: ConversationId, from: Seq, to: Seq) -> Result<Vec<(Seq, Bytes)>, Error> {
        let read = move |view: crate::drivers::fjall::View| {
            let (from, to) = (row_key(conversation, from), row_key(conversation, to));
            let row = |(key, row): (Bytes, Bytes)| Ok((seq_of_key(&key)?, row));
            view.range(Space::Overlays, &from, &to).map(|entry| entry.and_then(row)).collect()
        };
        self.store.view_blocking(read).await
    }

    async fn applied(&self, conversation: ConversationId) -> Result<Seq, Error> {
        let applied = self.store.view().get(Space::Overlays, conversation.as_bytes())?;
        applied.map_or(Ok(0), |applied| u64_or_corrupt(&applied)).map(Seq)
    }

    async fn mend(
        &self,
        conversation: ConversationId,
        at: Seq,
        upto: Seq,
        rows: Vec<(Seq, Option<Bytes>)>,
    ) -> Result<bool, Error> {
        let stage = move |group: &mut Group<'_>| {
            let applied = group.get(Space::Overlays, conversation.as_bytes())?;
            if applied.map_or(Ok(0), |applied| u64_or_corrupt(&applied))? != at.0 {
                return Ok(false);
            }
            for (seq, row) in rows {
                match row {
                    Some(row) => group.put(Space::Overlays, row_key(conversation, seq), row),
                    None => group.remove(Space::Overlays, row_key(conversation, seq)),
                }
            }
            group.put(Space::Overlays, conversation.as_bytes().to_vec(), upto.0.to_be_bytes().to_vec());
            Ok(true)
        };
        self.store.write(stage).await
    }

    async fn clear(&self, conversation: ConversationId) -> Result<(), Error> {
        // How far the rows go lies before the rows, so it is forgotten first.
        let (first, last) = (conversation.as_bytes().to_vec(), pair(conversation.as_bytes(), &[u8::MAX; 8]));
        loop {
            let (first, last) = (first.clone(), last.clone());
            let keys = move |view: crate::drivers::fjall::View| {
                let entries = view.range(Space::Overlays, &first, &last).take(CLEAR_MAX);
                entries.map(|entry| entry.map(|(key, _)| key)).collect::<Result<Vec<_>, _>>()
            };
            let keys = self.store.view_blocking(keys).await?;
            if keys.is_empty() {
                return Ok(());
            }
            let stage = |group: &mut Group<'_>| {
                keys.into_iter().for_each(|key| group.remove(Space::Overlays, key));
                Ok(())
            };
            self.store.write(stage).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::fjall::bench::Disk;

    #[async_trait]
    impl klatch_ports::overlay::contract::Bench for Disk {
        fn overlays(&self) -> Arc<dyn Overlays> {
            Arc::new(FjallOverlays::new(self.store()))
        }

        async fn reopen(&mut self) {
            self.reopen_store().await;
        }

        async fn crash(&mut self) {
            self.crash_store().await;
        }
    }

    klatch_ports::overlay_contract!(Disk::new());
}
