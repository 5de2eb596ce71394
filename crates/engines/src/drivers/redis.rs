//! Redis and Valkey: one server, or a cluster. Each process keeps one connection to each node for all of its calls, and what is said
//! in one call goes to each node in one round trip. While a node is away, calls to it fail at once.
//!
//! The library brings the protocol and multiplexing. Its managers of connections are not used: they notice neither a server that
//! is silent nor, between commands, one that cannot be reached, and a pipeline may not touch several slots of a cluster.

#[cfg(test)]
pub mod bench;
mod dial;
mod health;
mod line;
mod slots;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{join_all, select_ok};
use klatch_ports::Error;
use redis::{Pipeline, ServerError, ServerErrorKind, Value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::called;
use super::place::Place;
use dial::Dial;
pub(crate) use dial::Push;
use line::Line;
pub(crate) use line::{CHECK_EVERY, Visitor, check, keep};
pub(crate) use slots::Slots;

const PORT: u16 = 6379;
/// Within which an answer must come, and a connection come about, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(1);
/// How often a call follows slots that have moved.
const REDIRECTS_MAX: usize = 4;
/// How long it rests between asking who has which slots.
const REFRESH_EVERY: Duration = Duration::from_millis(100);
/// Nodes that are asked at once who has which slots.
const ASKED_MAX: usize = 8;

/// A Redis. Cheap to clone: all clones share the connections.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    dial: Arc<Dial>,
    /// The nodes that the operator named.
    seeds: Vec<Arc<str>>,
    is_cluster: bool,
    timeout: Duration,
    prefix: String,
    slots: watch::Sender<Arc<Slots>>,
    lines: Mutex<HashMap<Arc<str>, Arc<Line>>>,
    /// When it was last asked who has which slots. Held while asking.
    refreshed: Arc<tokio::sync::Mutex<Option<Instant>>>,
}

/// A command, and the key that says which node it is for.
pub(crate) struct Call {
    pub key: Bytes,
    pub name: &'static str,
    pub args: Vec<Bytes>,
}

/// What a command was answered.
pub(crate) type Answer = Result<Value, ServerError>;

/// Where a call that could not be answered goes next.
#[derive(Clone)]
struct Redirect {
    address: Arc<str>,
    /// The slot is on its way there, so the node answers only if asked to.
    is_asking: bool,
}

/// The calls that go to one node: their numbers, and whether it is asked to answer for a slot that is on its way.
type Group = (Arc<str>, Vec<(usize, bool)>);

