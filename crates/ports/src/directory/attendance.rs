//! Which processes work for a site that several may work for: so that all of them can be made to stop.

use async_trait::async_trait;
use klatch_core::ids::Timestamp;

use crate::Error;

/// How long a process is remembered that says nothing any more: it was killed, and nobody asked about it since.
pub const ATTENDANCE_KEPT_MS: u64 = 7 * 24 * 3_600_000;

/// Questions about the processes of a site. The promises stand on [`super::Directory`].
#[async_trait]
pub trait Attendance: Send + Sync + 'static {
    /// Says that this process works for the site now. False where the site is not here: then it does not, and must not (D17).
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn attend(&self, process: &str, now: Timestamp) -> Result<bool, Error>;

    /// Says that this process has stopped: nothing that it began goes on.
    ///
    /// # Errors
    /// `Unavailable`, `Broken`.
    async fn leave(&self, process: &str) -> Result<(), Error>;

    /// The processes that have not said that they stopped, in order of name, and when each said last that it works.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn attending(&self) -> Result<Vec<(String, Timestamp)>, Error>;
}
