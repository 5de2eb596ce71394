//! `apply`: the state after an event. It cannot fail, so a replay cannot go wrong halfway.

use super::{Change, Conversation, Event, EventKind, Kind, Member, Role};

impl Conversation {
    /// Folds one event into the state. Events come in order of seq, without holes.
    pub fn apply(&mut self, event: &Event) {
        debug_assert_eq!(event.seq, self.seq.next(), "events come in order, without holes");
        self.seq = event.seq;
        self.worthy = event.worthy;
        self.at = event.at;
        self.window.remember(event);
        match &event.kind {
            EventKind::Created { kind, name, topic, history, members } => {
                self.kind = Some(*kind);
                self.name.clone_from(name);
                self.topic.clone_from(topic);
                self.history = *history;
                let first = if *kind == Kind::Direct { Role::Member } else { Role::Owner };
                for user in members {
                    self.members.insert(*user, Member { role: Role::Member, joined: event.seq });
                }
                self.members.insert(event.author, Member { role: first, joined: event.seq });
            }
            EventKind::Changed(change) => self.describe(change),
            EventKind::Joined { user, role } => {
                self.members.insert(*user, Member { role: *role, joined: event.seq });
            }
            EventKind::Left => {
                self.members.remove(&event.author);
            }
            EventKind::Removed { user } => {
                self.members.remove(user);
            }
            EventKind::RoleSet { user, role } => {
                if let Some(member) = self.members.get_mut(user) {
                    member.role = *role;
                }
            }
            EventKind::Pinned { target, on: true } => {
                self.pins.insert(target.seq);
            }
            EventKind::Pinned { target, on: false } | EventKind::Deleted { target, .. } => {
                self.pins.remove(&target.seq);
            }
            EventKind::Unknown { passable: false, .. } => {
                self.sealed_off.get_or_insert(event.seq);
            }
            EventKind::Sent(_)
            | EventKind::Edited { .. }
            | EventKind::Reacted { .. }
            | EventKind::Unknown { passable: true, .. } => {}
        }
    }

    fn describe(&mut self, change: &Change) {
        if let Some(name) = &change.name {
            self.name.clone_from(name);
        }
        if let Some(topic) = &change.topic {
            self.topic.clone_from(topic);
        }
        if let Some(history) = change.history {
            self.history = history;
        }
    }
}
