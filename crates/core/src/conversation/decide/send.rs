//! Saying something.

use super::super::{Action, CommandKind, EventKind, Kind, Message, Rejection};
use super::Room;
use crate::ids::UserId;
use crate::limits::{MENTIONS_MAX, REPLIES_MAX};

impl Room<'_> {
    pub(super) fn send(&self) -> Result<EventKind, Rejection> {
        let CommandKind::Send { body, mentions, replies, thread, expires_at } = &self.command.kind else {
            unreachable!("event() has matched it");
        };
        self.allowed(Action::Write)?;
        if self.kind() == Kind::Direct && self.context.blocked {
            return Err(Rejection::Blocked);
        }
        self.fits(body)?;
        if replies.len() > REPLIES_MAX {
            return Err(Rejection::TooManyReplies);
        }
        let replies = replies.iter().map(|id| Ok(self.message(*id)?.link)).collect::<Result<_, Rejection>>()?;
        let thread = thread.map(|id| Ok::<_, Rejection>(self.message(id)?.link)).transpose()?;
        Ok(EventKind::Sent(Message {
            body: Some(body.clone()),
            mentions: self.members_among(mentions)?,
            replies,
            thread,
            expires_at: *expires_at,
            origin: None,
            quiet: false,
        }))
    }

    /// Who of those mentioned is here to be mentioned.
    pub(super) fn members_among(&self, mentions: &[UserId]) -> Result<Vec<UserId>, Rejection> {
        if mentions.len() > MENTIONS_MAX {
            return Err(Rejection::TooManyMentions);
        }
        let mut present: Vec<_> =
            mentions.iter().copied().filter(|user| self.state.members.contains_key(user)).collect();
        present.sort_unstable();
        present.dedup();
        Ok(present)
    }
}
