//! From what a client sent to a command for the processor: measured, hashed and sealed. The same for the gateway and for REST.

use klatch_core::conversation::{Change, Command, CommandKind, Founding, Kind, Rejection};
use klatch_core::ids::{CommandId, ConversationId, Seq, Timestamp, UserId, Uuid};
use klatch_core::limits::{CONVERSATIONS_PER_PERSON_MAX, TEXT_BYTES_MAX};
use klatch_ports::ErrorKind;
use klatch_ports::directory::State;
use klatch_ports::presence::Rate;
use klatch_protocol::log::{Failure, Outcome, encode_body};
use klatch_protocol::objects::{Body, CommandBody, NewCommand, Problem, Slug};

use crate::conversations::Refused;
use crate::sealing::{AuthorKey, Place, SealError, Sealer};
use crate::services::Services;

/// How far in the future a client's clock may claim to be: one year.
const CLAIM_AHEAD_MS: u64 = 366 * 24 * 3_600_000;

/// Prepares what `actor` wants in `conversation`.
///
/// # Errors
/// The [`Problem`] to answer with.
pub async fn prepare(
    sealer: &Sealer,
    now: Timestamp,
    actor: UserId,
    conversation: ConversationId,
    new: NewCommand,
) -> Result<Command, Problem> {
    check_id(new.id)?;
    measure(&new.command)?;
    let key = sealer.author_key(actor).await.map_err(|error| seal_problem(&error))?;
    let content = serde_json::to_vec(&new.command).map_err(|error| invalid(error.to_string()))?;
    let place = Place { conversation, author: actor, id: CommandId(new.id) };
    Ok(Command {
        id: place.id,
        actor,
        hash: key.hash(&content),
        after: new.after.map(CommandId),
        seen: new.seen.map(Seq),
        claimed_at: new.claimed_at.filter(|at| *at <= now.0 + CLAIM_AHEAD_MS).map(Timestamp),
        kind: kind(sealer, &key, place, new.command),
    })
}

/// Prepares the beginning of a conversation; `id` is the command's.
///
/// # Errors
/// The [`Problem`] to answer with.
pub async fn prepare_founding(
    sealer: &Sealer,
    actor: UserId,
    id: Uuid,
    founding: Founding,
) -> Result<Command, Problem> {
    let key = sealer.author_key(actor).await.map_err(|error| seal_problem(&error))?;
    let Founding { kind, name, topic, history, members } = &founding;
    let content = format!("create {kind:?} {name:?} {topic:?} {history:?} {members:?}");
    Ok(Command {
        id: CommandId(id),
        actor,
        hash: key.hash(content.as_bytes()),
        after: None,
        seen: Some(Seq::ZERO),
        claimed_at: None,
        kind: CommandKind::Create(founding),
    })
}

/// The id of the direct conversation of two people, derived so that there is never a second one.
pub fn direct_conversation(services: &Services, one: UserId, other: UserId) -> ConversationId {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    let mut hasher = blake3::Hasher::new_derive_key("klatch 2026 direct conversation");
    hasher.update(services.workspace.as_bytes()).update(low.as_bytes()).update(high.as_bytes());
    let bytes = *hasher.finalize().as_bytes().first_chunk().expect("a hash has 32 bytes");
    ConversationId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Looks up what the conversation itself cannot know: whether somebody to be added exists, and whether a block stands between
/// the two of a direct conversation, or between `actor` and whom they add. True if one does; nothing if that cannot be asked, and the
/// queue keeps a message until it can.
///
/// # Errors
/// The [`Problem`] to answer with.
pub async fn check(
    services: &Services,
    actor: UserId,
    conversation: ConversationId,
    command: &CommandBody,
) -> Result<Option<bool>, Problem> {
    look_up(services, actor, conversation, command).await.map_err(|error| {
        tracing::warn!(%error, source = ?std::error::Error::source(&error), "a command could not be checked");
        unavailable()
    })?
}

async fn look_up(
    services: &Services,
    actor: UserId,
    conversation: ConversationId,
    command: &CommandBody,
) -> Result<Result<Option<bool>, Problem>, klatch_ports::Error> {
    let blocked = match command {
        CommandBody::Add { user } => {
            let account = services.directory.accounts(&[UserId(*user)]).await?.pop().flatten();
            if account.is_none_or(|account| account.state != State::Active) {
                return Ok(Err(Problem::new(Slug::NotFound).detail("There is no such person.")));
            }
            if services.views.memberships(UserId(*user)).await? >= CONVERSATIONS_PER_PERSON_MAX as u64 {
                return Ok(Err(Problem::new(Slug::TooManyConversations)));
            }
            Some(services.directory.blocked(actor, UserId(*user)).await?)
        }
        CommandBody::Join => {
            if services.views.memberships(actor).await? >= CONVERSATIONS_PER_PERSON_MAX as u64 {
                return Ok(Err(Problem::new(Slug::TooManyConversations)));
            }
            Some(false)
        }
        CommandBody::Send { .. } | CommandBody::Edit { .. } | CommandBody::React { .. } => {
            match blocked_in_direct(services, actor, conversation).await {
                Err(error) if error.kind == ErrorKind::Unavailable && services.keeps_commands() => None,
                blocked => Some(blocked?),
            }
        }
        _ => Some(false),
    };
    Ok(Ok(blocked))
}

async fn blocked_in_direct(
    services: &Services,
    actor: UserId,
    conversation: ConversationId,
) -> Result<bool, klatch_ports::Error> {
    match other_of_direct(services, actor, conversation).await? {
        Some(other) => services.directory.blocked(actor, other).await,
        None => Ok(false),
    }
}

/// With whom `actor` is in a direct conversation, if it is one.
///
/// # Errors
/// The views failed.
pub async fn other_of_direct(
    services: &Services,
    actor: UserId,
    conversation: ConversationId,
) -> Result<Option<UserId>, klatch_ports::Error> {
    // Only direct conversations have derived ids; elsewhere nobody is kept from writing by one member's block.
    if conversation.0.get_version_num() != 8 {
        return Ok(None);
    }
    let row = services.views.inbox_row(actor, conversation).await?;
    Ok(row.filter(|row| row.description.kind == Kind::Direct).and_then(|row| row.with))
}

/// Counts a command, on whatever way it comes.
///
/// # Errors
/// The [`Problem`] to answer with.
pub async fn count(services: &Services, actor: UserId, rate: Rate) -> Result<(), Problem> {
    match services.presence.take(&format!("commands:{actor}"), rate, 1, services.clock.now()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(ms)) => Err(Problem::new(Slug::RateLimited).detail(format!("Wait {ms} ms.")).retry_after_ms(ms)),
        // Whatever else limits the one who sends still does.
        Err(error) => {
            tracing::warn!(%error, "rates cannot be counted");
            Ok(())
        }
    }
}

