//! Somebody's conversations, as their list shows them.

use klatch_core::conversation::EventKind;
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::views::{Cursor, InboxRow, Notify};
use klatch_protocol::objects::{Conversation, ConversationSettings, Event, EventBody, Head, NotifyLevel, ReadCursor};

use crate::history::Reader;
use crate::processor::event_of;
use crate::sealing::Sealer;
use crate::services::Services;

/// Conversations on a page, at most.
pub const PAGE_MAX: usize = 200;
/// Events that the views may lack and that are looked through for the newest message, per conversation.
const FRESH_MAX: u64 = 64;

/// One conversation as `user` sees it; `None` if they are no member.
///
/// # Errors
/// A port failed.
pub async fn item(
    services: &Services,
    sealer: &Sealer,
    user: UserId,
    conversation: ConversationId,
) -> Result<Option<Conversation>, Error> {
    let Some(row) = services.views.inbox_row(user, conversation).await? else { return Ok(None) };
    let mut rows = [row];
    freshen(services, &mut rows).await?;
    let [row] = rows;
    present(services, sealer, user, row).await.map(Some)
}

/// A page of somebody's conversations, newest activity first, and where the next one begins.
///
/// # Errors
/// A port failed.
pub async fn page(
    services: &Services,
    sealer: &Sealer,
    user: UserId,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Conversation>, Option<String>), Error> {
    let limit = limit.min(PAGE_MAX);
    let mut rows = services.views.inbox(user, after.and_then(parse), limit).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| {
        let description = &row.description;
        format!("{}.{}", description.head.at.0, description.conversation)
    });
    freshen(services, &mut rows).await?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(present(services, sealer, user, row).await?);
    }
    Ok((items, next))
}

/// How far somebody has read in the conversations of a page.
///
/// # Errors
/// The views failed.
pub async fn cursors(
    services: &Services,
    user: UserId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(ConversationId, ReadCursor)>, Error> {
    let rows = services.views.inbox(user, after.and_then(parse), limit.min(PAGE_MAX)).await?;
    Ok(rows.into_iter().map(|row| (row.description.conversation, read(row.cursor))).collect())
}

/// The level as the views keep it.
pub const fn notify(level: NotifyLevel) -> Notify {
    match level {
        NotifyLevel::All => Notify::All,
        NotifyLevel::Mentions => Notify::Mentions,
        NotifyLevel::None => Notify::None,
    }
}

const fn read(cursor: Cursor) -> ReadCursor {
    ReadCursor { seq: cursor.read.0, version: cursor.version, worthy: cursor.read_worthy }
}

fn parse(cursor: &str) -> Option<(Timestamp, ConversationId)> {
    let (at, conversation) = cursor.split_once('.')?;
    Some((Timestamp(at.parse().ok()?), conversation.parse().ok()?))
}

/// Plain messages reach the views a moment after the log; who lists their conversations must see them at once.
async fn freshen(services: &Services, rows: &mut [InboxRow]) -> Result<(), Error> {
    let asked: Vec<_> = rows.iter().map(|row| row.description.conversation).collect();
    let tails = services.event_log.tails(&asked).await?;
    for (row, tail) in rows.iter_mut().zip(tails) {
        let head = &mut row.description.head;
        if tail <= head.seq {
            continue;
        }
        let from = Seq(tail.0.saturating_sub(FRESH_MAX)).max(head.seq).next();
        for record in services.event_log.read(row.description.conversation, from, FRESH_MAX as usize).await? {
            let event = event_of(&record)?;
            (head.seq, head.worthy, head.at) = (event.seq, event.worthy, event.at);
            if matches!(event.kind, EventKind::Sent(_)) {
                head.message = event.seq;
            }
        }
    }
    Ok(())
}

async fn present(services: &Services, sealer: &Sealer, user: UserId, row: InboxRow) -> Result<Conversation, Error> {
    let InboxRow { description, membership, cursor, settings, mentions, with } = row;
    let last = last_message(services, sealer, user, description.conversation, description.head.message).await?;
    let head = description.head;
    Ok(Conversation {
        id: description.conversation.0,
        kind: description.kind.into(),
        name: description.name,
        topic: description.topic,
        history: description.history.into(),
        role: membership.role.into(),
        joined_seq: membership.joined.0,
        members: description.members,
        with: with.map(|user| user.0),
        head: Head { seq: head.seq.0, worthy: head.worthy, at: head.at.0 },
        read: read(cursor),
        delivered: cursor.delivered.0,
        mentions,
        settings: ConversationSettings { notify: level(settings.notify), favourite: settings.favourite },
        last,
        events: None,
        afresh: None,
    })
}

const fn level(notify: Notify) -> NotifyLevel {
    match notify {
        Notify::All => NotifyLevel::All,
        Notify::Mentions => NotifyLevel::Mentions,
        Notify::None => NotifyLevel::None,
    }
}

/// The newest message as it reads now, for a preview.
async fn last_message(
    services: &Services,
    sealer: &Sealer,
    user: UserId,
    conversation: ConversationId,
    seq: Seq,
) -> Result<Option<Event>, Error> {
    if seq == Seq::ZERO {
        return Ok(None);
    }
    let Some(reader) = Reader::admit(services, sealer, user, conversation).await? else { return Ok(None) };
    let mut page = reader.messages(&[seq]).await?;
    let edit = page.overlay.remove(&seq.0).and_then(|overlay| overlay.edited);
    let Some(mut message) = page.events.pop() else { return Ok(None) };
    if let (Some(edit), EventBody::Sent { body, .. }) = (edit, &mut message.kind) {
        *body = edit.body;
    }
    Ok(Some(message))
}