impl Redis {
    /// A Redis at `redis://host:port/database`, or at `redis://host,host?cluster=true`, of which the named nodes need not be all.
    /// Options: `prefix` of keys and channels (`klatch`), `timeout_ms`. Nobody is connected to yet.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn at(mut place: Place) -> Result<Self, String> {
        let is_cluster = match place.take("cluster").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(format!("`cluster` is `{other}`; it is `true` or left out")),
        };
        let timeout = match place.take("timeout_ms").map(|ms| ms.parse::<u32>()) {
            None => TIMEOUT,
            Some(Ok(ms @ 1..)) => Duration::from_millis(ms.into()),
            Some(_) => return Err("the option `timeout_ms` is not a number above 0".to_owned()),
        };
        let prefix = place.take("prefix").unwrap_or_else(|| "klatch".to_owned());
        if prefix.is_empty() || prefix.contains(['{', '}']) {
            return Err("`prefix` is not empty, and has no braces".to_owned());
        }
        place.done()?;
        let database = match place.path.as_str() {
            "" => 0,
            path => path.parse::<u16>().map_err(|_| format!("`{path}` is no number of a database, such as `/0`"))?,
        };
        match (is_cluster, place.hosts.len(), database) {
            (false, 2.., _) => return Err("several hosts are a cluster: add `cluster=true`, or name one".to_owned()),
            (true, _, 1..) => return Err("a cluster has no databases: leave the path out".to_owned()),
            _ => {}
        }
        let seeds: Vec<Arc<str>> = place.hosts_or(PORT).into_iter().map(Arc::from).collect();
        let slots = if is_cluster { Slots::default() } else { Slots::all_at(seeds[0].clone()) };
        Ok(Self(Arc::new(Shared {
            dial: Arc::new(Dial::new(&place, database)?),
            seeds,
            is_cluster,
            timeout,
            prefix,
            slots: watch::Sender::new(Arc::new(slots)),
            lines: Mutex::default(),
            refreshed: Arc::default(),
        })))
    }

    /// Whether it is a cluster.
    pub fn is_cluster(&self) -> bool {
        self.0.is_cluster
    }

    /// What keys and channels begin with.
    pub fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// Within which an answer must come.
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// How nodes are connected to.
    pub(crate) fn dial(&self) -> Arc<Dial> {
        self.0.dial.clone()
    }

    /// Does all of this, in the order given where the key is the same, and returns the answers in that order.
    ///
    /// # Errors
    /// `Unavailable`: any part of it may have been done.
    pub(crate) async fn call(&self, calls: &[Call]) -> Result<Vec<Answer>, Error> {
        let late = || Error::unavailable(format!("Redis gave no answer within {:?}", self.0.timeout));
        let answers = match timeout(self.0.timeout, self.call_all(calls)).await {
            Ok(answers) => answers,
            Err(_) => Err(late()),
        };
        if answers.is_err() && self.0.is_cluster {
            // Another node may have taken over. This call is not done again: nobody knows what became of it.
            self.refresh_later();
        }
        answers
    }

    async fn call_all(&self, calls: &[Call]) -> Result<Vec<Answer>, Error> {
        let mut answers: Vec<Option<Answer>> = calls.iter().map(|_| None).collect();
        let mut open: Vec<(usize, Option<Redirect>)> = (0..calls.len()).map(|number| (number, None)).collect();
        for _ in 0..=REDIRECTS_MAX {
            let groups = self.group(calls, &std::mem::take(&mut open)).await?;
            // All are waited for, also when one fails: what was begun is not left half written.
            let asked = join_all(groups.iter().map(|(address, group)| self.ask(address, calls, group))).await;
            for ((_, group), values) in groups.iter().zip(asked) {
                for ((number, _), answer) in group.iter().zip(values?) {
                    match answer.as_ref().err().and_then(redirect) {
                        Some(redirect) => open.push((*number, Some(redirect))),
                        None => answers[*number] = Some(answer),
                    }
                }
            }
            if open.is_empty() {
                return Ok(answers.into_iter().flatten().collect());
            }
            // Groups were walked node by node; what is said on one key stays in order.
            open.sort_by_key(|(number, _)| *number);
            if open.iter().any(|(_, redirect)| redirect.as_ref().is_some_and(|redirect| !redirect.is_asking)) {
                self.refresh_later();
            }
        }
        Err(Error::unavailable("the nodes of Redis do not agree on who has which slots"))
    }

    /// Sorts calls by the node that they go to.
    async fn group(&self, calls: &[Call], open: &[(usize, Option<Redirect>)]) -> Result<Vec<Group>, Error> {
        let slots = self.slots().await?;
        let mut groups: Vec<Group> = Vec::new();
        for (number, redirect) in open {
            let (address, is_asking) = match redirect {
                Some(redirect) => (&redirect.address, redirect.is_asking),
                None => (slots.node_of(&calls[*number].key).ok_or_else(nobody)?, false),
            };
            match groups.iter_mut().find(|(other, _)| other == address) {
                Some((_, group)) => group.push((*number, is_asking)),
                None => groups.push((address.clone(), vec![(*number, is_asking)])),
            }
        }
        Ok(groups)
    }

    /// One round trip to a node.
    async fn ask(&self, address: &Arc<str>, calls: &[Call], group: &[(usize, bool)]) -> Result<Vec<Answer>, Error> {
        let mut pipeline = Pipeline::with_capacity(group.len());
        for (number, is_asking) in group {
            if *is_asking {
                pipeline.cmd("ASKING");
            }
            let call = &calls[*number];
            pipeline.cmd(call.name);
            for arg in &call.args {
                pipeline.arg(&**arg);
            }
        }
        count(&pipeline);
        let mut values = self.line(address).ask(&pipeline).await?.into_iter();
        let mut answers = Vec::with_capacity(group.len());
        for (_, is_asking) in group {
            if *is_asking {
                values.next();
            }
            answers.push(match values.next() {
                Some(Value::ServerError(error)) => Err(error),
                Some(value) => Ok(value),
                None => return Err(Error::unavailable("Redis gave fewer answers than it was asked")),
            });
        }
        Ok(answers)
    }

    fn line(&self, address: &Arc<str>) -> Arc<Line> {
        let mut lines = self.0.lines.lock().expect("nobody panics while holding this lock");
        let line = || Arc::new(Line::to(self.0.dial.clone(), address.clone(), self.0.timeout));
        lines.entry(address.clone()).or_insert_with(line).clone()
    }

    /// Who has which slots, as far as is known. A cluster is asked first if nothing is.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) async fn slots(&self) -> Result<Arc<Slots>, Error> {
        if self.0.slots.borrow().is_empty() {
            self.refresh().await;
        }
        let slots = self.0.slots.borrow().clone();
        if slots.is_empty() { Err(nobody()) } else { Ok(slots) }
    }

    /// Who has which slots, now and whenever it changes.
    pub(crate) fn watch_slots(&self) -> watch::Receiver<Arc<Slots>> {
        self.0.slots.subscribe()
    }

    /// Asks a cluster who has which slots, or waits for who asks already.
    pub(crate) async fn refresh(&self) {
        let begun = Instant::now();
        let mut refreshed = self.0.refreshed.lock().await;
        if self.0.is_cluster && refreshed.is_none_or(|refreshed| refreshed < begun) {
            self.refresh_under(&mut refreshed).await;
        }
    }

    /// Asks who has which slots, with nobody waiting for it.
    pub(crate) fn refresh_later(&self) {
        // One at a time: so what was begun here is bounded.
        let Ok(mut refreshed) = self.0.refreshed.clone().try_lock_owned() else { return };
        let redis = self.clone();
        if redis.0.is_cluster {
            tokio::spawn(async move { redis.refresh_under(&mut refreshed).await });
        }
    }

    async fn refresh_under(&self, refreshed: &mut Option<Instant>) {
        if let Some(refreshed) = refreshed {
            sleep_until(*refreshed + REFRESH_EVERY).await;
        }
        let known = self.0.slots.borrow().clone();
        let nodes: Vec<_> = known.nodes().into_iter().chain(self.0.seeds.iter().cloned()).take(ASKED_MAX).collect();
        let asked = nodes.iter().map(|address| {
            Box::pin(async move {
                let mut pipeline = Pipeline::with_capacity(1);
                pipeline.cmd("CLUSTER").arg("SLOTS");
                let answer = self.line(address).ask(&pipeline).await?.pop();
                answer.and_then(|value| Slots::parse(&value, address)).ok_or_else(nobody)
            })
        });
        match timeout(self.0.timeout, select_ok(asked)).await {
            Ok(Ok((slots, _))) => {
                let mut lines = self.0.lines.lock().expect("nobody panics while holding this lock");
                lines.retain(|address, _| slots.nodes().contains(address) || self.0.seeds.contains(address));
                drop(lines);
                self.0.slots.send_if_modified(|known| {
                    let has_changed = **known != slots;
                    *known = Arc::new(slots);
                    has_changed
                });
            }
            Ok(Err(error)) => tracing::debug!(%error, "no node of Redis says who has which slots"),
            Err(_) => tracing::debug!("no node of Redis says in time who has which slots"),
        }
        *refreshed = Some(Instant::now());
    }
}

/// Counts a round trip, and its commands.
pub(crate) fn count(pipeline: &Pipeline) {
    called("redis");
    metrics::counter!("klatch_redis_commands_total").increment(pipeline.len() as u64);
}

fn nobody() -> Error {
    Error::unavailable("no node of Redis is known that has this slot")
}

/// Where a node sends those who ask for a slot that it does not have.
fn redirect(error: &ServerError) -> Option<Redirect> {
    let is_asking = match error.kind() {
        Some(ServerErrorKind::Ask) => true,
        Some(ServerErrorKind::Moved) => false,
        _ => return None,
    };
    let address = error.details()?.split_ascii_whitespace().nth(1)?;
    Some(Redirect { address: address.into(), is_asking })
}

#[cfg(test)]
mod tests;
