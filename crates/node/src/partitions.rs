//! How many partitions the queue of a cluster has, for its operator.

use anyhow::{anyhow, bail};
use klatch_server::partitioning::{NotRaised, is_possible, raise};
use serde::Serialize;

use crate::config::{Config, Engine};
use crate::engines::{self, Opened};
use crate::environment::Overrides;
use crate::holding::not_held;
use crate::moving::open_here;

/// What there is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Seen {
    /// How many partitions.
    pub partitions: usize,
    /// How many there are to be, while that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changing_to: Option<usize>,
    /// Who puts commands into them.
    pub senders: Vec<Sender>,
}

/// A process that puts commands into the queue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sender {
    /// Its name: host, process id, number.
    pub name: String,
    /// How long ago it said that it does: milliseconds.
    pub silent_ms: u64,
}

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Done {
    /// How many partitions there are.
    pub partitions: usize,
    /// How many there were.
    pub before: usize,
    /// How long commands may have waited for that: milliseconds.
    pub held_ms: u64,
}

/// Looks.
///
/// # Errors
/// A sentence that says what to do.
pub async fn see(config: &Config, overrides: &Overrides) -> anyhow::Result<Seen> {
    let services = open(config, overrides).await?.services;
    let (port, now) = (&services.partitioning.port, services.clock.now());
    let map = port.map(now).await.map_err(engines::whole)?;
    let senders = port.senders(now).await.map_err(engines::whole)?.into_iter();
    let senders = senders.map(|sender| Sender { silent_ms: now.ms_since(sender.at), name: sender.name });
    Ok(Seen {
        partitions: map.partitions,
        changing_to: map.change.map(|change| change.partitions),
        senders: senders.collect(),
    })
}

/// Makes them more, while people write. `gone` are processes that are dead for sure.
///
/// # Errors
/// A sentence that says what to do: then they are as many as before, but for queues that nobody uses.
pub async fn set(config: &Config, overrides: &Overrides, wanted: usize, gone: &[String]) -> anyhow::Result<Done> {
    let services = open(config, overrides).await?.services;
    let map = services.partitioning.port.map(services.clock.now()).await.map_err(engines::whole)?;
    is_possible(map, wanted).map_err(advised)?;
    engines::migrate::queues_of(config, wanted).await?;
    let raised = raise(&services, wanted, gone).await.map_err(advised)?;
    let held_ms = u64::try_from(raised.held.as_millis()).unwrap_or(u64::MAX);
    Ok(Done { partitions: wanted, before: raised.before, held_ms })
}

fn advised(failure: NotRaised) -> anyhow::Error {
    match failure {
        NotRaised::NotMore(_) | NotRaised::TooMany => anyhow!("{failure}"),
        NotRaised::NotHeld(failure) => not_held("there are as many partitions as before", failure),
    }
}

async fn open(config: &Config, overrides: &Overrides) -> anyhow::Result<Opened> {
    let chosen = config.engines.choose().map_err(anyhow::Error::msg)?;
    let (Engine::Distributed(_), []) = (&chosen.queue, chosen.embedded().as_slice()) else {
        bail!(
            "a node with everything in it has as many partitions as `limits.partitions` says when it starts; --config names a \
             cluster's configuration"
        );
    };
    open_here(config, overrides).await
}
