//! Following the feed: what every worker has in common.

use std::sync::Arc;

use klatch_ports::Error;
use klatch_ports::feed::Entry;
use tokio_util::sync::CancellationToken;

use crate::environment::Backoff;
use crate::services::Services;

/// Events taken at a time.
const LIMIT: usize = 1_000;

/// What a worker does with what it is given.
#[async_trait::async_trait]
pub trait Worker: Send + Sync {
    /// By which its place in the feed is known.
    const NAME: &'static str;

    /// Does its work for these; all of it may come again.
    async fn work(&self, services: &Services, entries: Vec<Entry>) -> Result<(), Error>;
}

/// Follows the feed until `stop`.
pub async fn follow<W: Worker>(worker: W, services: Arc<Services>, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let failure = tokio::select! {
            failure = run(&worker, &services, &mut backoff) => failure,
            () = stop.cancelled() => return,
        };
        if let Err(error) = failure {
            tracing::warn!(worker = W::NAME, %error, source = ?std::error::Error::source(&error), "a worker begins again");
            tokio::select! {
                () = backoff.wait(&*services.entropy) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

async fn run<W: Worker>(worker: &W, services: &Services, backoff: &mut Backoff) -> Result<(), Error> {
    let mut follower = services.feed.follow(W::NAME).await?;
    loop {
        let entries = follower.next(LIMIT).await?;
        let Some(position) = entries.last().map(|entry| entry.position) else { continue };
        worker.work(services, entries).await?;
        follower.commit(position).await?;
        backoff.reset();
    }
}
