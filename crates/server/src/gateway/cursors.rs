//! Cursors that move, gathered for a moment: one write for all, and the last place counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::views::Cursor;
use klatch_protocol::gateway::ReadMove;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cursors::write;
use crate::services::Services;

/// How long cursors are gathered.
const GATHER: Duration = Duration::from_millis(250);
/// Cursors that wait, at most; those that do not fit move with the next.
const WAITING_MAX: usize = 100_000;

type Waiting = Arc<Mutex<HashMap<(UserId, ConversationId), Cursor>>>;

/// Cursors that wait to be written.
pub struct Cursors {
    waiting: Waiting,
}

impl Cursors {
    /// Begins to gather. What waits when `stop` is cancelled is still written.
    pub fn start(services: Arc<Services>, tasks: &TaskTracker, stop: CancellationToken) -> Self {
        let waiting = Waiting::default();
        let gathered = waiting.clone();
        tasks.spawn(async move {
            let mut tick = tokio::time::interval(GATHER);
            let mut stopping = false;
            while !stopping {
                tokio::select! {
                    _ = tick.tick() => {}
                    () = stop.cancelled() => stopping = true,
                }
                let moves = std::mem::take(&mut *gathered.lock());
                let moves = moves.into_iter().map(|((user, conversation), cursor)| (user, conversation, cursor));
                if let Err(error) = write(&services, moves.collect()).await {
                    tracing::warn!(%error, "cursors were not written");
                }
            }
        });
        Self { waiting }
    }

    /// Takes note of a cursor that moved.
    pub async fn moved(
        &self,
        user: UserId,
        conversation: ConversationId,
        read: Option<ReadMove>,
        delivered: Option<Seq>,
    ) {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= WAITING_MAX {
            return;
        }
        let cursor = waiting.entry((user, conversation)).or_default();
        cursor.delivered = cursor.delivered.max(delivered.unwrap_or_default());
        if let Some(read) = read.filter(|read| read.version > cursor.version) {
            (cursor.read, cursor.version) = (Seq(read.seq), read.version);
        }
    }
}
