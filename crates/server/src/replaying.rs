//! Dead letters that an operator has delivered. Each becomes a new command of its author, which nobody waits for: decided on what the
//! conversation is by then, and with a body that is sealed anew, since that is bound to its command's id.
//!
//! The new id follows from the former one, so that a letter that lies there twice, or is delivered twice, takes effect once.

use klatch_core::conversation::{Command, CommandKind, Kind};
use klatch_core::ids::{CommandId, ConversationId, Seq, Uuid};
use klatch_ports::{Error, ErrorKind};
use klatch_protocol::log::{DeadLetter, Envelope, decode_index};
use zeroize::Zeroizing;

use crate::commanding::other_of_direct;
use crate::sealing::{Place, SealError, Sealer};
use crate::services::Services;

/// What became of a letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replayed {
    /// It is in the queue, as this command.
    Submitted(CommandId),
    /// It took effect meanwhile, since its device sent it again.
    TookEffect(Seq),
    /// It cannot become a command, for this reason.
    Kept(String),
}

/// Makes a new command of a letter, and puts it into its queue.
///
/// # Errors
/// A server is away, or the queue is full: nothing is known of this letter, and it may be tried again.
pub async fn replay(services: &Services, sealer: &Sealer, letter: &DeadLetter) -> Result<Replayed, Error> {
    let kept = |why: &str| Ok(Replayed::Kept(why.to_owned()));
    let Ok(envelope) = Envelope::decode(letter.payload.clone()) else { return kept("it cannot be read") };
    let (conversation, former) = (envelope.conversation, envelope.command);
    if matches!(former.kind, CommandKind::Import { .. }) {
        return kept("it is a part of an import: import the same again, of which nothing is imported twice");
    }
    let found = match services.event_log.find(conversation, &[former.id]).await {
        Err(error) if error.kind == ErrorKind::Corrupt => return kept("the index of its conversation cannot be read"),
        found => found?.pop().flatten(),
    };
    if let Some(index) = found.and_then(|bytes| decode_index(&bytes).ok())
        && (index.author, index.hash) == (former.actor, former.hash)
    {
        return Ok(Replayed::TookEffect(index.seq));
    }
    let blocked = Some(is_blocked(services, conversation, &former).await?);
    let id = successor(conversation, &former);
    let kind = match seal_anew(sealer, conversation, id, &former).await {
        Ok(kind) => kind,
        Err(SealError::Keys(error)) => return Err(error),
        Err(SealError::Destroyed) => return kept("the account of its author is closed"),
        Err(SealError::Broken | SealError::WrongMaster) => return kept("what was written cannot be opened"),
    };
    let command = Command { id, after: None, seen: None, kind, ..former };
    let envelope = Envelope { reply_to: Uuid::nil(), correlation: 0, conversation, blocked, device: None, command };
    services.commands.submit(services.partitioning.of(conversation), envelope.encode()).await?;
    Ok(Replayed::Submitted(id))
}

/// A UUIDv7 of the same time.
fn successor(conversation: ConversationId, former: &Command) -> CommandId {
    let mut hasher = blake3::Hasher::new_derive_key("klatch 2026 successor of a dead letter");
    hasher.update(conversation.as_bytes()).update(former.actor.as_bytes()).update(former.id.as_bytes());
    let chance = *hasher.finalize().as_bytes().first_chunk().expect("a hash has 32 bytes");
    let mut ms = [0; 8];
    ms[2..].copy_from_slice(&former.id.as_bytes()[..6]);
    CommandId(uuid::Builder::from_unix_timestamp_millis(u64::from_be_bytes(ms), &chance).into_uuid())
}

/// Whether one of two has blocked the other by now.
async fn is_blocked(services: &Services, conversation: ConversationId, command: &Command) -> Result<bool, Error> {
    let other = match &command.kind {
        CommandKind::Add { user } => Some(*user),
        CommandKind::Create(founding) if founding.kind == Kind::Direct => founding.members.first().copied(),
        CommandKind::Send { .. } | CommandKind::Edit { .. } | CommandKind::React { .. } => {
            other_of_direct(services, command.actor, conversation).await?
        }
        _ => None,
    };
    match other {
        Some(other) => services.directory.blocked(command.actor, other).await,
        None => Ok(false),
    }
}

/// What the command wants, with its body under its new id.
async fn seal_anew(
    sealer: &Sealer,
    conversation: ConversationId,
    id: CommandId,
    former: &Command,
) -> Result<CommandKind, SealError> {
    let mut kind = former.kind.clone();
    if let CommandKind::Send { body, .. } | CommandKind::Edit { body, .. } = &mut kind {
        let place = Place { conversation, author: former.actor, id: former.id };
        let plain = sealer.open(place, body).await?.map(Zeroizing::new).ok_or(SealError::Destroyed)?;
        let key = sealer.author_key(former.actor).await?;
        *body = sealer.seal(&key, Place { id, ..place }, &plain);
    }
    Ok(kind)
}
