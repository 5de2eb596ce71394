//! The roles: one file for what each starts (`api` and `gateway` share theirs). A process runs any set of them.

pub mod edge;
pub mod processor;
pub mod worker;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use klatch_server::accounts::Accounts;
use klatch_server::heads::Peers;
use klatch_server::sealing::Sealer;
use klatch_server::services::Services;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::engines::Embedded;
use crate::lifecycle::Overrides;

pub use edge::Front;

/// What roles are started with.
pub struct Stage {
    /// The configuration.
    pub config: Config,
    /// What tests put in place of the world.
    pub overrides: Overrides,
    /// The ports.
    pub services: Arc<Services>,
    /// What seals.
    pub sealer: Arc<Sealer>,
    /// The engines in the data directory.
    pub embedded: Arc<Embedded>,
    /// The other processes of the cluster, if this one is not alone.
    pub peers: Option<Arc<Peers>>,
    /// Who is who.
    pub accounts: Arc<Accounts>,
    /// The site is about to leave: this process is to stop.
    pub dismissed: CancellationToken,
    /// Balancers are to send nobody new.
    pub leaving: CancellationToken,
    /// Clients are told to go, and nobody new comes.
    pub draining: CancellationToken,
    /// The processor and the workers finish what they have.
    pub stopping: CancellationToken,
    /// What serves people.
    pub edge: TaskTracker,
    /// Everything else.
    pub core: TaskTracker,
}

/// A part of the binary that can run alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// REST and the web client.
    Api,
    /// The WebSocket.
    Gateway,
    /// Decides commands and writes the log.
    Processor,
    /// Follows the log: projections, erasing.
    Worker,
}

impl Role {
    /// All of them: what a node runs unless told otherwise.
    pub const ALL: [Self; 4] = [Self::Api, Self::Gateway, Self::Processor, Self::Worker];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Gateway => "gateway",
            Self::Processor => "processor",
            Self::Worker => "worker",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or(format!("there are the roles {known}"))
    }
}
