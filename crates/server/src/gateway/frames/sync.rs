//! `sync`: "this is what I hold; tell me the rest", page by page.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use klatch_core::conversation::EventKind;
use klatch_core::ids::{ConversationId, Seq, Uuid};
use klatch_ports::Error;
use klatch_protocol::gateway::{CloseCode, ServerFrame};
use klatch_protocol::objects::{Conversation, Event, HistoryMode, Problem, Slug};

use super::super::connection::Connection;
use super::super::outbox::encode;
use super::super::{Gateway, LIMITS};
use crate::commanding::unavailable;
use crate::inbox;
use crate::presenting::{erase, present};
use crate::processor::event_of;

/// Events of one conversation in an answer; where more follow, the client begins afresh.
const EVENTS_MAX: u64 = 500;
/// Bytes of events in an answer, about; where more follow, the client begins afresh.
const ANSWER_BYTES_MAX: usize = 128 * 1024;

/// Answers one page, and attaches the connection to its conversations.
pub async fn sync(
    gateway: &Arc<Gateway>,
    connection: &Arc<Connection>,
    have: BTreeMap<Uuid, u64>,
    after: Option<String>,
) -> Result<(), Problem> {
    if have.len() > LIMITS.have {
        let detail = format!("`have` names {} conversations; at most {} fit.", have.len(), LIMITS.have);
        return Err(Problem::new(Slug::InvalidRequest).detail(detail));
    }
    answer(gateway, connection, &have, after).await.map_err(|error| {
        tracing::warn!(%error, source = ?std::error::Error::source(&error), "sync failed");
        unavailable()
    })
}

async fn answer(
    gateway: &Arc<Gateway>,
    connection: &Arc<Connection>,
    have: &BTreeMap<Uuid, u64>,
    after: Option<String>,
) -> Result<(), Error> {
    let Gateway { services, sealer, .. } = &**gateway;
    let (mut items, next) = inbox::page(services, sealer, connection.user, after.as_deref(), inbox::PAGE_MAX).await?;
    let mut room = ANSWER_BYTES_MAX;
    for item in &mut items {
        if let Some(known) = have.get(&item.id) {
            follow_up(gateway, item, *known, &mut room).await?;
        }
    }
    let starts: Vec<_> = items.iter().map(|item| (ConversationId(item.id), Seq(item.head.seq))).collect();
    let told: HashMap<_, _> = items.iter().map(|item| (ConversationId(item.id), item.read.version)).collect();
    let gone = if next.is_none() { gone(gateway, connection, have).await? } else { Vec::new() };
    let frame = encode(&ServerFrame::Conversations { items, gone, next });
    connection.outbox.push_answer(frame);
    if let Err(error) = go_live(gateway, connection, starts, told, after.as_deref()).await {
        // The page says that its conversations are live. They are not, so this is over: whoever comes back is told of everything.
        tracing::warn!(%error, source = ?std::error::Error::source(&error), "whoever synced does not hear what follows");
        connection.outbox.close(CloseCode::Internal);
    }
    Ok(())
}

/// Attaches a connection to the conversations of a page that it was told, each from where it stood then.
async fn go_live(
    gateway: &Gateway,
    connection: &Arc<Connection>,
    starts: Vec<(ConversationId, Seq)>,
    told: HashMap<ConversationId, u64>,
    after: Option<&str>,
) -> Result<(), Error> {
    let Gateway { services, hub, .. } = gateway;
    for (conversation, start) in starts {
        hub.attach(connection, conversation, start).await?;
    }
    // What another device read after the list was made and before this one was attached, nobody has told it.
    for (conversation, read) in inbox::cursors(services, connection.user, after, inbox::PAGE_MAX).await? {
        if told.get(&conversation).is_some_and(|version| *version < read.version) {
            let (conversation, user) = (conversation.0, connection.user.0);
            connection.outbox.push(encode(&ServerFrame::Cursor {
                conversation,
                user,
                read: Some(read),
                delivered: None,
            }));
        }
    }
    Ok(())
}

/// What followed in a conversation after what the client has, or that it must begin afresh.
async fn follow_up(gateway: &Gateway, item: &mut Conversation, known: u64, room: &mut usize) -> Result<(), Error> {
    let missing = item.head.seq.saturating_sub(known);
    if missing > EVENTS_MAX || known > item.head.seq {
        item.afresh = Some(true);
        return Ok(());
    }
    if known + 1 < item.joined_seq && item.history == HistoryMode::SinceJoined {
        item.afresh = Some(true);
        return Ok(());
    }
    let (id, from) = (ConversationId(item.id), Seq(known).next());
    let records = gateway.services.event_log.read(id, from, missing as usize).await?;
    let bytes: usize = records.iter().map(|record| record.head.len() + record.body.len() + 256).sum();
    if bytes > *room || records.len() < missing as usize {
        item.afresh = Some(true);
        return Ok(());
    }
    *room -= bytes;
    let mut events = Vec::with_capacity(records.len());
    for record in &records {
        let event = event_of(record)?;
        let shown = present(&gateway.sealer, id, &event).await?;
        if let EventKind::Deleted { target, edits } = &event.kind {
            hide(&mut events, target.seq, edits);
        }
        events.push(shown);
    }
    item.events = Some(events);
    Ok(())
}

/// Takes the bodies out of what a later event of the same answer deletes.
fn hide(events: &mut [Event], target: Seq, edits: &[Seq]) {
    for event in events.iter_mut().filter(|event| event.seq == target.0 || edits.contains(&Seq(event.seq))) {
        erase(event);
    }
}

/// Which of these are not the client's conversations any more.
async fn gone(gateway: &Gateway, connection: &Connection, have: &BTreeMap<Uuid, u64>) -> Result<Vec<Uuid>, Error> {
    let mut gone = Vec::new();
    for id in have.keys() {
        if gateway.services.views.membership(connection.user, ConversationId(*id)).await?.is_none() {
            gone.push(*id);
        }
    }
    Ok(gone)
}
