//! `command`: do something in a conversation.

use std::sync::{Arc, Weak};

use klatch_core::ids::{ConversationId, DeviceId, Uuid};
use klatch_protocol::gateway::ServerFrame;
use klatch_protocol::log::Outcome;
use klatch_protocol::objects::{NewCommand, Problem};

use super::super::Gateway;
use super::super::connection::{Connection, now};
use super::super::outbox::encode;
use crate::commanding::{check, count, prepare, problem, refusal};
use crate::conversations::{Asker, Refused};

/// Puts a command into its queue; its outcome goes to the outbox when it is known.
pub async fn command(gateway: &Gateway, connection: &Arc<Connection>, conversation: Uuid, new: NewCommand) {
    let id = new.id;
    if let Err(problem) = submit(gateway, connection, conversation, new).await {
        reject(connection, conversation, id, problem);
    }
}

/// Tells a client that its command took no effect.
pub fn reject(connection: &Connection, conversation: Uuid, id: Uuid, problem: Problem) {
    connection.outbox.push(encode(&ServerFrame::Rejected { id, conversation, problem }));
}

async fn submit(
    gateway: &Gateway,
    connection: &Arc<Connection>,
    conversation: Uuid,
    new: NewCommand,
) -> Result<(), Problem> {
    let (services, id, actor) = (&gateway.services, new.id, connection.user);
    count(services, actor, gateway.options.commands).await?;
    let target = ConversationId(conversation);
    let blocked = check(services, actor, target, &new.command).await?;
    let command = prepare(&gateway.sealer, now(gateway), actor, target, new).await?;
    let asker = Waiting { connection: Arc::downgrade(connection), device: connection.device, conversation, id };
    gateway.conversations.hand_in(target, command, blocked, asker).await.map_err(refusal)
}

/// A connection that waits for what becomes of a command, as long as it is there.
struct Waiting {
    connection: Weak<Connection>,
    device: DeviceId,
    conversation: Uuid,
    id: Uuid,
}

impl Asker for Waiting {
    fn device(&self) -> Option<DeviceId> {
        Some(self.device)
    }

    fn accepted(&self) {
        let Some(connection) = self.connection.upgrade() else { return };
        connection.outbox.push(encode(&ServerFrame::Accepted { id: self.id, conversation: self.conversation }));
    }

    fn decided(self: Box<Self>, outcome: Outcome) {
        let Self { connection, conversation, id, .. } = *self;
        let Some(connection) = connection.upgrade() else { return };
        match outcome {
            Outcome::Committed { seq, repeated } => {
                connection.outbox.push(encode(&ServerFrame::Committed { id, conversation, seq: seq.0, repeated }));
            }
            // Where nothing is known of it, the client asks again, as it would if the answer had been lost.
            Outcome::Rejected(_) | Outcome::Failed(_) => reject(&connection, conversation, id, problem(outcome)),
        }
    }

    fn refused(self: Box<Self>, refused: Refused) {
        if let Some(connection) = self.connection.upgrade() {
            reject(&connection, self.conversation, self.id, refusal(refused));
        }
    }

    fn is_gone(&self) -> bool {
        self.connection.strong_count() == 0
    }
}
