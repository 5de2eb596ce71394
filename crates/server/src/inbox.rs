//! Somebody's conversations, as their list shows them.

use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};
use klatch_ports::Error;
use klatch_ports::views::{InboxRow, Notify};
use klatch_protocol::objects::{Conversation, ConversationSettings, Event, EventBody, Head, NotifyLevel, ReadCursor};

use crate::history::Reader;
use crate::sealing::Sealer;
use crate::services::Services;

/// Conversations on a page, at most.
pub const PAGE_MAX: usize = 200;

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
    match services.views.inbox_row(user, conversation).await? {
        Some(row) => present(services, sealer, user, row).await.map(Some),
        None => Ok(None),
    }
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
    let rows = services.views.inbox(user, after.and_then(parse), limit).await?;
    let next = rows.last().filter(|_| rows.len() == limit).map(|row| {
        let description = &row.description;
        format!("{}.{}", description.head.at.0, description.conversation)
    });
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(present(services, sealer, user, row).await?);
    }
    Ok((items, next))
}

/// The level as the views keep it.
pub const fn notify(level: NotifyLevel) -> Notify {
    match level {
        NotifyLevel::All => Notify::All,
        NotifyLevel::Mentions => Notify::Mentions,
        NotifyLevel::None => Notify::None,
    }
}

fn parse(cursor: &str) -> Option<(Timestamp, ConversationId)> {
    let (at, conversation) = cursor.split_once('.')?;
    Some((Timestamp(at.parse().ok()?), conversation.parse().ok()?))
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
        read: ReadCursor { seq: cursor.read.0, version: cursor.version, worthy: cursor.read_worthy },
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
