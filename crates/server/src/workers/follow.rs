//! Following the feed: what every worker has in common.

use std::sync::Arc;
use std::time::Duration;

use klatch_ports::Error;
use klatch_ports::feed::{Entry, UNCOMMITTED_MAX};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::crash;
use crate::environment::Backoff;
use crate::services::Services;

/// Events taken at a time.
const LIMIT: usize = 1_000;
/// Events after which a place is kept, whatever the time: an engine holds no more for long.
const KEEP_AFTER: usize = UNCOMMITTED_MAX - LIMIT;
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
    let (mut done, mut count) = (None, 0);
    loop {
        let is_behind = follower.is_behind().await?;
        if let Some(position) = done.take_if(|_| !is_behind || count > KEEP_AFTER) {
            worker.settle(services).await?;
            follower.commit(position).await?;
            count = 0;
        }
        if !is_behind {
            return Ok(());
        }
        let entries = follower.next(LIMIT).await?;
        count += entries.len();
        done = entries.last().map(|entry| entry.position).or(done);
        worker.work(services, entries).await?;
    }
}

async fn run<W: Worker>(worker: &W, services: &Services, backoff: &mut Backoff) -> Result<(), Error> {
    let mut follower = services.feed.follow(W::NAME).await?;
    let (mut kept_at, mut count, mut position) = (services.clock.now(), 0, 0);
    loop {
        let next = follower.next(LIMIT);
        let entries = if count == 0 {
            next.await?
        } else {
            // What was done last is kept as well, though nothing may come for hours: a queue takes back what is not.
            match timeout(Duration::from_millis(W::KEEP_EVERY_MS), next).await {
                Ok(entries) => entries?,
                Err(_) => Vec::new(),
            }
        };
        let (is_idle, is_all) = (entries.is_empty(), entries.len() < LIMIT);
        if let Some(last) = entries.last() {
            position = last.position;
            count += entries.len();
            worker.work(services, entries).await?;
        }
        let now = services.clock.now();
        if is_idle || now.ms_since(kept_at) >= W::KEEP_EVERY_MS || count > KEEP_AFTER {
            worker.settle(services).await?;
            crash::point("before_committing");
            follower.commit(position).await?;
            (kept_at, count) = (now, 0);
        }
        backoff.reset();
        if is_all {
            tokio::time::sleep(REST).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
    use klatch_ports::event_log::Record;

    use super::*;
    use crate::processor::tests::world;

    /// A worker that has nothing to do.
    struct Idle;

    #[async_trait::async_trait]
    impl Worker for Idle {
        const NAME: &'static str = "idle";
        const KEEP_EVERY_MS: u64 = 20;

        async fn work(&self, _: &Services, _: Vec<Entry>) -> Result<(), Error> {
            Ok(())
        }

        async fn settle(&self, _: &Services) -> Result<(), Error> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_was_done_last_is_kept_though_nothing_comes_after_it() {
        let (services, stop) = (Arc::new(world()), CancellationToken::new());
        let (id, empty) = (Uuid::from_u128(1), Bytes::new());
        let record = Record { seq: Seq(1), id: CommandId(id), head: empty.clone(), body: empty };
        services.feed.publish(&[(ConversationId(id), record)]).await.unwrap();
        let working = tokio::spawn(follow(Idle, services.clone(), stop.clone()));
        let kept = async {
            while services.feed.follow(Idle::NAME).await.unwrap().is_behind().await.unwrap() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), kept).await.expect("its place is kept");
        stop.cancel();
        working.await.unwrap();
    }
}
