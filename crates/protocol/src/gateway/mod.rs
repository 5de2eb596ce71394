//! The frames of the WebSocket: JSON text, told apart by `type`. The page is `docs/protocol/gateway.md`.

mod close;
mod from_client;
mod from_server;

pub use close::CloseCode;
pub use from_client::{ClientFrame, ClientInfo, Confirmed, DeviceState, ReadMove};
pub use from_server::{HeadItem, Limits, PresenceItem, PresenceState, ServerFrame};

/// The version of the protocol that this build speaks.
pub const PROTOCOL: u32 = 1;
