//! Deciding what was drained: each command on the state that those before it led to; one append for all; and again, where the
//! log turned out not to be as expected.

use std::collections::HashMap;
use std::sync::Arc;

use klatch_core::conversation::{Context, Conversation, Decision, Event, Overlay, Remembered, decide};
use klatch_core::ids::{CommandId, ConversationId, Seq};
use klatch_ports::event_log::{Append, NewRecord, Record};
use klatch_ports::{Error, ErrorKind};
use klatch_protocol::log::{Envelope, Failure, Outcome, decode_index, decode_overlay, encode_event, encode_index};

use super::release::{Answer, Committed, release};
use super::states::States;
use crate::crash;
use crate::services::Services;

/// How often a batch is decided again where the log is not as expected.
const ATTEMPTS: usize = 10;

/// What is being decided.
pub struct Batch<'a> {
    services: &'a Arc<Services>,
    states: &'a mut States,
}

/// One conversation's part of a batch.
struct Part {
    conversation: ConversationId,
    /// The tail that the decisions stand on.
    before: Seq,
    envelopes: Vec<Envelope>,
    /// In the order of the envelopes.
    outcomes: Vec<Outcome>,
    events: Vec<Event>,
    records: Vec<NewRecord>,
    overlays: HashMap<Seq, Overlay>,
}

impl<'a> Batch<'a> {
    /// A batch of this partition.
    pub fn new(services: &'a Arc<Services>, states: &'a mut States) -> Self {
        Self { services, states }
    }

    /// Decides all of them and releases what follows.
    ///
    /// # Errors
    /// What follows could not be handed on: the commands are to be delivered again.
    pub async fn decide(mut self, envelopes: Vec<Envelope>) -> Result<(), Error> {
        let mut waiting = by_conversation(envelopes);
        for _ in 0..ATTEMPTS {
            if waiting.is_empty() {
                break;
            }
            waiting = self.round(waiting).await?;
        }
        let failed = Outcome::Failed(Failure::Unavailable);
        let given_up = waiting.into_iter().flat_map(|(_, envelopes)| envelopes);
        let answers = given_up.map(|envelope| Answer::to(&envelope, failed)).collect();
        release(self.services, Vec::new(), answers).await?;
        self.states.shrink().await;
        Ok(())
    }

    /// One try for all; returns those who must be decided again.
    async fn round(
        &mut self,
        waiting: Vec<(ConversationId, Vec<Envelope>)>,
    ) -> Result<Vec<(ConversationId, Vec<Envelope>)>, Error> {
        let mut answers = Vec::new();
        let mut parts = Vec::new();
        for (conversation, envelopes) in waiting {
            match self.part(conversation, &envelopes).await {
                Ok((outcomes, mut part)) => {
                    (part.outcomes, part.envelopes) = (outcomes, envelopes);
                    parts.push(part);
                }
                Err(error) => answers.extend(self.failed(conversation, &envelopes, &error)),
            }
        }
        crash::point("before_append");
        let results = self.append(&mut parts).await;
        crash::point("after_sync");
        let mut committed = Vec::new();
        let mut again = Vec::new();
        for (part, result) in parts.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    let outcomes = part.envelopes.iter().zip(&part.outcomes);
                    answers.extend(outcomes.map(|(envelope, outcome)| Answer::to(envelope, *outcome)));
                    committed.extend(part.committed());
                }
                Err(error) if error.kind == ErrorKind::Conflict => {
                    metrics::counter!("klatch_append_conflicts_total").increment(1);
                    self.states.forget(part.conversation);
                    again.push((part.conversation, part.envelopes));
                }
                Err(error) => answers.extend(self.failed(part.conversation, &part.envelopes, &error)),
            }
        }
        let touched: Vec<_> = committed.iter().map(|done| done.conversation).collect();
        for stale in release(self.services, committed, answers).await? {
            self.states.forget(stale);
        }
        for conversation in touched {
            self.states.snapshot_if_due(conversation).await;
        }
        Ok(again)
    }

    fn failed(&mut self, conversation: ConversationId, envelopes: &[Envelope], error: &Error) -> Vec<Answer> {
        tracing::warn!(%conversation, %error, source = ?std::error::Error::source(error), "commands were not decided");
        self.states.forget(conversation);
        let is_disk = matches!(error.kind, ErrorKind::Broken | ErrorKind::Full);
        let failure = if is_disk { Failure::StorageFailed } else { Failure::Unavailable };
        envelopes.iter().map(|envelope| Answer::to(envelope, Outcome::Failed(failure))).collect()
    }

    /// Decides one conversation's commands, in order.
    async fn part(
        &mut self,
        conversation: ConversationId,
        envelopes: &[Envelope],
    ) -> Result<(Vec<Outcome>, Part), Error> {
        self.states.load(conversation).await?;
        let state = self.states.get_mut(conversation);
        let mut part = Part::new(conversation, state.seq);
        let mut known = look_up(self.services, state, envelopes).await?;
        let mut outcomes = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            let command = &envelope.command;
            let target = command.kind.target().and_then(|id| state.window.get(id).or_else(|| known.get(&id).copied()));
            if let Some(target) = target {
                part.load_overlay(self.services, target.seq).await?;
            }
            let context = Context {
                now: self.services.clock.now(),
                known: Some(&known),
                overlay: target.and_then(|target| part.overlays.get(&target.seq)),
                blocked: envelope.blocked,
            };
            outcomes.push(match decide(state, command, &context) {
                Ok(Decision::New(event)) => {
                    state.apply(&event);
                    known.insert(event.id, Remembered::of(&event));
                    let seq = event.seq;
                    part.take(event);
                    Outcome::Committed { seq, repeated: false }
                }
                Ok(Decision::Repeat(seq)) => Outcome::Committed { seq, repeated: true },
                Err(rejection) => Outcome::Rejected(rejection),
            });
        }
        Ok((outcomes, part))
    }

    /// Appends what there is to append. Where there is nothing, the tail that the answers stand on is confirmed instead: an
    /// answer without an append does not fence itself.
    async fn append(&self, parts: &mut [Part]) -> Vec<Result<(), Error>> {
        let (writing, reading): (Vec<_>, Vec<_>) = (0..parts.len()).partition(|&at| !parts[at].records.is_empty());
        let mut results: Vec<_> = (0..parts.len()).map(|_| Ok(())).collect();
        let append = |part: &Part| Append {
            conversation: part.conversation,
            expected: part.before,
            records: part.records.clone(),
        };
        let batch: Vec<_> = writing.iter().map(|&at| append(&parts[at])).collect();
        if !batch.is_empty() {
            for (at, result) in writing.into_iter().zip(self.services.event_log.append(batch).await) {
                results[at] = result;
            }
        }
        let asked: Vec<_> = reading.iter().map(|&at| parts[at].conversation).collect();
        if asked.is_empty() {
            return results;
        }
        match self.services.event_log.tails(&asked).await {
            Ok(tails) => {
                for (at, tail) in reading.into_iter().zip(tails) {
                    if tail != parts[at].before {
                        results[at] = Err(Error::conflict("the tail has moved since it was decided on"));
                    }
                }
            }
            Err(error) => {
                for at in reading {
                    results[at] = Err(Error::new(error.kind, error.to_string()));
                }
            }
        }
        results
    }
}

