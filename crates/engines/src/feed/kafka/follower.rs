//! A worker's place in the feed: its own member of the worker's group. Positions are counted by the follower; what they mean, as
//! offsets of partitions, it remembers until they are committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use klatch_ports::feed::{Entry, Follower};
use klatch_ports::{Error, ErrorKind};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::super::bundles::Window;
use crate::drivers::kafka::{Kafka, Member, Message, Places, Settled, committed, ends, error, starts};

/// A follower.
pub struct KafkaFollower {
    member: Arc<Member>,
    /// Something came, or a partition came or went.
    changed: Arc<Notify>,
    topic: String,
    timeout: Duration,
    session: Duration,
    /// The partition of what came last, so that each has its turn.
    partition: i32,
    window: Window<Settled>,
}

impl KafkaFollower {
    pub(super) fn new(member: Arc<Member>, changed: Arc<Notify>, kafka: &Kafka) -> Self {
        let (topic, timeout, session) = (kafka.feed_topic(), kafka.timeout(), kafka.session());
        Self { member, changed, topic, timeout, session, partition: -1, window: Window::new() }
    }

    /// What was read of a partition that is not ours any more is handed out to another follower.
    fn forget_the_lost(&mut self) {
        let is_lost = |place: &Settled| !self.member.inboxes().holds(place.partition, place.turn);
        if self.window.next_place().is_some_and(is_lost) {
            self.window.give_up();
        }
    }

    /// Where each of our partitions goes on, once the group has said which these are.
    async fn places(&self) -> Result<Places, Error> {
        // The session of one that died may have to end first.
        let patience = self.session + self.timeout;
        let known = async {
            loop {
                match self.member.inboxes().places()? {
                    Some(places) => return Ok(places),
                    None => self.changed.notified().await,
                }
            }
        };
        let known = tokio::time::timeout(patience, known).await;
        known.map_err(|_| Error::unavailable("the group has not handed out its partitions yet"))?
    }
}

#[async_trait]
impl Follower for KafkaFollower {
    async fn next(&mut self, limit: usize) -> Result<Vec<Entry>, Error> {
        self.forget_the_lost();
        while self.window.is_empty()? {
            match self.member.inboxes().take(self.partition, limit)? {
                Some((partition, turn, messages)) => {
                    self.partition = partition;
                    for Message { offset, payload, .. } in messages {
                        self.window.put(Settled { partition, turn, offset: offset + 1 }, payload);
                    }
                }
                // What changed since we looked has left word.
                None => self.changed.notified().await,
            }
        }
        Ok(self.window.hand_out(limit))
    }

    async fn is_behind(&mut self) -> Result<bool, Error> {
        let places = self.places().await?;
        if self.window.has_some() || self.member.inboxes().has_some() {
            return Ok(true);
        }
        let (topic, timeout, deadline) = (self.topic.clone(), self.timeout, Instant::now() + self.timeout);
        let asked = self.member.with_client(deadline, move |consumer| {
            let unknown = places.iter().filter(|(_, next)| next.is_none()).map(|(partition, _)| *partition);
            let mut known = committed(consumer, &topic, unknown, timeout)?;
            known.extend(places.iter().filter_map(|(partition, next)| Some((*partition, (*next)?))));
            let mut ends = ends(consumer, &topic, places.keys().copied(), timeout)?;
            ends.retain(|partition, end| known.get(partition).is_none_or(|next| *next < *end));
            // Of what was not read in time nothing may be left.
            let starts = starts(consumer, &topic, ends.keys().copied(), timeout)?;
            Ok(starts.iter().any(|(partition, start)| *start < ends[partition]))
        });
        asked.await?.map_err(error)
    }

    async fn commit(&mut self, position: u64) -> Result<(), Error> {
        // The last word on each partition.
        let settled: BTreeMap<_, _> =
            self.window.done(position).map(|place| ((place.partition, place.turn), *place)).collect();
        if !settled.is_empty() {
            // What went to another follower meanwhile is not committed: it comes again there.
            match self.member.commit(settled.into_values().collect()).await {
                // The group is being put together anew, and will say what is ours.
                Err(error) if error.kind == ErrorKind::Conflict => return Err(Error::unavailable(error)),
                done => done?,
            };
        }
        self.window.commit(position);
        Ok(())
    }
}
