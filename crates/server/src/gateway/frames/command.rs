//! `command`: do something in a conversation.

use std::sync::Arc;

use klatch_core::ids::{ConversationId, Uuid};
use klatch_protocol::gateway::ServerFrame;
use klatch_protocol::log::Outcome;
use klatch_protocol::objects::{NewCommand, Problem};

use super::super::Gateway;
use super::super::connection::{Connection, now};
use super::super::outbox::encode;
use crate::commanding::{check, count, prepare, problem, refusal};

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
    let asker = connection.clone();
    let reply = Box::new(move |outcome| match outcome {
        Outcome::Committed { seq, repeated } => {
            asker.outbox.push(encode(&ServerFrame::Committed { id, conversation, seq: seq.0, repeated }));
        }
        // Nothing is known of it: the client asks again, as it would if the answer had been lost.
        Outcome::Rejected(_) | Outcome::Failed(_) => reject(&asker, conversation, id, problem(outcome)),
    });
    gateway.conversations.submit(target, command, blocked, reply).await.map_err(refusal)
}
