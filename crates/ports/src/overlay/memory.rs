//! `Overlays` in memory, for tests.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{ConversationId, Seq};

use super::Overlays;
use crate::Error;

/// The overlay in memory.
#[derive(Default)]
pub struct MemoryOverlays(Mutex<HashMap<ConversationId, Overlay>>);

#[derive(Default)]
struct Overlay {
    applied: Seq,
    rows: BTreeMap<Seq, Bytes>,
}

impl MemoryOverlays {
    fn overlays(&self) -> MutexGuard<'_, HashMap<ConversationId, Overlay>> {
        self.0.lock().expect("nobody panics while holding the lock")
    }
}

#[async_trait]
impl Overlays for MemoryOverlays {
    async fn put(&self, conversation: ConversationId, upto: Seq, rows: Vec<(Seq, Bytes)>) -> Result<(), Error> {
        let mut overlays = self.overlays();
        let overlay = overlays.entry(conversation).or_default();
        if upto > overlay.applied {
            overlay.applied = upto;
            overlay.rows.extend(rows);
        }
        Ok(())
    }

    async fn range(&self, conversation: ConversationId, from: Seq, to: Seq) -> Result<Vec<(Seq, Bytes)>, Error> {
        let overlays = self.overlays();
        let Some(overlay) = overlays.get(&conversation).filter(|_| from <= to) else { return Ok(Vec::new()) };
        Ok(overlay.rows.range(from..=to).map(|(seq, row)| (*seq, row.clone())).collect())
    }

    async fn applied(&self, conversation: ConversationId) -> Result<Seq, Error> {
        Ok(self.overlays().get(&conversation).map_or(Seq::ZERO, |overlay| overlay.applied))
    }

    async fn mend(
        &self,
        conversation: ConversationId,
        at: Seq,
        upto: Seq,
        rows: Vec<(Seq, Option<Bytes>)>,
    ) -> Result<bool, Error> {
        let mut overlays = self.overlays();
        let overlay = overlays.entry(conversation).or_default();
        if overlay.applied != at {
            return Ok(false);
        }
        overlay.applied = upto;
        for (seq, row) in rows {
            match row {
                Some(row) => overlay.rows.insert(seq, row),
                None => overlay.rows.remove(&seq),
            };
        }
        Ok(true)
    }

    async fn clear(&self, conversation: ConversationId) -> Result<(), Error> {
        self.overlays().remove(&conversation);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::overlay::contract::Bench;

    struct Memory(Arc<MemoryOverlays>);

    #[async_trait]
    impl Bench for Memory {
        fn overlays(&self) -> Arc<dyn Overlays> {
            self.0.clone()
        }

        async fn reopen(&mut self) {}
    }

    crate::overlay_contract!(Memory(Arc::default()));
}
