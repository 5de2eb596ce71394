//! Deciding what was drained: each command on the state that those before it led to; one append for all; and again, where the
//! log turned out not to be as expected.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use klatch_core::conversation::{Context, Conversation, Decision, Kind, Remembered, decide};
use klatch_core::ids::{CommandId, ConversationId, Seq, UserId};
use klatch_ports::event_log::{Append, Record};
use klatch_ports::{Error, ErrorKind};
use klatch_protocol::log::{Envelope, Failure, Outcome, decode_index};

use super::part::Part;
use super::poison::Poison;
use super::refusals::Refusals;
use super::release::{Answer, release};
use super::states::States;
use crate::crash;
use crate::services::Services;

/// How often a batch is decided again where the log is not as expected.
const ATTEMPTS: usize = 10;

/// How long a batch waits for the directory, which it seldom asks.
const ASKING_MAX: Duration = Duration::from_millis(500);

/// What is being decided.
pub struct Batch<'a> {
    services: &'a Arc<Services>,
    states: &'a mut States,
}

/// What was not decided in a round.
#[derive(Default)]
struct Undecided {
    /// Where commands cannot wait in their queue, that is said.
    answers: Vec<Answer>,
    /// Why commands wait in their queue.
    away: Option<Error>,
    /// Commands that cannot be decided though the log is well, and why.
    poison: Vec<(ConversationId, Vec<Envelope>, Error)>,
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
        if !waiting.is_empty() && self.services.commands.is_durable() {
            return Err(Error::unavailable("conversations changed under every attempt to decide"));
        }
        let failed = Outcome::Failed(Failure::Unavailable);
        let given_up = waiting.into_iter().flat_map(|(_, envelopes)| envelopes);
        let answers = given_up.map(|envelope| Answer::to(&envelope, failed)).collect();
        release(self.services, Vec::new(), Vec::new(), Vec::new(), answers).await?;
        self.states.shrink().await;
        Ok(())
    }

    /// One try for all; returns those who must be decided again. What is released is what could be decided; where the log is away and
    /// the queue is durable, all of it goes back there, and waits.
    async fn round(
        &mut self,
        waiting: Vec<(ConversationId, Vec<Envelope>)>,
    ) -> Result<Vec<(ConversationId, Vec<Envelope>)>, Error> {
        let mut undecided = Undecided::default();
        let mut parts = Vec::new();
        for (conversation, envelopes) in waiting {
            match self.part(conversation, &envelopes).await {
                Ok((outcomes, mut part)) => {
                    (part.outcomes, part.envelopes) = (outcomes, envelopes);
                    parts.push(part);
                }
                Err(error) => self.failed(conversation, envelopes, error, &mut undecided),
            }
        }
        crash::point("before_append");
        let results = self.append(&mut parts).await;
        crash::point("after_sync");
        let appended = parts.iter().zip(&results).filter(|(_, result)| result.is_ok());
        let appended: usize = appended.map(|(part, _)| part.records.len()).sum();
        metrics::counter!("klatch_events_appended_total").increment(appended as u64);
        let (mut answers, mut committed, mut before) = (Vec::new(), Vec::new(), Vec::new());
        let (mut letters, mut again) = (Vec::new(), Vec::new());
        for (mut part, result) in parts.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    letters.append(&mut part.letters);
                    before.extend(self.released_before(part.conversation, &part.repeated).await?);
                    for (envelope, outcome) in part.envelopes.drain(..).zip(part.outcomes.drain(..)) {
                        match outcome {
                            Ok(outcome) => answers.push(Answer::to(&envelope, outcome)),
                            Err(error) => self.failed(part.conversation, vec![envelope], error, &mut undecided),
                        }
                    }
                    committed.extend(part.committed());
                }
                Err(error) if error.kind == ErrorKind::Conflict => {
                    metrics::counter!("klatch_append_conflicts_total").increment(1);
                    self.states.forget(part.conversation);
                    again.push((part.conversation, part.envelopes));
                }
                Err(error) => self.failed(part.conversation, part.envelopes, error, &mut undecided),
            }
        }
        let Undecided { answers: more, mut away, poison } = undecided;
        answers.extend(more);
        // Where something is away, all of it comes again: then nobody is given up now, and once more later.
        let poison = if away.is_none() { poison } else { Vec::new() };
        for (conversation, envelopes, error) in poison {
            match Poison::bury(self.services, conversation, &envelopes, &error).await {
                Ok(poison) => {
                    let outcomes = envelopes.iter().zip(poison.outcomes);
                    answers.extend(outcomes.map(|(envelope, outcome)| Answer::to(envelope, outcome)));
                    letters.extend(poison.letters);
                    before.extend(self.released_before(conversation, &poison.repeated).await?);
                }
                Err(error) => away = Some(error),
            }
        }
        let touched: Vec<_> = committed.iter().map(|done| done.conversation).collect();
        for done in &committed {
            self.states.heads.appended(done.conversation, done.records.last().map_or(Seq::ZERO, |record| record.seq));
        }
        for stale in release(self.services, committed, before, letters, answers).await? {
            self.states.forget(stale);
        }
        for conversation in touched {
            self.states.snapshot_if_due(conversation).await;
        }
        away.map_or(Ok(again), Err)
    }

    /// The records of events that took effect before. With a durable queue a repeat may be a command that was delivered again since
    /// what follows from it was not released: then it is released now. (Embedded, the feed follows the log by itself.)
    async fn released_before(
        &self,
        conversation: ConversationId,
        repeated: &[Seq],
    ) -> Result<Vec<(ConversationId, Record)>, Error> {
        let mut records = Vec::new();
        if self.services.commands.is_durable() {
            for seq in repeated {
                match self.services.event_log.read(conversation, *seq, 1).await {
                    Ok(record) => records.extend(record.into_iter().map(|record| (conversation, record))),
                    // Whoever follows the feed comes upon it in the log.
                    Err(error) if error.kind == ErrorKind::Corrupt => {
                        tracing::error!(%conversation, %seq, %error, "an event cannot be read, and workers are not told of it");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(records)
    }

    /// Commands of a conversation were not decided: that is the answer, or, where they can wait in their queue, they do until the log is
    /// well. If it is well, and they cannot be decided, they are poison.
    fn failed(
        &mut self,
        conversation: ConversationId,
        envelopes: Vec<Envelope>,
        error: Error,
        undecided: &mut Undecided,
    ) {
        self.states.forget(conversation);
        let is_durable = self.services.commands.is_durable();
        if is_durable && error.kind == ErrorKind::Corrupt {
            return undecided.poison.push((conversation, envelopes, error));
        }
        tracing::warn!(%conversation, %error, source = ?std::error::Error::source(&error), "commands were not decided");
        if is_durable {
            undecided.away = Some(error);
            return;
        }
        let is_disk = matches!(error.kind, ErrorKind::Broken | ErrorKind::Full);
        let failure = if is_disk { Failure::StorageFailed } else { Failure::Unavailable };
        undecided.answers.extend(envelopes.iter().map(|envelope| Answer::to(envelope, Outcome::Failed(failure))));
    }

    /// Decides one conversation's commands, in order.
    async fn part(
        &mut self,
        conversation: ConversationId,
        envelopes: &[Envelope],
    ) -> Result<(Vec<Result<Outcome, Error>>, Part), Error> {
        self.states.load(conversation).await?;
        let state = self.states.get_mut(conversation);
        let mut refusals = Refusals::of(self.services, state, envelopes).await?;
        let mut part = Part::new(conversation, state.conversation.seq);
        let mut known = look_up(self.services, &state.conversation, envelopes).await?;
        let mut outcomes = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            let (command, there) = (&envelope.command, &mut state.conversation);
            let find = |id| there.window.get(id).or_else(|| known.get(&id).copied());
            let is_new = find(command.id).is_none();
            if let Some(rejection) = refusals.before(envelope).filter(|_| is_new) {
                outcomes.push(Ok(Outcome::Rejected(rejection)));
                continue;
            }
            let target = command.kind.target().and_then(find);
            if let Some(target) = target
                && let Err(error) = part.load_overlay(self.services, target.seq).await
            {
                if error.kind != ErrorKind::Corrupt {
                    return Err(error);
                }
                outcomes.push(Err(error));
                continue;
            }
            let blocked = match envelope.blocked {
                Some(blocked) => blocked,
                None => is_blocked(self.services, there, command.actor).await?,
            };
            let context = Context {
                now: self.services.clock.now(),
                known: Some(&known),
                overlay: target.and_then(|target| part.overlays.get(&target.seq)),
                blocked,
            };
            outcomes.push(Ok(match decide(there, command, &context) {
                Ok(Decision::New(event)) => {
                    there.apply(&event);
                    known.insert(event.id, Remembered::of(&event));
                    let seq = event.seq;
                    part.take(event);
                    Outcome::Committed { seq, repeated: false }
                }
                Ok(Decision::Repeat(seq)) => {
                    // Of what takes effect in this batch it follows anyway.
                    part.repeated.extend((seq <= part.before).then_some(seq));
                    Outcome::Committed { seq, repeated: true }
                }
                Err(rejection) => {
                    refusals.add(state, envelope, rejection);
                    Outcome::Rejected(rejection)
                }
            }));
        }
        part.letters = refusals.letters;
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
            let is_alone = batch.len() == 1;
            for (at, result) in writing.into_iter().zip(self.services.event_log.append(batch).await) {
                results[at] = match result {
                    Err(error) if error.kind == ErrorKind::Corrupt && !is_alone => {
                        // What cannot be read may be another one's.
                        let alone = self.services.event_log.append(vec![append(&parts[at])]).await;
                        alone.into_iter().next().unwrap_or(Err(error))
                    }
                    result => result,
                };
            }
        }
        let asked: Vec<_> = reading.iter().map(|&at| parts[at].conversation).collect();
        if asked.is_empty() {
            return results;
        }
        for (at, tail) in reading.into_iter().zip(self.tails(&asked).await) {
            results[at] = match tail {
                Ok(tail) if tail == parts[at].before => Ok(()),
                Ok(_) => Err(Error::conflict("the tail has moved since it was decided on")),
                Err(error) => Err(error),
            };
        }
        results
    }

    /// The tails of these conversations. Where one cannot be read, the others can.
    async fn tails(&self, asked: &[ConversationId]) -> Vec<Result<Seq, Error>> {
        match self.services.event_log.tails(asked).await {
            Ok(tails) => tails.into_iter().map(Ok).collect(),
            Err(error) if error.kind == ErrorKind::Corrupt && asked.len() > 1 => {
                let mut tails = Vec::with_capacity(asked.len());
                for one in asked {
                    let tail = self.services.event_log.tails(&[*one]).await;
                    tails.push(tail.map(|tail| tail.first().copied().unwrap_or(Seq::ZERO)));
                }
                tails
            }
            Err(error) => asked.iter().map(|_| Err(Error::new(error.kind, error.to_string()))).collect(),
        }
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

/// Whether a block stands between the two of a direct conversation, where that could not be asked when the command came in. If it cannot
/// be asked now either, that is soon known: others wait behind it.
async fn is_blocked(services: &Services, state: &Conversation, actor: UserId) -> Result<bool, Error> {
    let is_direct = state.kind == Some(Kind::Direct);
    let Some(other) = state.members.keys().find(|member| is_direct && **member != actor) else { return Ok(false) };
    let asked = tokio::time::timeout(ASKING_MAX, services.directory.blocked(actor, *other)).await;
    asked.unwrap_or_else(|_| Err(Error::unavailable("the directory did not say who has blocked whom")))
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
