//! [`Views`] in memory, for tests: the shortest code that keeps the promises. It looks at every conversation for a list.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use klatch_core::conversation::{History, Kind};
use klatch_core::ids::{ConversationId, Seq, Timestamp, UserId};

use super::{
    Cursor, Description, Dump, Head, InboxRow, MENTIONS_COUNTED_MAX, Membership, Projected, Projection, Replayed, Row,
    Settings, Views,
};
use crate::Error;

/// The engine.
#[derive(Default)]
pub struct Memory(Mutex<State>);

#[derive(Default)]
struct State {
    rooms: HashMap<ConversationId, Room>,
    own: HashMap<Place, Own>,
}

/// A membership: who, where, and since which event.
type Place = (ConversationId, UserId, Seq);

/// What was projected of a conversation.
#[derive(Default)]
struct Room {
    kind: Option<Kind>,
    name: String,
    topic: String,
    history: Option<History>,
    head: Head,
    members: BTreeMap<UserId, Membership>,
    mentions: BTreeSet<(UserId, Seq)>,
}

/// What is a member's own.
#[derive(Clone, Copy, Default)]
struct Own {
    cursor: Cursor,
    settings: Settings,
    /// How often they were set.
    set: u64,
    /// The last event that moved the cursor because they wrote it.
    wrote: Seq,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while holding this lock")
    }

    /// What was projected of a conversation, as another engine is mended to it: nobody may have moved a cursor here.
    pub fn replayed(&self, conversation: ConversationId) -> Replayed {
        let state = self.state();
        let Some(room) = state.rooms.get(&conversation) else { return Replayed::default() };
        let read = |(user, member): (&UserId, &Membership)| {
            let own = state.own.get(&(conversation, *user, member.joined))?;
            (own.wrote > Seq::ZERO).then_some((*user, own.cursor.read, own.cursor.read_worthy))
        };
        Replayed { dump: room.dump(), reads: room.members.iter().filter_map(read).collect() }
    }
}

impl Room {
    fn dump(&self) -> Dump {
        Dump {
            kind: self.kind,
            texts: [self.name.clone(), self.topic.clone()],
            history: self.history,
            head: self.head,
            members: self.members.iter().map(|(user, member)| (*user, *member)).collect(),
            mentions: self.mentions.iter().copied().collect(),
        }
    }
}

impl State {
    fn project(&mut self, projection: Projection) -> Projected {
        let Projection { conversation, after, head, rows } = projection;
        let room = self.rooms.entry(conversation).or_default();
        if head.seq <= room.head.seq {
            return Projected::Before;
        }
        if after != room.head.seq {
            return Projected::Missing(room.head.seq);
        }
        room.head = Head { message: head.message.max(room.head.message), ..head };
        for row in rows {
            self.row(conversation, row);
        }
        Projected::Now
    }

    fn row(&mut self, conversation: ConversationId, row: Row) {
        let room = self.rooms.entry(conversation).or_default();
        match row {
            Row::Described { kind, name, topic, history } => {
                room.kind = room.kind.or(kind);
                room.name = name.unwrap_or(std::mem::take(&mut room.name));
                room.topic = topic.unwrap_or(std::mem::take(&mut room.topic));
                room.history = history.or(room.history);
            }
            Row::Joined { user, role, joined } => {
                room.members.insert(user, Membership { role, joined });
            }
            Row::RoleSet { user, role } => {
                room.members.entry(user).and_modify(|member| member.role = role);
            }
            Row::Gone { user } => {
                room.mentions.retain(|(mentioned, _)| *mentioned != user);
                if let Some(member) = room.members.remove(&user) {
                    self.own.remove(&(conversation, user, member.joined));
                }
            }
            Row::Mentioned { user, seq } => {
                room.mentions.insert((user, seq));
            }
            Row::Read { user, seq, worthy } => {
                if let Some(own) = self.own(user, conversation).filter(|own| own.wrote < seq) {
                    *own = Own { cursor: own.cursor.wrote(seq, worthy), wrote: seq, ..*own };
                }
            }
        }
    }

