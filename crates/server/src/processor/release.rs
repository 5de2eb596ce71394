//! What follows once events are durable, in this order: what the sender must read back, then everybody who listens and the
//! one who asked, then the workers.

use std::sync::Arc;

use klatch_core::conversation::{Effect, Event, Overlay, react};
use klatch_core::ids::{ConversationId, Seq, Uuid};
use klatch_ports::Error;
use klatch_ports::event_log::Record;
use klatch_ports::live::{Said, Topic};
use klatch_protocol::log::{Envelope, Outcome, Personal, Signal, encode_overlay};

use crate::crash;
use crate::environment::Backoff;
use crate::projection::{is_inline, project};
use crate::services::Services;

/// How often the feed is asked again before the commands go back to their queue.
const FEED_ATTEMPTS: usize = 5;

/// Events of one conversation that are durable.
pub struct Committed {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The events, consecutive, at least one.
    pub events: Vec<Event>,
    /// The same, as they lie in the log.
    pub records: Vec<Record>,
    /// The overlays that they changed.
    pub overlays: Vec<(Seq, Overlay)>,
}

/// What somebody is to be told.
pub struct Answer {
    node: Uuid,
    correlation: u64,
    outcome: Outcome,
}

impl Answer {
    /// An answer to whoever sent this envelope.
    pub fn to(envelope: &Envelope, outcome: Outcome) -> Self {
        Self { node: envelope.reply_to, correlation: envelope.correlation, outcome }
    }

    fn said(&self) -> Said {
        Said { topic: Topic::Node(self.node), payload: self.outcome.encode(self.correlation) }
    }
}

/// Releases what follows. Returns the conversations whose overlay could not be written: they must be loaded anew, which makes
/// up for it.
///
/// # Errors
/// The feed did not take the events.
pub async fn release(
    services: &Arc<Services>,
    committed: Vec<Committed>,
    answers: Vec<Answer>,
) -> Result<Vec<ConversationId>, Error> {
    let mut stale = Vec::new();
    for done in &committed {
        if !annotate(services, done).await {
            stale.push(done.conversation);
        }
        crash::point("between_log_and_views");
        project_inline(services, done).await;
    }
    crash::point("after_views");
    let said = committed.iter().flat_map(said).chain(answers.iter().map(Answer::said)).collect();
    // What is not heard is repaired through seq, and by the one who asked asking again.
    if let Err(error) = services.live.publish(said).await {
        tracing::warn!(%error, "events were not published; they will be found in the log");
    }
    crash::point("after_acknowledgement");
    feed(services, &committed).await?;
    Ok(stale)
}

async fn annotate(services: &Services, done: &Committed) -> bool {
    if done.overlays.is_empty() {
        return true;
    }
    let upto = done.records.last().map_or(Seq::ZERO, |record| record.seq);
    let rows = done.overlays.iter().map(|(seq, overlay)| (*seq, encode_overlay(overlay))).collect();
    let put = services.overlays.put(done.conversation, upto, rows).await;
    put.inspect_err(|error| tracing::warn!(%error, "an overlay was not written; it will be replayed")).is_ok()
}

async fn project_inline(services: &Services, done: &Committed) {
    if !done.events.iter().any(is_inline) {
        return;
    }
    if let Err(error) = project(services, done.conversation, &done.events).await {
        tracing::warn!(%error, "views were not written; the worker will make up for it");
    }
}

/// The events to those who listen, and to newcomers that they are in.
fn said(done: &Committed) -> Vec<Said> {
    let mut all = Vec::with_capacity(done.records.len());
    for (event, record) in done.events.iter().zip(&done.records) {
        let Record { seq, head, body, .. } = record.clone();
        all.push(Said {
            topic: Topic::Conversation(done.conversation),
            payload: Signal::Event { seq, head, body }.encode(),
        });
        for effect in react(event) {
            if let Effect::Joined { user, .. } = effect {
                let payload = Personal::Conversation(done.conversation).encode();
                all.push(Said { topic: Topic::User(user), payload });
            }
        }
    }
    all
}

async fn feed(services: &Services, committed: &[Committed]) -> Result<(), Error> {
    let events: Vec<_> = committed
        .iter()
        .flat_map(|done| done.records.iter().map(|record| (done.conversation, record.clone())))
        .collect();
    if events.is_empty() {
        return Ok(());
    }
    let mut backoff = Backoff::default();
    for _ in 1..FEED_ATTEMPTS {
        match services.feed.publish(&events).await {
            Ok(()) => return Ok(()),
            Err(_) => backoff.wait(&*services.entropy).await,
        }
    }
    services.feed.publish(&events).await
}
