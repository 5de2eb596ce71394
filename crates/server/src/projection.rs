//! What events change about the views: the same for the processor, which projects inline what must be read back at once, for the
//! worker, which leaves nothing behind, and for a rebuild.

use klatch_core::conversation::{Change, CommandKind, Effect, Event, EventKind, react};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::Error;
use klatch_ports::views::{Head, Projection, Row};

use crate::processor::event_of;
use crate::services::Services;

/// Records read at a time to fill a hole.
const PAGE: usize = 1_000;

/// The projection of consecutive events, at least one.
pub fn projection(conversation: ConversationId, events: &[Event]) -> Projection {
    let (first, last) = (&events[0], &events[events.len() - 1]);
    let message = events.iter().rev().find(|event| matches!(event.kind, EventKind::Sent(_)));
    Projection {
        conversation,
        after: Seq(first.seq.0 - 1),
        head: Head {
            seq: last.seq,
            worthy: last.worthy,
            at: last.at,
            message: message.map_or(Seq::ZERO, |event| event.seq),
        },
        rows: events.iter().flat_map(rows).collect(),
    }
}

/// Whether those who asked must find this in the views when they are answered.
pub fn is_inline(event: &Event) -> bool {
    let is_inline = |effect| {
        matches!(effect, Effect::Described | Effect::Joined { .. } | Effect::RoleSet { .. } | Effect::Gone { .. })
    };
    react(event).into_iter().any(is_inline)
}

/// Whether what such a command leads to [`is_inline`].
pub const fn leads_to_inline(command: &CommandKind) -> bool {
    match command {
        CommandKind::Create(_)
        | CommandKind::Change(_)
        | CommandKind::Join
        | CommandKind::Leave
        | CommandKind::Add { .. }
        | CommandKind::Remove { .. }
        | CommandKind::SetRole { .. } => true,
        CommandKind::Send { .. }
        | CommandKind::Edit { .. }
        | CommandKind::Delete { .. }
        | CommandKind::React { .. }
        | CommandKind::Pin { .. }
        | CommandKind::Import { .. } => false,
    }
}

/// Projects consecutive events of one conversation, at least one, and what is missing before them.
///
/// # Errors
/// The views or the log failed.
pub async fn project(services: &Services, conversation: ConversationId, events: &[Event]) -> Result<(), Error> {
    let next = projection(conversation, events);
    let goal = next.head.seq;
    services.views.project(vec![next]).await?;
    catch_up(services, conversation, goal).await
}

/// Projects from the log whatever the views lack up to `goal`.
///
/// # Errors
/// The views or the log failed.
pub async fn catch_up(services: &Services, conversation: ConversationId, goal: Seq) -> Result<(), Error> {
    loop {
        let from = services.views.projected(conversation).await?;
        if from >= goal {
            return Ok(());
        }
        let records = services.event_log.read(conversation, from.next(), PAGE).await?;
        let missing = records.iter().map(event_of).collect::<Result<Vec<_>, _>>()?;
        if missing.is_empty() {
            return Err(Error::corrupt("the views are ahead of the log"));
        }
        services.views.project(vec![projection(conversation, &missing)]).await?;
    }
}

fn rows(event: &Event) -> Vec<Row> {
    let read = |user| Row::Read { user, seq: event.seq, worthy: event.worthy };
    let mut rows = Vec::new();
    for effect in react(event) {
        match effect {
            Effect::Described => rows.extend(described(event)),
            // What was said before somebody came is not unread to them.
            Effect::Joined { user, role } => rows.extend([Row::Joined { user, role, joined: event.seq }, read(user)]),
            Effect::RoleSet { user, role } => rows.push(Row::RoleSet { user, role }),
            Effect::Gone { user } => rows.push(Row::Gone { user }),
            Effect::Mentioned { user, message } => rows.push(Row::Mentioned { user, seq: message }),
            Effect::Read { user } => rows.push(read(user)),
            Effect::Annotated { .. } | Effect::Erase { .. } => {}
        }
    }
    rows
}

fn described(event: &Event) -> Option<Row> {
    match &event.kind {
        EventKind::Created { kind, name, topic, history, .. } => Some(Row::Described {
            kind: Some(*kind),
            name: Some(name.clone()),
            topic: Some(topic.clone()),
            history: Some(*history),
        }),
        EventKind::Changed(Change { name, topic, history }) => {
            Some(Row::Described { kind: None, name: name.clone(), topic: topic.clone(), history: *history })
        }
        _ => None,
    }
}
