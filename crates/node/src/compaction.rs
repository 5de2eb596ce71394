//! What is left of erased bodies leaves the disk: the log is compacted in a calm minute, and seldom, since that writes all of it
//! again.

use std::sync::Arc;
use std::time::Duration;

use klatch_engines::drivers::fjall::Store;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Events between two looks up to which the node is calm.
const CALM_EVENTS_MAX: u64 = 600;
/// At most one part in so many of the time is spent on it.
const SHARE: u32 = 100;

/// When a compaction that is due begins.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks whether there is something to do.
    pub look: Duration,
    /// Between two compactions, at least.
    pub pause: Duration,
    /// After so long it does not wait for calm any more.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(60),
            pause: Duration::from_secs(3_600),
            patience: Duration::from_secs(24 * 3_600),
        }
    }
}

/// Compacts the log whenever it is due, until `stop`.
pub async fn run(store: Arc<Store>, pace: Pace, stop: CancellationToken) {
    // The first may come soon: a node that is often started again would otherwise never come to it.
    let (mut last, mut pause) = (Instant::now(), pace.look);
    let mut position = store.position();
    loop {
        tokio::select! {
            () = sleep(pace.look) => {}
            () = stop.cancelled() => return,
        }
        let before = std::mem::replace(&mut position, store.position());
        let is_calm = position - before <= CALM_EVENTS_MAX || last.elapsed() >= pace.patience;
        if !is_calm || last.elapsed() < pause || !store.has_erased().unwrap_or(false) {
            continue;
        }
        let begun = Instant::now();
        match store.compact().await {
            Ok(()) => tracing::info!(ms = begun.elapsed().as_millis(), "what was erased has left the disk"),
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, source, "what was erased has not left the disk; it will be tried again");
            }
        }
        last = Instant::now();
        pause = pace.pause.max((last - begun) * SHARE);
    }
}
