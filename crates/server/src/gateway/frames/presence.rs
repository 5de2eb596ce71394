//! `presence`: whether somebody is in front of this device.

use klatch_core::ids::Timestamp;
use klatch_ports::live::{Said, Topic};
use klatch_ports::presence::State;
use klatch_protocol::gateway::DeviceState;
use klatch_protocol::log::Personal;

use super::super::Gateway;
use super::super::connection::{Connection, now};

/// The state as the port knows it.
pub const fn state(device: DeviceState) -> State {
    match device {
        DeviceState::Online => State::Online,
        DeviceState::Away => State::Away,
    }
}

/// Takes note of a device's state, `None` when it is gone, and tells those who watch if that changes the person's.
pub async fn present(gateway: &Gateway, connection: &Connection, state: Option<State>) {
    let (presence, at) = (&gateway.services.presence, now(gateway));
    let changed = match state {
        Some(state) => presence.touch(connection.user, connection.device, state, at).await,
        None => presence.leave(connection.user, connection.device, at).await,
    };
    match changed {
        Ok((before, after)) if before != after => tell(gateway, connection, after, at).await,
        Ok(_) => {}
        Err(error) => tracing::debug!(%error, "presence was lost"),
    }
}

async fn tell(gateway: &Gateway, connection: &Connection, state: State, at: Timestamp) {
    let payload = Personal::Presence { state: number(state), since: at.0 }.encode();
    let said = vec![Said { topic: Topic::User(connection.user), payload }];
    if let Err(error) = gateway.services.live.publish(said).await {
        tracing::debug!(%error, "a signal was lost");
    }
}

const fn number(state: State) -> u32 {
    match state {
        State::Offline => 0,
        State::Away => 1,
        State::Online => 2,
    }
}