    fn place(&self, user: UserId, conversation: ConversationId) -> Option<Place> {
        let member = self.rooms.get(&conversation)?.members.get(&user)?;
        Some((conversation, user, member.joined))
    }

    fn own(&mut self, user: UserId, conversation: ConversationId) -> Option<&mut Own> {
        let place = self.place(user, conversation)?;
        Some(self.own.entry(place).or_default())
    }

    fn description(&self, conversation: ConversationId) -> Option<Description> {
        let room = self.rooms.get(&conversation)?;
        Some(Description {
            conversation,
            kind: room.kind?,
            name: room.name.clone(),
            topic: room.topic.clone(),
            history: room.history.unwrap_or(History::All),
            members: room.members.len() as u64,
            head: room.head,
        })
    }

    fn inbox_row(&self, user: UserId, conversation: ConversationId) -> Option<InboxRow> {
        let room = self.rooms.get(&conversation)?;
        let membership = *room.members.get(&user)?;
        let own = self.own.get(&(conversation, user, membership.joined)).copied().unwrap_or_default();
        let mentions = room.mentions.range((user, own.cursor.read.next())..=(user, Seq(u64::MAX))).count() as u64;
        let others = room.members.keys().copied().find(|other| *other != user);
        Some(InboxRow {
            description: self.description(conversation)?,
            membership,
            cursor: own.cursor,
            settings: own.settings,
            mentions: mentions.min(MENTIONS_COUNTED_MAX),
            with: others.filter(|_| room.kind == Some(Kind::Direct)),
        })
    }
}

#[async_trait]
impl Views for Memory {
    async fn project(&self, batch: Vec<Projection>) -> Result<Vec<Projected>, Error> {
        let mut state = self.state();
        Ok(batch.into_iter().map(|projection| state.project(projection)).collect())
    }

