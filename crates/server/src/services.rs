//! What a role is given: the ports, the time and chance.

use std::sync::Arc;

use klatch_core::ids::WorkspaceId;
use klatch_ports::commands::Commands;
use klatch_ports::directory::Directory;
use klatch_ports::event_log::EventLog;
use klatch_ports::feed::Feed;
use klatch_ports::keys::Keys;
use klatch_ports::live::Live;
use klatch_ports::mailboxes::Mailboxes;
use klatch_ports::overlay::Overlays;
use klatch_ports::owners::Owners;
use klatch_ports::presence::Presence;
use klatch_ports::views::Views;

use crate::environment::{Clock, Entropy};
use crate::partitioning::Partitioning;

/// Everything that roles share.
pub struct Services {
    /// As this process is known to operators and to other processes: a name that no other has, dead or alive.
    pub process: String,
    /// The workspace that this site serves.
    pub workspace: WorkspaceId,
    /// What happened in this conversation?
    pub event_log: Arc<dyn EventLog>,
    /// What changed about messages?
    pub overlays: Arc<dyn Overlays>,
    /// What happened anywhere?
    pub feed: Arc<dyn Feed>,
    /// Who decides next?
    pub commands: Arc<dyn Commands>,
    /// In which queue does that wait?
    pub partitioning: Partitioning,
    /// Who decides in which partition?
    pub owners: Arc<dyn Owners>,
    /// Who else must hear this now?
    pub live: Arc<dyn Live>,
    /// What is to be told to one device?
    pub mailboxes: Arc<dyn Mailboxes>,
    /// What does this person's list look like?
    pub views: Arc<dyn Views>,
    /// Who is this, on which devices?
    pub directory: Arc<dyn Directory>,
    /// The keys of authors.
    pub keys: Arc<dyn Keys>,
    /// Who is here, and how often did they?
    pub presence: Arc<dyn Presence>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
}

impl Services {
    /// Whether a command that was accepted is kept until it is decided, and what became of it until its device knows.
    pub fn keeps_commands(&self) -> bool {
        self.commands.is_durable() && self.mailboxes.is_durable()
    }
}
