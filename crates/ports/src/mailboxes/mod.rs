//! What is to be told to one device, until it confirms that it knows: answers to commands that a queue had accepted. They lie with the
//! log's engine, where that is a server: whoever can decide can also remember what was refused.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::ids::{CommandId, ConversationId, DeviceId};

use crate::Error;

/// LIMIT: answers that wait for one device; where more come, the oldest are forgotten.
pub const LETTERS_MAX: usize = 1_000;
/// How long an answer is kept that nobody confirms: seconds, 30 days.
pub const KEPT_S: u32 = 30 * 24 * 3_600;

/// An answer that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// For whom.
    pub device: DeviceId,
    /// In which conversation the command was given.
    pub conversation: ConversationId,
    /// The command.
    pub id: CommandId,
    /// The answer.
    pub payload: Bytes,
}

/// # Promises
///
/// - **M1** After `put`, every letter is there as a whole, by its device and by its conversation and command, until it is confirmed or
///   [`KEPT_S`] old; put again, the last counts.
/// - **M2** `waiting` tells what waits for a device, older commands first, at most `limit`.
/// - **M3** `confirm` takes away that device's letters and nobody else's, also where another's command has the same id. It may be repeated.
/// - **M4** `commands` tells the ids of those commands in a conversation that something waits for, at most `limit`, and `find` the letter
///   of each, or that there is none.
/// - **M5** Of more than [`LETTERS_MAX`] letters for a device, those of the oldest commands are forgotten.
/// - **M6** `devices`, asked again with the last that it told until it tells none, has told each device that something waits for, and
///   none twice.
#[async_trait]
pub trait Mailboxes: Send + Sync + 'static {
    /// Whether what was put survives loss of power, as the log does, or only lies in memory: then nobody is to be promised an answer.
    fn is_durable(&self) -> bool;

    /// Keeps letters.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn put(&self, letters: Vec<Letter>) -> Result<(), Error>;

    /// What waits for a device.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn waiting(&self, device: DeviceId, limit: usize) -> Result<Vec<Letter>, Error>;

    /// Devices that something waits for, at most `limit`, in an order of the engine's own: those behind `after`, or the first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn devices(&self, after: Option<DeviceId>, limit: usize) -> Result<Vec<DeviceId>, Error>;

    /// The device knows the answers to these commands.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn confirm(&self, device: DeviceId, commands: &[(ConversationId, CommandId)]) -> Result<(), Error>;

    /// The commands of a conversation that something waits for, on whatever device.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn commands(&self, conversation: ConversationId, limit: usize) -> Result<Vec<CommandId>, Error>;

    /// What waits of these commands of a conversation, each for that device: in the order of `asked`.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn find(
        &self,
        conversation: ConversationId,
        asked: &[(CommandId, DeviceId)],
    ) -> Result<Vec<Option<Bytes>>, Error>;
}
