//! What follows once events are durable, in this order: what devices are to be told even later, what the sender must read back, then
//! everybody who listens and the one who asked, then the workers.

use std::collections::HashMap;
use std::sync::Arc;

use klatch_core::conversation::{Effect, Event, Overlay, react};
use klatch_core::ids::{ConversationId, Seq, Uuid};
use klatch_ports::Error;
use klatch_ports::event_log::Record;
use klatch_ports::live::{Said, Topic};
use klatch_ports::mailboxes::Letter;
use klatch_protocol::log::{Envelope, Outcome, Personal, SaidEvent, Signal, encode_outcomes, encode_overlay};

use crate::crash;
use crate::environment::Backoff;
use crate::processor::event_of;
use crate::projection::{catch_up, is_inline, project};
use crate::services::Services;

/// LIMIT: events that are said together.
const EVENTS_MAX: usize = 64;
/// LIMIT: bytes of events that are said together, but for one that has more by itself.
const EVENTS_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: outcomes that a node is told together.
const OUTCOMES_MAX: usize = 256;
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
}

/// Releases what follows; of events that were `before`, what must be read back, and what goes to the workers. Returns the conversations
/// whose overlay could not be written: they must be loaded anew, which makes up for it.
///
/// # Errors
/// The mailboxes did not take the letters, and nobody was told anything; or the feed did not take the events.
pub async fn release(
    services: &Arc<Services>,
    committed: Vec<Committed>,
    before: Vec<(ConversationId, Record)>,
    letters: Vec<Letter>,
    answers: Vec<Answer>,
) -> Result<Vec<ConversationId>, Error> {
    if !letters.is_empty() {
        services.mailboxes.put(letters).await?;
    }
    let mut stale = Vec::new();
    for done in &committed {
        if !annotate(services, done).await {
            stale.push(done.conversation);
        }
        crash::point("between_log_and_views");
        project_inline(services, done).await;
    }
    for (conversation, record) in &before {
        show(services, *conversation, record).await;
    }
    crash::point("after_views");
    let said = committed.iter().flat_map(said).chain(told(answers)).collect();
    // What is not heard is repaired through seq, and by the one who asked asking again.
    if let Err(error) = services.live.publish(said).await {
        tracing::warn!(%error, "events were not published; they will be found in the log");
    }
    crash::point("after_acknowledgement");
    feed(services, &committed, before).await?;
    crash::point("after_feed");
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

/// Whoever is told of a repeat must find it in the views: the processor that wrote it to the log may still be writing those, or have died
/// before.
async fn show(services: &Services, conversation: ConversationId, record: &Record) {
    let shown = match event_of(record) {
        Ok(event) if is_inline(&event) => catch_up(services, conversation, record.seq).await,
        other => other.map(drop),
    };
    if let Err(error) = shown {
        tracing::warn!(%error, "views were not written; the worker will make up for it");
    }
}

/// The events to those who listen, and to newcomers that they are in.
fn said(done: &Committed) -> Vec<Said> {
    let mut all = Vec::with_capacity(1);
    let said =
        |events| Said { topic: Topic::Conversation(done.conversation), payload: Signal::Events(events).encode() };
    let (mut together, mut bytes) = (Vec::new(), 0);
    for Record { seq, head, body, .. } in done.records.iter().cloned() {
        bytes += head.len() + body.len();
        if !together.is_empty() && (together.len() >= EVENTS_MAX || bytes > EVENTS_BYTES_MAX) {
            all.push(said(std::mem::take(&mut together)));
            bytes = head.len() + body.len();
        }
        together.push(SaidEvent { seq, head, body });
    }
    all.push(said(together));
    for effect in done.events.iter().flat_map(react) {
        if let Effect::Joined { user, .. } = effect {
            let payload = Personal::Conversation(done.conversation).encode();
            all.push(Said { topic: Topic::User(user), payload });
        }
    }
    all
}

/// The answers to each node.
fn told(answers: Vec<Answer>) -> Vec<Said> {
    let mut nodes: HashMap<Uuid, Vec<(u64, Outcome)>> = HashMap::new();
    for Answer { node, correlation, outcome } in answers {
        nodes.entry(node).or_default().push((correlation, outcome));
    }
    let said = |node, outcomes: &[_]| Said { topic: Topic::Node(node), payload: encode_outcomes(outcomes) };
    let parts = |(node, outcomes): (Uuid, Vec<_>)| -> Vec<Said> {
        outcomes.chunks(OUTCOMES_MAX).map(|part| said(node, part)).collect()
    };
    nodes.into_iter().flat_map(parts).collect()
}

async fn feed(
    services: &Services,
    committed: &[Committed],
    before: Vec<(ConversationId, Record)>,
) -> Result<(), Error> {
    let mut events = before;
    let now = committed.iter().map(|done| done.records.iter().map(|record| (done.conversation, record.clone())));
    events.extend(now.flatten());
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
