//! Moving cursors: how far people have read and received.

use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::Error;
use klatch_ports::live::{Said, Topic};
use klatch_ports::views::Cursor;
use klatch_protocol::log::Signal;

use crate::processor::event_of;
use crate::projection;
use crate::services::Services;

/// Moves cursors, tells those who listen, and returns the cursors as they are then; `None` for those who are no members.
///
/// # Errors
/// The log or the views failed.
pub async fn write(
    services: &Services,
    moves: Vec<(UserId, ConversationId, Cursor)>,
) -> Result<Vec<Option<Cursor>>, Error> {
    if moves.is_empty() {
        return Ok(Vec::new());
    }
    let mut measured = Vec::with_capacity(moves.len());
    for (user, conversation, cursor) in moves {
        measured.push((user, conversation, measure(services, conversation, cursor).await?));
    }
    let places: Vec<_> = measured.iter().map(|(user, conversation, _)| (*user, *conversation)).collect();
    let moved = services.views.move_cursors(measured).await?;
    let said = places.into_iter().zip(&moved).filter_map(|((user, conversation), cursor)| {
        let Cursor { delivered, read, read_worthy, version } = (*cursor)?;
        let payload = Signal::Cursor { user, delivered, read, read_worthy, version }.encode();
        Some(Said { topic: Topic::Conversation(conversation), payload })
    });
    if let Err(error) = services.live.publish(said.collect()).await {
        tracing::debug!(%error, "cursors were not told");
    }
    Ok(moved)
}

/// A cursor that does not point beyond the log, with the number of messages up to where it has read.
async fn measure(services: &Services, conversation: ConversationId, mut cursor: Cursor) -> Result<Cursor, Error> {
    let tail = services.event_log.tails(&[conversation]).await?.pop().unwrap_or_default();
    cursor.read = cursor.read.min(tail);
    cursor.delivered = cursor.delivered.min(tail);
    if cursor.version > 0 && cursor.read < tail {
        // Who wrote has read; if they mark that as unread again, it must not be found out later that they wrote.
        projection::catch_up(services, conversation, tail).await?;
    }
    if cursor.version > 0 && cursor.read > Seq::ZERO {
        let record = services.event_log.read(conversation, cursor.read, 1).await?;
        cursor.read_worthy = record.first().map(event_of).transpose()?.map_or(0, |event| event.worthy);
    }
    Ok(cursor)
}
