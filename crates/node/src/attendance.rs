//! Which processes work for a site on servers: each says so, and stops when the site is about to leave.

use std::sync::Arc;
use std::time::Duration;

use klatch_ports::commands::Commands;
use klatch_ports::directory::Standing;
use klatch_ports::feed::Feed;
use klatch_server::services::Services;
use tokio_util::sync::CancellationToken;

/// How often a process looks whether it still may work.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After how many of these looks it says that it does, for whoever asks about it.
const LOOKS: u32 = 10;
/// Within which a process that works has said so again, busy as it may be.
pub const SAID_WITHIN: Duration = LOOK_EVERY.saturating_mul(2 * LOOKS);

/// As a node is known to operators: a name that no other has, dead or alive.
pub fn name() -> String {
    let host = rustix::system::uname();
    let number = klatch_client::new_id().simple().to_string();
    format!("{}/{}/{}", host.nodename().to_string_lossy(), std::process::id(), &number[number.len() - 8..])
}

/// Begins to work. False where the site is about to leave.
///
/// # Errors
/// The directory is away.
pub async fn begin(services: &Services) -> anyhow::Result<bool> {
    Ok(services.directory.attend(&services.process, services.clock.now()).await?)
}

/// Goes on until `stop`, and dismisses this process when the site is about to leave.
pub async fn go_on(services: Arc<Services>, dismissed: CancellationToken, stop: CancellationToken) {
    for look in 1_u32.. {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return,
        }
        let directory = &services.directory;
        let may_work = match look.is_multiple_of(LOOKS) {
            true => directory.attend(&services.process, services.clock.now()).await,
            false => directory.standing().await.map(|standing| standing == Standing::Here),
        };
        match may_work {
            Ok(true) => {}
            Ok(false) => {
                tracing::info!("the site is about to leave: this process stops");
                return dismissed.cancel();
            }
            // Whoever moves the site waits until it has heard.
            Err(error) => tracing::debug!(%error, "a process does not know whether the site is here"),
        }
    }
}

/// What was this process's goes to others at once, and not when it is taken for dead; `within` this time, or then.
pub async fn hand_over(commands: &dyn Commands, feed: &dyn Feed, within: Duration) {
    let left = async { tokio::join!(commands.have_left(), feed.have_left()) };
    if tokio::time::timeout(within, left).await.is_err() {
        tracing::warn!("others will have this process's part of the work when the queue takes it for dead");
    }
}

/// Has stopped: whatever was begun is done.
pub async fn end(services: &Services) {
    let name = &services.process;
    if let Err(error) = services.partitioning.leave(name).await {
        tracing::warn!(%error, name, "it is not known that this process sends nothing any more; `klatch partitions` will ask about it");
    }
    if let Err(error) = services.directory.leave(name).await {
        tracing::warn!(%error, name, "the directory does not know that this process stopped; a move will ask about it");
    }
}
