//! The role `gateway`: one WebSocket per device for everything live.
//!
//! - [`upgrade`]: from HTTP to a WebSocket;
//! - `websocket`: its framing (RFC 6455), with no buffer for who is idle;
//! - `connection`: the task of one connection; `frames`: what it does with each frame;
//! - `goodbyes`: one after the other, when the node leaves;
//! - `outbox`: what waits to be written to it, bounded; `socket`: what it is written to;
//! - `hub`: who listens to which conversation, contiguously; `rooms`, `people`: whom it knows; `pump`: from the port `live` to the
//!   hub;
//! - `cursors`: cursors that move, gathered for a moment.

mod connection;
mod cursors;
mod frames;
mod goodbyes;
mod hub;
mod outbox;
mod people;
mod pump;
mod rooms;
mod socket;
pub mod upgrade;
mod websocket;

use std::sync::Arc;
use std::time::Duration;

use klatch_core::limits::TEXT_BYTES_MAX;
use klatch_ports::presence::Rate;
use klatch_protocol::gateway::{CloseCode, Limits};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::Accounts;
use crate::conversations::Conversations;
use crate::heads::Heads;
use crate::sealing::Sealer;
use crate::services::Services;

/// What must not be exceeded.
pub const LIMITS: Limits = Limits {
    frame_bytes: 64 * 1024,
    frames_burst: 200,
    frames_per_second: 20,
    text_bytes: TEXT_BYTES_MAX,
    have: 200,
    watch: 200,
    open: 20,
    confirm: 200,
};

/// How the gateway behaves.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Between two pings to a client.
    pub ping_every: Duration,
    /// Silence after which a connection is given up.
    pub silence_max: Duration,
    /// Within which `hello` must come.
    pub hello_within: Duration,
    /// Between two looks for events that were not heard, where somebody is looking.
    pub repair_every: Duration,
    /// Listeners on this node beyond which a conversation is large: its events go to those who look at it or are meant by them,
    /// and the others hear now and then where it stands.
    pub large_from: usize,
    /// Frames of one connection.
    pub frames: Rate,
    /// Commands of one person.
    pub commands: Rate,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ping_every: Duration::from_secs(25),
            silence_max: Duration::from_secs(55),
            hello_within: Duration::from_secs(10),
            repair_every: Duration::from_secs(2),
            large_from: 1_000,
            frames: Rate { burst: LIMITS.frames_burst, per_minute: LIMITS.frames_per_second * 60 },
            commands: Rate { burst: 200, per_minute: 1_200 },
        }
    }
}

/// The gateway of one node.
pub struct Gateway {
    services: Arc<Services>,
    sealer: Arc<Sealer>,
    conversations: Arc<Conversations>,
    accounts: Arc<Accounts>,
    hub: Arc<hub::Hub>,
    cursors: cursors::Cursors,
    options: Options,
    /// Nobody new may stay.
    stop: CancellationToken,
    /// Everybody was told to go.
    ended: CancellationToken,
    tasks: TaskTracker,
    /// Writes to clients.
    writes: metrics::Counter,
}

impl Gateway {
    /// Starts a gateway. When `stop` is cancelled, nobody new may stay; [`Gateway::leave`] tells those who are there.
    ///
    /// # Errors
    /// The port `live` failed.
    pub async fn start(
        services: Arc<Services>,
        sealer: Arc<Sealer>,
        conversations: Arc<Conversations>,
        accounts: Arc<Accounts>,
        heads: Heads,
        options: Options,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, klatch_ports::Error> {
        let (topics, listener) = services.live.listen().await?;
        let writes = metrics::counter!("klatch_gateway_writes_total");
        let hub = hub::Hub::new(services.clone(), sealer.clone(), heads, topics, options.large_from, writes.clone());
        let tasks = TaskTracker::new();
        let ended = CancellationToken::new();
        tasks.spawn(pump::run(hub.clone(), listener, ended.clone()));
        tasks.spawn(hub.clone().repair(options.repair_every, ended.clone()));
        let cursors = cursors::Cursors::start(services.clone(), &tasks, ended.clone());
        Ok(Arc::new(Self {
            services,
            sealer,
            conversations,
            accounts,
            hub,
            cursors,
            options,
            stop,
            ended,
            tasks,
            writes,
        }))
    }

    /// What must not be exceeded here, as the operator has it.
    fn limits(&self) -> Limits {
        let Rate { burst, per_minute } = self.options.frames;
        Limits { frames_burst: burst, frames_per_second: per_minute / 60, ..LIMITS }
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.hub.connections()
    }

    /// Lets nobody new stay, tells everybody to resume elsewhere, one after the other and all of them `within` this time, and waits until
    /// they are gone. Until it is their turn, they are served.
    pub async fn leave(&self, within: Duration) {
        self.stop.cancel();
        let connections = self.hub.people.connections();
        goodbyes::say(connections, within, |connection| connection.outbox.close(CloseCode::Stopping)).await;
        self.ended.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
