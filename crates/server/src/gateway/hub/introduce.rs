//! Somebody came into a conversation: their devices are told, and hear it from then on.

use std::sync::Arc;

use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::Error;
use klatch_protocol::gateway::{CloseCode, ServerFrame};

use super::Hub;
use crate::environment::Backoff;
use crate::gateway::connection::Connection;
use crate::gateway::outbox::encode;
use crate::inbox;

/// How often it is tried to tell somebody about a conversation.
const INTRODUCTIONS: usize = 5;

impl Hub {
    /// Tells all connections of somebody about a conversation that they are in, and attaches those that were not. Where something stays
    /// away, the connections end: whoever comes back is told of everything.
    pub async fn introduce(&self, user: UserId, conversation: ConversationId) {
        let mut backoff = Backoff::default();
        let mut told = None;
        for _ in 0..INTRODUCTIONS {
            let Err(error) = self.try_to_introduce(user, conversation, &mut told).await else { return };
            tracing::warn!(%error, %conversation, "somebody does not hear of a conversation yet");
            backoff.wait(&*self.services.entropy).await;
        }
        self.people.for_own(user, |connection| connection.outbox.close(CloseCode::Internal));
    }

    /// One try. Who was told where the conversation stands, once, is attached from there on.
    async fn try_to_introduce(
        &self,
        user: UserId,
        conversation: ConversationId,
        told: &mut Option<(Seq, Vec<Arc<Connection>>)>,
    ) -> Result<(), Error> {
        if told.is_none() {
            let Some(item) = inbox::item(&self.services, &self.sealer, user, conversation).await? else {
                return Ok(());
            };
            let start = Seq(item.head.seq);
            let frame = encode(&ServerFrame::Conversation { item });
            let mut connections = Vec::new();
            self.people.for_own(user, |connection| connections.push(connection.clone()));
            connections.iter().for_each(|connection| connection.outbox.push(frame.clone()));
            *told = Some((start, connections));
        }
        if let Some((start, connections)) = told {
            for connection in connections {
                self.attach(connection, conversation, *start).await?;
            }
        }
        Ok(())
    }
}