    async fn sync(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn projected(&self, conversation: ConversationId) -> Result<Seq, Error> {
        Ok(self.state().rooms.get(&conversation).map_or(Seq::ZERO, |room| room.head.seq))
    }

    async fn describe(&self, conversations: &[ConversationId]) -> Result<Vec<Option<Description>>, Error> {
        let state = self.state();
        Ok(conversations.iter().map(|id| state.description(*id)).collect())
    }

    async fn membership(&self, user: UserId, conversation: ConversationId) -> Result<Option<Membership>, Error> {
        Ok(self.state().rooms.get(&conversation).and_then(|room| room.members.get(&user).copied()))
    }

    async fn memberships(&self, user: UserId) -> Result<u64, Error> {
        Ok(self.state().rooms.values().filter(|room| room.members.contains_key(&user)).count() as u64)
    }

    async fn members(
        &self,
        conversation: ConversationId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, Membership, Cursor)>, Error> {
        let state = self.state();
        let Some(room) = state.rooms.get(&conversation) else { return Ok(Vec::new()) };
        let cursor = |user, joined| state.own.get(&(conversation, user, joined)).copied().unwrap_or_default().cursor;
        let members = room.members.iter().filter(|(user, _)| after.is_none_or(|after| **user > after));
        Ok(members.take(limit).map(|(user, member)| (*user, *member, cursor(*user, member.joined))).collect())
    }

    async fn inbox(
        &self,
        user: UserId,
        after: Option<(Timestamp, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<InboxRow>, Error> {
        let state = self.state();
        let place = |row: &InboxRow| (row.description.head.at, row.description.conversation);
        let mut rows: Vec<_> = state.rooms.keys().filter_map(|id| state.inbox_row(user, *id)).collect();
        rows.retain(|row| after.is_none_or(|after| place(row) < after));
        rows.sort_by_key(|row| std::cmp::Reverse(place(row)));
        rows.truncate(limit);
        Ok(rows)
    }

    async fn inbox_row(&self, user: UserId, conversation: ConversationId) -> Result<Option<InboxRow>, Error> {
        Ok(self.state().inbox_row(user, conversation))
    }

    async fn channels(
        &self,
        query: &str,
        after: Option<(String, ConversationId)>,
        limit: usize,
    ) -> Result<Vec<Description>, Error> {
        let state = self.state();
        let query = query.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&query);
        let place = |channel: &Description| (channel.name.clone(), channel.conversation);
        let mut channels: Vec<_> = state.rooms.keys().filter_map(|id| state.description(*id)).collect();
        channels.retain(|channel| channel.kind == Kind::Channel && (holds(&channel.name) || holds(&channel.topic)));
        channels.retain(|channel| after.as_ref().is_none_or(|after| place(channel) > *after));
        channels.sort_by_key(place);
        channels.truncate(limit);
        Ok(channels)
    }

    async fn move_cursors(&self, moves: Vec<(UserId, ConversationId, Cursor)>) -> Result<Vec<Option<Cursor>>, Error> {
        let mut state = self.state();
        let mut moved = |(user, conversation, to)| {
            let own = state.own(user, conversation)?;
            own.cursor = own.cursor.moved(to);
            Some(own.cursor)
        };
        Ok(moves.into_iter().map(&mut moved).collect())
    }

    async fn set_settings(
        &self,
        user: UserId,
        conversation: ConversationId,
        settings: Settings,
    ) -> Result<bool, Error> {
        Ok(self.state().own(user, conversation).map(|own| *own = Own { settings, set: own.set + 1, ..*own }).is_some())
    }

    async fn own(&self, after: Option<(ConversationId, UserId)>, limit: usize) -> Result<Vec<super::Own>, Error> {
        let state = self.state();
        let is_member = |place: &Place| state.place(place.1, place.0) == Some(*place);
        let listed = state.own.iter().filter(|(place, _)| is_member(place));
        let mut all: Vec<_> = listed
            .map(|((conversation, user, _), own)| super::Own {
                conversation: *conversation,
                user: *user,
                cursor: own.cursor,
                settings: own.settings,
                set: own.set,
            })
            .collect();
        all.retain(|own| after.is_none_or(|after| (own.conversation, own.user) > after));
        all.sort_by_key(|own| (own.conversation, own.user));
        all.truncate(limit);
        Ok(all)
    }

    async fn take_own(&self, taken: Vec<super::Own>) -> Result<(), Error> {
        let mut state = self.state();
        for super::Own { conversation, user, cursor, settings, set } in taken {
            if let Some(own) = state.own(user, conversation) {
                *own = Own { cursor, settings, set, ..*own };
            }
        }
        Ok(())
    }

    async fn merge_own(&self, copies: Vec<super::Own>) -> Result<(), Error> {
        let mut state = self.state();
        for super::Own { conversation, user, cursor, settings, set } in copies {
            if let Some(own) = state.own(user, conversation) {
                let (settings, set) = if set > own.set { (settings, set) } else { (own.settings, own.set) };
                *own = Own { cursor: own.cursor.merged(cursor), settings, set, ..*own };
            }
        }
        Ok(())
    }

    async fn mend(&self, conversation: ConversationId, at: Seq, to: Replayed) -> Result<bool, Error> {
        let mut state = self.state();
        if state.rooms.get(&conversation).map_or(Seq::ZERO, |room| room.head.seq) != at {
            return Ok(false);
        }
        let Dump { kind, texts: [name, topic], history, head, members, mentions } = to.dump;
        let (members, mentions) = (members.into_iter().collect(), mentions.into_iter().collect());
        state.rooms.insert(conversation, Room { kind, name, topic, history, head, members, mentions });
        for (user, seq, worthy) in to.reads {
            if let Some(own) = state.own(user, conversation).filter(|own| own.wrote < seq) {
                *own = Own { cursor: own.cursor.replayed(seq, worthy), wrote: seq, ..*own };
            }
        }
        Ok(true)
    }

    async fn clear(&self, conversation: ConversationId) -> Result<(), Error> {
        self.state().rooms.remove(&conversation);
        Ok(())
    }

    async fn dump(&self, conversation: ConversationId) -> Result<String, Error> {
        let state = self.state();
        let Some(room) = state.rooms.get(&conversation) else { return Ok(Dump::default().to_string()) };
        Ok(room.dump().to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    crate::views_contract!({
        let views = Arc::new(Memory::default());
        async move || views.clone()
    });
}
