//! Commands that cannot be decided though the log is well, since something that lies there cannot be read. Such a command is put among the
//! dead letters, and then refused. An outage is no reason: while a server is away, commands wait in their queue.

use bytes::Bytes;
use klatch_core::conversation::Rejection;
use klatch_core::ids::{CommandId, ConversationId, DeviceId, Seq};
use klatch_ports::mailboxes::Letter;
use klatch_ports::{Error, ErrorKind};
use klatch_protocol::log::{DeadLetter, Envelope, Malformed, Outcome, decode_index};

use super::refusals::Refusals;
use crate::services::Services;

/// LIMIT: bytes that are kept of what is no command. A command has fewer.
const UNREADABLE_BYTES_MAX: usize = 256 * 1024;

/// What becomes of commands of one conversation that cannot be decided.
#[derive(Default)]
pub struct Poison {
    /// In the order of the envelopes.
    pub outcomes: Vec<Outcome>,
    /// Of commands that took effect before: what followed from them may not have been released.
    pub repeated: Vec<Seq>,
    /// What devices are to be told.
    pub letters: Vec<Letter>,
}

impl Poison {
    /// Puts these commands among the dead letters, but for those that were decided before: these are answered as they were then.
    ///
    /// # Errors
    /// The log, the mailboxes or the dead letters are away, or there is no room: the commands are to be delivered again.
    pub async fn bury(
        services: &Services,
        conversation: ConversationId,
        envelopes: &[Envelope],
        why: &Error,
    ) -> Result<Self, Error> {
        let ids: Vec<_> = envelopes.iter().map(|envelope| envelope.command.id).collect();
        let known = readable(services.event_log.find(conversation, &ids).await)?.unwrap_or_default();
        let asked: Vec<_> = envelopes.iter().filter_map(asked).collect();
        let refusals = readable(Refusals::look(services, conversation, asked).await)?;
        let mut refusals = refusals.unwrap_or_else(|| Refusals::none(services));
        let (mut this, mut dead) = (Self::default(), Vec::new());
        for (at, envelope) in envelopes.iter().enumerate() {
            let index = known.get(at).and_then(Option::as_ref).and_then(|bytes| decode_index(bytes).ok());
            let command = &envelope.command;
            this.outcomes.push(if let Some(index) = index {
                if (index.author, index.hash) == (command.actor, command.hash) {
                    this.repeated.push(index.seq);
                    Outcome::Committed { seq: index.seq, repeated: true }
                } else {
                    Outcome::Rejected(Rejection::CommandReused)
                }
            } else if let Some(rejection) = refusals.before(envelope) {
                Outcome::Rejected(rejection)
            } else {
                dead.push(letter(services, envelope, why));
                refusals.note(envelope, Rejection::Undecidable);
                Outcome::Rejected(Rejection::Undecidable)
            });
        }
        bury(services, dead).await?;
        this.letters = refusals.letters;
        Ok(this)
    }
}

/// Puts letters among the dead ones.
///
/// # Errors
/// `Full`, `Unavailable`.
pub async fn bury(services: &Services, dead: Vec<DeadLetter>) -> Result<(), Error> {
    if dead.is_empty() {
        return Ok(());
    }
    services.commands.bury(dead.iter().map(DeadLetter::encode).collect()).await?;
    metrics::counter!("klatch_dead_letters_total").increment(dead.len() as u64);
    let (count, DeadLetter { conversation, reason, .. }) = (dead.len(), &dead[0]);
    tracing::error!(
        count,
        ?conversation,
        reason,
        "commands lie among the dead letters: `klatch dead-letters` shows them"
    );
    Ok(())
}

/// An error with its causes, as an operator reads it.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

/// What is no command, as a letter: nobody can be told of it.
pub fn unreadable(services: &Services, partition: usize, payload: Bytes, error: &Malformed) -> DeadLetter {
    let end = payload.len().min(UNREADABLE_BYTES_MAX);
    let cut = if end < payload.len() { format!(" (cut off after {end} bytes)") } else { String::new() };
    DeadLetter {
        partition: partition as u32,
        conversation: None,
        at: services.clock.now(),
        reason: format!("it cannot be read: {}{cut}", reason(error)),
        payload: payload.slice(..end),
    }
}

fn letter(services: &Services, envelope: &Envelope, why: &Error) -> DeadLetter {
    DeadLetter {
        partition: services.partitioning.of(envelope.conversation) as u32,
        conversation: Some(envelope.conversation),
        at: services.clock.now(),
        reason: reason(why),
        payload: envelope.encode(),
    }
}

fn asked(envelope: &Envelope) -> Option<(CommandId, DeviceId)> {
    Some((envelope.command.id, envelope.device?))
}

/// What was read; nothing where that cannot be read either.
fn readable<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(error) if error.kind == ErrorKind::Corrupt => Ok(None),
        read => read.map(Some),
    }
}
