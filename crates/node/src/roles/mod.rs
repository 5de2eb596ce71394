//! The roles: one file for what each starts (`api` and `gateway` share theirs). A process runs any set of them.

pub mod edge;
pub mod processor;
pub mod worker;

use std::sync::Arc;

use klatch_server::accounts::Accounts;
use klatch_server::heads::Peers;
use klatch_server::sealing::Sealer;
use klatch_server::services::Services;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::engines::Embedded;
use crate::environment::Overrides;

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
