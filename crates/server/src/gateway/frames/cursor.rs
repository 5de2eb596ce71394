//! `cursor`: how far one has read or received.

use klatch_core::ids::{ConversationId, Seq, Uuid};
use klatch_protocol::gateway::ReadMove;
use klatch_protocol::objects::{Problem, Slug};

use super::super::Gateway;
use super::super::connection::Connection;

/// Takes note of a cursor that moved; it is written, and told to others, within half a second.
pub async fn cursor(
    gateway: &Gateway,
    connection: &Connection,
    conversation: Uuid,
    read: Option<ReadMove>,
    delivered: Option<u64>,
) -> Result<(), Problem> {
    let conversation = ConversationId(conversation);
    if !connection.is_in(conversation) {
        return Err(Problem::new(Slug::NotFound).detail("No such conversation, or not synced yet."));
    }
    gateway.cursors.moved(connection.user, conversation, read, delivered.map(Seq)).await;
    Ok(())
}
