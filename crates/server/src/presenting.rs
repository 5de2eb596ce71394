//! Events and overlays, as clients see them: bodies opened, where their author's key still exists.

use klatch_core::conversation::{Change, Event, EventKind, Message, Overlay, SealedBody};
use klatch_core::ids::{ConversationId, Link, UserId, Uuid};
use klatch_protocol::log::decode_body;
use klatch_protocol::objects::{
    self, Body, DeletedMark, EditedMark, EventBody, MessageLink, OverlayItem, PinnedMark, ReactionItem,
};

use crate::sealing::{Place, SealError, Sealer};

/// People named with a reaction, at most.
const REACTION_USERS_MAX: usize = 20;

/// An event, as clients see it.
///
/// # Errors
/// The key store failed. A body that cannot be opened is shown as erased.
pub async fn present(
    sealer: &Sealer,
    conversation: ConversationId,
    event: &Event,
) -> Result<objects::Event, klatch_ports::Error> {
    let body = open(sealer, conversation, event).await?;
    let origin = match &event.kind {
        EventKind::Sent(Message { origin: Some(origin), .. }) => {
            Some(objects::Origin { network: origin.network.clone(), name: origin.name.clone() })
        }
        _ => None,
    };
    Ok(objects::Event {
        seq: event.seq.0,
        id: event.id.0,
        author: event.author.0,
        at: event.at.0,
        worthy: event.worthy,
        claimed_at: event.claimed_at.map(|at| at.0),
        origin,
        kind: kind(event, body),
    })
}

/// Takes the body out of an event that is shown although a later one deleted it.
pub fn erase(event: &mut objects::Event) {
    if let EventBody::Sent { body, erased, .. } | EventBody::Edited { body, erased, .. } = &mut event.kind {
        *body = None;
        *erased = true;
    }
}

/// What later events made of a message, as `reader` sees it; `edit` is its latest edit, where there is one.
pub fn present_overlay(overlay: &Overlay, edit: Option<&objects::Event>, reader: UserId) -> OverlayItem {
    let edited = match edit.map(|edit| (edit, &edit.kind)) {
        Some((edit, EventBody::Edited { body, mentions, .. })) => {
            Some(EditedMark { seq: edit.seq, at: edit.at, body: body.clone(), mentions: mentions.clone() })
        }
        _ => None,
    };
    let reaction = |reaction: &klatch_core::conversation::Reaction| ReactionItem {
        emoji: reaction.emoji.clone(),
        count: reaction.users.len() as u64,
        users: ids(reaction.users.iter().take(REACTION_USERS_MAX)),
        me: reaction.users.contains(&reader),
    };
    OverlayItem {
        as_of: overlay.as_of.0,
        edited,
        deleted: overlay.deleted.map(|mark| DeletedMark { seq: mark.seq.0, at: mark.at.0, by: mark.by.0 }),
        reactions: overlay.reactions.iter().map(reaction).collect(),
        pinned: overlay.pinned.map(|mark| PinnedMark { by: mark.by.0, at: mark.at.0 }),
    }
}

/// What the body says; `None` where it is gone.
async fn open(
    sealer: &Sealer,
    conversation: ConversationId,
    event: &Event,
) -> Result<Option<Body>, klatch_ports::Error> {
    let Some(sealed): Option<&SealedBody> = event.kind.body() else { return Ok(None) };
    let place = Place { conversation, author: event.author, id: event.id };
    match sealer.open(place, sealed).await {
        Ok(plain) => Ok(plain.and_then(|plain| decode_body(&plain).ok())),
        Err(SealError::Keys(error)) => Err(error),
        Err(error) => {
            tracing::error!(%conversation, seq = %event.seq, %error, "a body could not be opened");
            Ok(None)
        }
    }
}

fn kind(event: &Event, body: Option<Body>) -> EventBody {
    let erased = body.is_none();
    match &event.kind {
        EventKind::Created { kind, name, topic, history, members } => EventBody::Created {
            conversation_kind: (*kind).into(),
            name: name.clone(),
            topic: topic.clone(),
            history: (*history).into(),
            members: ids(members),
        },
        EventKind::Changed(Change { name, topic, history }) => {
            let history = history.map(Into::into);
            EventBody::Changed { name: name.clone(), topic: topic.clone(), history }
        }
        EventKind::Joined { user, role } => EventBody::Joined { user: user.0, role: (*role).into() },
        EventKind::Left => EventBody::Left { user: event.author.0 },
        EventKind::Removed { user } => EventBody::Removed { user: user.0 },
        EventKind::RoleSet { user, role } => EventBody::RoleSet { user: user.0, role: (*role).into() },
        EventKind::Sent(message) => EventBody::Sent {
            body,
            erased,
            mentions: ids(&message.mentions),
            replies: message.replies.iter().map(link).collect(),
            thread: message.thread.as_ref().map(link),
        },
        EventKind::Edited { target, mentions, .. } => {
            EventBody::Edited { target: link(target), body, erased, mentions: ids(mentions) }
        }
        EventKind::Deleted { target, .. } => EventBody::Deleted { target: link(target) },
        EventKind::Reacted { target, emoji, on: true } => {
            EventBody::Reacted { target: link(target), emoji: emoji.clone() }
        }
        EventKind::Reacted { target, emoji, on: false } => {
            EventBody::Unreacted { target: link(target), emoji: emoji.clone() }
        }
        EventKind::Pinned { target, on: true } => EventBody::Pinned { target: link(target) },
        EventKind::Pinned { target, on: false } => EventBody::Unpinned { target: link(target) },
        EventKind::Unknown { .. } => EventBody::Unsupported,
    }
}

fn link(link: &Link) -> MessageLink {
    MessageLink { id: link.id.0, seq: link.seq.0 }
}

fn ids<'a>(users: impl IntoIterator<Item = &'a UserId>) -> Vec<Uuid> {
    users.into_iter().map(|user| user.0).collect()
}
