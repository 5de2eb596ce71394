//! `confirm`: a device knows what became of its commands. And what it is told, when it comes, of those of which it does not.

use std::sync::Arc;

use klatch_core::ids::{CommandId, ConversationId};
use klatch_ports::Error;
use klatch_protocol::gateway::Confirmed;
use klatch_protocol::log::{Outcome, Refusal};
use klatch_protocol::objects::{Problem, Slug};

use super::super::connection::Connection;
use super::super::{Gateway, LIMITS};
use super::command::reject;
use crate::commanding::{problem, unavailable};
use crate::environment::Backoff;

/// LIMIT: answers that a device is told of when it comes; it hears of more the next time, when it has confirmed these.
const TOLD_MAX: usize = 200;

/// Forgets the answers to these commands.
pub async fn confirm(gateway: &Gateway, connection: &Connection, commands: Vec<Confirmed>) -> Result<(), Problem> {
    if commands.len() > LIMITS.confirm {
        let detail = format!("`commands` names {}; at most {} fit.", commands.len(), LIMITS.confirm);
        return Err(Problem::new(Slug::InvalidRequest).detail(detail));
    }
    let commands: Vec<_> = commands.iter().map(|it| (ConversationId(it.conversation), CommandId(it.id))).collect();
    gateway.services.mailboxes.confirm(connection.device, &commands).await.map_err(|error| {
        tracing::warn!(%error, source = ?std::error::Error::source(&error), "answers are still kept that were confirmed");
        unavailable()
    })
}

/// Tells a device that just came which of its commands were refused after they had been accepted; where that cannot be read, as soon as it
/// can.
pub async fn tell(gateway: &Arc<Gateway>, connection: &Arc<Connection>) {
    let Err(error) = tell_waiting(gateway, connection).await else { return };
    tracing::warn!(%error, source = ?std::error::Error::source(&error), "what waits for a device could not be read yet");
    let (gateway, connection) = (gateway.clone(), Arc::downgrade(connection));
    tokio::spawn(async move {
        let mut backoff = Backoff::default();
        loop {
            tokio::select! {
                () = backoff.wait(&*gateway.services.entropy) => {}
                () = gateway.stop.cancelled() => return,
            }
            let Some(connection) = connection.upgrade() else { return };
            if tell_waiting(&gateway, &connection).await.is_ok() {
                return;
            }
        }
    });
}

async fn tell_waiting(gateway: &Gateway, connection: &Connection) -> Result<(), Error> {
    for letter in gateway.services.mailboxes.waiting(connection.device, TOLD_MAX).await? {
        match Refusal::decode(letter.payload) {
            Ok(Refusal { rejection, .. }) => {
                reject(connection, letter.conversation.0, letter.id.0, problem(Outcome::Rejected(rejection)));
            }
            Err(error) => tracing::error!(%error, command = %letter.id, "a letter in a mailbox could not be read"),
        }
    }
    Ok(())
}
