//! Cursors that move, gathered for a moment: one write for all, and the last place counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::Error;
use klatch_ports::live::{Said, Topic};
use klatch_ports::views::Cursor;
use klatch_protocol::gateway::ReadMove;
use klatch_protocol::log::Signal;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::processor::event_of;
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
                if let Err(error) = write(&services, moves).await {
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

async fn write(services: &Services, moves: HashMap<(UserId, ConversationId), Cursor>) -> Result<(), Error> {
    if moves.is_empty() {
        return Ok(());
    }
    let mut all = Vec::with_capacity(moves.len());
    for ((user, conversation), cursor) in moves {
        if let Some(cursor) = measured(services, conversation, cursor).await? {
            all.push((user, conversation, cursor));
        }
    }
    let told: Vec<_> = all.iter().map(|(user, conversation, _)| (*user, *conversation)).collect();
    let moved = services.views.move_cursors(all).await?;
    let said = told.into_iter().zip(moved).filter_map(|((user, conversation), cursor)| {
        let Cursor { delivered, read, read_worthy, version } = cursor?;
        let payload = Signal::Cursor { user, delivered, read, read_worthy, version }.encode();
        Some(Said { topic: Topic::Conversation(conversation), payload })
    });
    services.live.publish(said.collect()).await
}

/// A cursor that does not point beyond the log, with the number of messages up to where it has read.
///
/// # Errors
/// The log failed.
pub async fn measured(
    services: &Services,
    conversation: ConversationId,
    mut cursor: Cursor,
) -> Result<Option<Cursor>, Error> {
    let tail = services.event_log.tails(&[conversation]).await?.pop().unwrap_or_default();
    cursor.read = cursor.read.min(tail);
    cursor.delivered = cursor.delivered.min(tail);
    if cursor.version > 0 && cursor.read > Seq::ZERO {
        let record = services.event_log.read(conversation, cursor.read, 1).await?;
        let Some(record) = record.first() else { return Ok(None) };
        cursor.read_worthy = event_of(record)?.worthy;
    }
    Ok(Some(cursor))
}
