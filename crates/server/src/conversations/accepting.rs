//! Telling people that a queue keeps their commands. Most outcomes come within milliseconds, and `accepted` before them would only be one
//! frame more: so it goes to those who wait longer, and to all of them at the same moments.

use std::sync::Weak;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::Conversations;

/// Between two moments at which people are told. Each command waits for one that is at least so far away.
pub const TELL_EVERY: Duration = Duration::from_millis(100);

/// Tells whose commands queues `keep` and are not decided yet, as long as there is a handle.
pub async fn tell(conversations: Weak<Conversations>, mut keep: UnboundedReceiver<Vec<u64>>) {
    let mut waiting = Vec::new();
    loop {
        if waiting.is_empty() {
            let Some(first) = keep.recv().await else { return };
            waiting = first;
        }
        tokio::time::sleep(TELL_EVERY).await;
        let Some(conversations) = conversations.upgrade() else { return };
        conversations.tell_accepted(&waiting);
        waiting.clear();
        while let Ok(mut more) = keep.try_recv() {
            waiting.append(&mut more);
        }
    }
}

impl Conversations {
    fn tell_accepted(&self, correlations: &[u64]) {
        let all = self.pending.lock();
        // Of the others the outcome came meanwhile.
        correlations.iter().filter_map(|correlation| all.get(correlation)).for_each(|pending| pending.asker.accepted());
    }
}