impl Part {
    fn new(conversation: ConversationId, before: Seq) -> Self {
        Self {
            conversation,
            before,
            envelopes: Vec::new(),
            outcomes: Vec::new(),
            events: Vec::new(),
            records: Vec::new(),
            overlays: HashMap::new(),
        }
    }

    fn take(&mut self, event: Event) {
        if let Some(target) = event.kind.target() {
            self.overlays.entry(target.seq).or_default().apply(&event);
        }
        let stored = encode_event(&event);
        let record = Record { seq: event.seq, id: event.id, head: stored.head, body: stored.body };
        self.records.push(NewRecord { record, index: encode_index(&Remembered::of(&event)) });
        self.events.push(event);
    }

    async fn load_overlay(&mut self, services: &Services, seq: Seq) -> Result<(), Error> {
        if !self.overlays.contains_key(&seq) {
            let rows = services.overlays.range(self.conversation, seq, seq).await?;
            let row = rows.into_iter().next().map(|(_, bytes)| decode_overlay(bytes).map_err(Error::corrupt));
            self.overlays.insert(seq, row.transpose()?.unwrap_or_default());
        }
        Ok(())
    }

    fn committed(self) -> Option<Committed> {
        let Self { conversation, events, records, overlays, before, .. } = self;
        let changed = overlays.into_iter().filter(|(_, overlay)| overlay.as_of > before).collect();
        let records = records.into_iter().map(|new| new.record).collect();
        (!events.is_empty()).then_some(Committed { conversation, events, records, overlays: changed })
    }
}

/// Everything that is known of the ids in these commands: from the window, since deciding the first of them may push out of it
/// what the last of them needs; the rest with one look into the index.
async fn look_up(
    services: &Services,
    state: &Conversation,
    envelopes: &[Envelope],
) -> Result<HashMap<CommandId, Remembered>, Error> {
    let mut known = HashMap::new();
    let mut ids = Vec::new();
    for Envelope { command, .. } in envelopes {
        let is_new = state.window.covers(command.seen);
        let others = command.after.into_iter().chain(command.kind.links()).map(|id| (id, false));
        for (id, is_new) in [(command.id, is_new)].into_iter().chain(others) {
            match state.window.get(id) {
                Some(remembered) => drop(known.insert(id, remembered)),
                None if is_new => {}
                None => ids.push(id),
            }
        }
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(known);
    }
    metrics::counter!("klatch_index_lookups_total").increment(ids.len() as u64);
    let found = services.event_log.find(state.id, &ids).await?;
    for (id, bytes) in ids.into_iter().zip(found) {
        if let Some(bytes) = bytes {
            known.insert(id, decode_index(&bytes).map_err(Error::corrupt)?);
        }
    }
    Ok(known)
}

fn by_conversation(envelopes: Vec<Envelope>) -> Vec<(ConversationId, Vec<Envelope>)> {
    let mut at = HashMap::new();
    let mut groups: Vec<(ConversationId, Vec<Envelope>)> = Vec::new();
    for envelope in envelopes {
        let conversation = envelope.conversation;
        let index = *at.entry(conversation).or_insert_with(|| {
            groups.push((conversation, Vec::new()));
            groups.len() - 1
        });
        groups[index].1.push(envelope);
    }
    groups
}
