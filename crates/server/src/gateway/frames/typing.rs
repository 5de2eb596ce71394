//! `typing`: a signal to everybody else in the conversation.

use klatch_core::ids::{ConversationId, Uuid};
use klatch_ports::live::{Said, Topic};
use klatch_protocol::log::Signal;
use klatch_protocol::objects::{Problem, Slug};

use super::super::Gateway;
use super::super::connection::Connection;

/// Tells the others, if they can be told.
pub async fn typing(gateway: &Gateway, connection: &Connection, conversation: Uuid, on: bool) -> Result<(), Problem> {
    let conversation = ConversationId(conversation);
    let position = gateway.hub.position(conversation).filter(|_| connection.is_in(conversation));
    let Some(as_of) = position else {
        return Err(Problem::new(Slug::NotFound).detail("No such conversation, or not synced yet."));
    };
    let payload = Signal::Typing { user: connection.user, on, as_of }.encode();
    let said = vec![Said { topic: Topic::Conversation(conversation), payload }];
    if let Err(error) = gateway.services.live.publish(said).await {
        tracing::debug!(%error, "a signal was lost");
    }
    Ok(())
}
