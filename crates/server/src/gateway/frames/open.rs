//! `open` and `watch`: what is on the screen, and whose presence it shows.

use std::sync::Arc;

use klatch_core::ids::{ConversationId, UserId, Uuid};
use klatch_ports::presence::State;
use klatch_protocol::gateway::{PresenceItem, PresenceState, ServerFrame};
use klatch_protocol::objects::{Problem, Slug};

use super::super::connection::{Connection, now};
use super::super::outbox::encode;
use super::super::{Gateway, LIMITS};

/// Replaces what is on the screen.
pub fn open(gateway: &Gateway, connection: &Connection, conversations: Vec<Uuid>) -> Result<(), Problem> {
    if conversations.len() > LIMITS.open {
        return Err(too_many(LIMITS.open));
    }
    // Also before it listens to them: it may say first what it looks at, and then sync. Of those that it is not in, it hears nothing.
    gateway.hub.open(connection, conversations.into_iter().map(ConversationId).collect());
    Ok(())
}

/// Replaces who is watched, and tells how they are now.
pub async fn watch(gateway: &Gateway, connection: &Arc<Connection>, users: Vec<Uuid>) -> Result<(), Problem> {
    if users.len() > LIMITS.watch {
        return Err(too_many(LIMITS.watch));
    }
    let mut users: Vec<_> = users.into_iter().map(UserId).collect();
    users.sort_unstable();
    users.dedup();
    gateway.hub.people.watch(connection, &users).await;
    match gateway.services.presence.of(&users, now(gateway)).await {
        Ok(states) => {
            let items = users.iter().zip(states).map(|(user, (state, since))| PresenceItem {
                user: user.0,
                state: shown(state),
                since: since.0,
            });
            connection.outbox.push_signal(encode(&ServerFrame::Presence { users: items.collect() }));
        }
        Err(error) => tracing::debug!(%error, "presence is not known"),
    }
    Ok(())
}

/// The state as clients see it.
const fn shown(state: State) -> PresenceState {
    match state {
        State::Offline => PresenceState::Offline,
        State::Away => PresenceState::Away,
        State::Online => PresenceState::Online,
    }
}

fn too_many(limit: usize) -> Problem {
    Problem::new(Slug::InvalidRequest).detail(format!("At most {limit} fit."))
}