/// What to tell somebody whose command was not committed.
pub fn problem(outcome: Outcome) -> Problem {
    match outcome {
        Outcome::Rejected(rejection) => rejected(rejection),
        Outcome::Failed(Failure::StorageFailed) => storage_failed(),
        Outcome::Failed(Failure::Unavailable) | Outcome::Committed { .. } => unavailable(),
    }
}

/// What to tell somebody whose command did not reach its queue.
pub fn refusal(refused: Refused) -> Problem {
    match refused {
        Refused::Full => Problem::new(Slug::Unavailable).detail("Too many commands wait.").retry_after_ms(500),
        Refused::Unavailable => unavailable(),
    }
}

/// What to tell somebody when a port failed.
pub fn unavailable() -> Problem {
    Problem::new(Slug::Unavailable).detail("Send it again, with the same id.").retry_after_ms(1_000)
}

/// What to tell somebody when the disk takes no writes.
fn storage_failed() -> Problem {
    Problem::new(Slug::StorageFailed).detail("An operator has to look. Send it again later, with the same id.")
}

fn rejected(rejection: Rejection) -> Problem {
    Slug::parse(rejection.slug()).map_or_else(|| Problem::new(Slug::Internal), Problem::new)
}

fn seal_problem(error: &SealError) -> Problem {
    match error {
        SealError::Destroyed => Problem::new(Slug::AccountClosed),
        SealError::Keys(error) if matches!(error.kind, ErrorKind::Broken | ErrorKind::Full) => storage_failed(),
        SealError::Keys(_) => unavailable(),
        SealError::Broken | SealError::WrongMaster => {
            tracing::error!(%error, "an author's key could not be used");
            Problem::new(Slug::Internal)
        }
    }
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Slug::InvalidRequest).detail(detail)
}

/// Whether a client may give this id to something: of its time only the form is looked at, since clocks are off and order never
/// depends on them.
///
/// # Errors
/// `invalid_request`.
pub fn check_id(id: Uuid) -> Result<(), Problem> {
    let is_v7 = id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122;
    if is_v7 { Ok(()) } else { Err(invalid("`id` must be a UUIDv7.")) }
}

fn measure(command: &CommandBody) -> Result<(), Problem> {
    let (CommandBody::Send { body, .. } | CommandBody::Edit { body, .. }) = command else { return Ok(()) };
    let Body::Text { text, .. } = body else {
        return Err(invalid("The body must be of type \"text\"."));
    };
    if text.trim().is_empty() {
        return Err(invalid("The text is empty."));
    }
    if text.len() > TEXT_BYTES_MAX {
        let detail = format!("The text has {} bytes of UTF-8; at most {TEXT_BYTES_MAX} fit.", text.len());
        return Err(Problem::new(Slug::BodyTooLong).detail(detail));
    }
    Ok(())
}

fn kind(sealer: &Sealer, key: &AuthorKey, place: Place, command: CommandBody) -> CommandKind {
    let users = |all: Vec<Uuid>| all.into_iter().map(UserId).collect();
    let seal = |body: &Body| sealer.seal(key, place, &encode_body(body));
    match command {
        CommandBody::Send { body, mentions, replies, thread } => CommandKind::Send {
            body: seal(&body),
            mentions: users(mentions),
            replies: replies.into_iter().map(CommandId).collect(),
            thread: thread.map(CommandId),
            expires_at: None,
        },
        CommandBody::Edit { target, body, mentions } => {
            CommandKind::Edit { target: CommandId(target), body: seal(&body), mentions: users(mentions) }
        }
        CommandBody::Delete { target } => CommandKind::Delete { target: CommandId(target) },
        CommandBody::React { target, emoji } => CommandKind::React { target: CommandId(target), emoji, on: true },
        CommandBody::Unreact { target, emoji } => CommandKind::React { target: CommandId(target), emoji, on: false },
        CommandBody::Pin { target } => CommandKind::Pin { target: CommandId(target), on: true },
        CommandBody::Unpin { target } => CommandKind::Pin { target: CommandId(target), on: false },
        CommandBody::Join => CommandKind::Join,
        CommandBody::Leave => CommandKind::Leave,
        CommandBody::Add { user } => CommandKind::Add { user: UserId(user) },
        CommandBody::Remove { user } => CommandKind::Remove { user: UserId(user) },
        CommandBody::SetRole { user, role } => CommandKind::SetRole { user: UserId(user), role: role.into() },
        CommandBody::Change { name, topic, history } => {
            CommandKind::Change(Change { name, topic, history: history.map(Into::into) })
        }
    }
}
