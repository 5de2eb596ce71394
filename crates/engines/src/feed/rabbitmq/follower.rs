//! A follower: a consumer of every shard, or one that waits for its turn there.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use klatch_ports::feed::{Entry, Follower, UNCOMMITTED_MAX};
use klatch_ports::{Error, ErrorKind};
use tokio::time::sleep;

use super::super::bundles::Window;
use super::{SHARDS, name};
use crate::drivers::rabbitmq::{BEAT, Broker, Crew, Inlet};

/// LIMIT: messages of one shard that a follower may have without commit, among them those that it did not hand out: each may be one
/// event, and so many it may hand out. It must never become less: see [`Inlet`].
const WINDOW: u16 = 3_072;
const _: () = assert!(UNCOMMITTED_MAX < WINDOW as usize);

/// A follower. When the way to one of its shards ends, so does the follower.
pub struct RabbitMqFollower {
    inlets: Vec<Inlet>,
    window: Window<Tag>,
    /// The shard that is asked first.
    first: usize,
    is_over: bool,
}

/// By which a shard knows a message.
struct Tag {
    shard: usize,
    tag: u64,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {}, message {} of its consumer", self.shard, self.tag)
    }
}

impl RabbitMqFollower {
    pub async fn open(broker: Broker, worker: &'static str) -> Result<Self, Error> {
        let crew = Crew::join(broker.clone(), format!("feed.{worker}"), SHARDS);
        let inlet = |shard| Inlet::open(broker.clone(), name(&broker, worker, shard), WINDOW, crew.clone());
        let inlets = try_join_all((0..SHARDS).map(inlet)).await?;
        Ok(Self { inlets, window: Window::new(), first: 0, is_over: false })
    }

    /// The next message of any shard.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(Tag, Bytes), Error>> {
        for shard in (0..SHARDS).map(|n| (self.first + n) % SHARDS) {
            if let Poll::Ready(next) = self.inlets[shard].poll_next(context) {
                // So that no shard waits until another has nothing.
                self.first = (shard + 1) % SHARDS;
                return Poll::Ready(
                    next.map(|(tag, bytes)| (Tag { shard, tag }, bytes)).map_err(|error| self.end(error)),
                );
            }
        }
        Poll::Pending
    }

    /// Takes in what came already, if anything did, and says so.
    fn take_in(&mut self) -> Result<bool, Error> {
        let next = poll_fn(|context| self.poll(context)).now_or_never().transpose()?;
        Ok(next.map(|(tag, message)| self.window.put(tag, message)).is_some())
    }

    /// Ends the follower: its events go to whoever follows next.
    fn end(&mut self, error: Error) -> Error {
        self.is_over = true;
        match error.kind {
            ErrorKind::Conflict => Error::unavailable(error),
            _ => error,
        }
    }

    fn is_alive(&self) -> Result<(), Error> {
        let sentence = "RabbitMQ or the way to it was away: follow again";
        if self.is_over { Err(Error::unavailable(sentence)) } else { Ok(()) }
    }

    /// Leaves shards to others, where they have less. While something is ahead or not committed, nothing is left to anybody.
    async fn share(&mut self) -> Result<(), Error> {
        for inlet in &mut self.inlets {
            inlet.share().await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Follower for RabbitMqFollower {
    async fn next(&mut self, limit: usize) -> Result<Vec<Entry>, Error> {
        self.is_alive()?;
        while self.window.is_empty()? {
            self.share().await.map_err(|error| self.end(error))?;
            tokio::select! {
                first = poll_fn(|context| self.poll(context)) => {
                    let (tag, message) = first?;
                    self.window.put(tag, message);
                }
                // By then there may be others to share with.
                () = sleep(BEAT) => {}
            }
        }
        // From here on nothing waits, so that nothing is lost. A failure comes again.
        while self.window.len() < limit && self.take_in().unwrap_or_default() {}
        Ok(self.window.hand_out(limit))
    }

    async fn is_behind(&mut self) -> Result<bool, Error> {
        self.is_alive()?;
        for is_flushed in [false, true] {
            if is_flushed {
                let flushed = try_join_all(self.inlets.iter().map(Inlet::flush)).await;
                flushed.map_err(|error| self.end(error))?;
            }
            if self.window.has_some() || self.take_in()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn commit(&mut self, position: u64) -> Result<(), Error> {
        self.is_alive()?;
        let mut last = [None; SHARDS];
        for Tag { shard, tag } in self.window.done(position) {
            last[*shard] = Some(*tag);
        }
        self.window.commit(position);
        for (inlet, tag) in self.inlets.iter_mut().zip(last) {
            if let Some(tag) = tag
                && let Err(error) = inlet.settle(tag).await
            {
                return Err(self.end(error));
            }
        }
        Ok(())
    }
}
