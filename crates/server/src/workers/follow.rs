//! Following the feed: what every worker has in common.

use std::sync::Arc;
use std::time::Duration;

use klatch_ports::Error;
use klatch_ports::feed::Entry;
use tokio_util::sync::CancellationToken;

use crate::environment::Backoff;
use crate::services::Services;

/// Events taken at a time.
const LIMIT: usize = 1_000;
/// Rest after everything was done: what comes meanwhile is done together, since each round costs as much as some fifty events.
const REST: Duration = Duration::from_millis(20);

/// What a worker does with what it is given.
#[async_trait::async_trait]
pub trait Worker: Send + Sync {
    /// By which its place in the feed is known.
    const NAME: &'static str;

    /// Milliseconds between two places that are kept: after a start, as much is done once more.
    const KEEP_EVERY_MS: u64;

    /// Does its work for these; all of it may come again.
    async fn work(&self, services: &Services, entries: Vec<Entry>) -> Result<(), Error>;

    /// Makes durable what it did, before its place is kept.
    async fn settle(&self, services: &Services) -> Result<(), Error>;
}

/// Follows the feed until `stop`; what is there by then is still done.
pub async fn follow<W: Worker>(worker: W, services: Arc<Services>, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let failure = tokio::select! {
            failure = run(&worker, &services, &mut backoff) => failure,
            () = stop.cancelled() => Ok(()),
        };
        if let Err(error) = failure {
            tracing::warn!(worker = W::NAME, %error, source = ?std::error::Error::source(&error), "a worker begins again");
            tokio::select! {
                () = backoff.wait(&*services.entropy) => {}
                () = stop.cancelled() => {}
            }
        }
    }
    if let Err(error) = catch_up(&worker, &services).await {
        tracing::warn!(worker = W::NAME, %error, "a worker did not finish; the next start goes on there");
    }
}

/// Does everything that waits, and returns when nothing does.
///
/// # Errors
/// What the worker needs failed.
pub async fn catch_up<W: Worker>(worker: &W, services: &Services) -> Result<(), Error> {
    let mut follower = services.feed.follow(W::NAME).await?;
    let mut done = None;
    while follower.is_behind() {
        let entries = follower.next(LIMIT).await?;
        done = entries.last().map(|entry| entry.position).or(done);
        worker.work(services, entries).await?;
    }
    if let Some(position) = done {
        worker.settle(services).await?;
        follower.commit(position).await?;
    }
    Ok(())
}

async fn run<W: Worker>(worker: &W, services: &Services, backoff: &mut Backoff) -> Result<(), Error> {
    let mut follower = services.feed.follow(W::NAME).await?;
    let mut kept_at = services.clock.now();
    loop {
        let entries = follower.next(LIMIT).await?;
        let Some(position) = entries.last().map(|entry| entry.position) else { continue };
        let is_all = entries.len() < LIMIT;
        worker.work(services, entries).await?;
        let now = services.clock.now();
        if now.ms_since(kept_at) >= W::KEEP_EVERY_MS {
            worker.settle(services).await?;
            follower.commit(position).await?;
            kept_at = now;
        }
        backoff.reset();
        if is_all {
            tokio::time::sleep(REST).await;
        }
    }
}
