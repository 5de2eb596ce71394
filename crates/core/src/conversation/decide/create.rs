//! Beginning a conversation, and changing how it is described.

use super::super::{Action, Change, EventKind, Founding, Kind, Rejection};
use super::Room;
use crate::limits::{FOUNDERS_MAX, NAME_CHARS_MAX, TOPIC_CHARS_MAX};
use crate::text::{is_name, is_topic};

impl Room<'_> {
    pub(super) fn create(&self, founding: &Founding) -> Result<EventKind, Rejection> {
        if self.state.kind.is_some() {
            return Err(Rejection::AlreadyExists);
        }
        let Founding { kind, name, topic, history, members } = founding;
        let fits = match kind {
            Kind::Direct => name.is_empty() && topic.is_empty(),
            Kind::Group => name.is_empty() || is_name(name, NAME_CHARS_MAX),
            Kind::Channel => is_name(name, NAME_CHARS_MAX),
        };
        if !fits {
            return Err(Rejection::InvalidName);
        }
        if !is_topic(topic, TOPIC_CHARS_MAX) {
            return Err(Rejection::InvalidTopic);
        }
        let mut members: Vec<_> = members.iter().copied().filter(|user| *user != self.command.actor).collect();
        members.sort_unstable();
        members.dedup();
        if members.len() > FOUNDERS_MAX {
            return Err(Rejection::TooManyMembers);
        }
        if *kind == Kind::Direct && members.len() > 1 {
            return Err(Rejection::WrongKind);
        }
        if *kind == Kind::Direct && self.context.blocked {
            return Err(Rejection::Blocked);
        }
        Ok(EventKind::Created { kind: *kind, name: name.clone(), topic: topic.clone(), history: *history, members })
    }

    pub(super) fn change(&self, change: &Change) -> Result<EventKind, Rejection> {
        self.allowed(Action::Describe)?;
        if change.history.is_some() {
            self.allowed(Action::SetHistory)?;
        }
        let name_fits =
            |name: &String| is_name(name, NAME_CHARS_MAX) || (name.is_empty() && self.kind() == Kind::Group);
        if !change.name.as_ref().is_none_or(name_fits) {
            return Err(Rejection::InvalidName);
        }
        if !change.topic.as_ref().is_none_or(|topic| is_topic(topic, TOPIC_CHARS_MAX)) {
            return Err(Rejection::InvalidTopic);
        }
        let state = self.state;
        let news = Change {
            name: change.name.clone().filter(|name| *name != state.name),
            topic: change.topic.clone().filter(|topic| *topic != state.topic),
            history: change.history.filter(|history| *history != state.history),
        };
        if news == Change::default() { Err(Rejection::NoChange) } else { Ok(EventKind::Changed(news)) }
    }
}
