//! Bringing in what was said elsewhere.

use super::super::{Action, CommandKind, EventKind, Message, Rejection};
use super::Room;
use crate::limits::{ORIGIN_BYTES_MAX, REPLIES_MAX};

impl Room<'_> {
    pub(super) fn import(&self) -> Result<EventKind, Rejection> {
        let CommandKind::Import { body, replies, origin, quiet, .. } = &self.command.kind else {
            unreachable!("event() has matched it");
        };
        self.allowed(Action::Import)?;
        self.fits(body)?;
        if replies.len() > REPLIES_MAX {
            return Err(Rejection::TooManyReplies);
        }
        if origin.network.len() > ORIGIN_BYTES_MAX || origin.name.len() > ORIGIN_BYTES_MAX {
            return Err(Rejection::InvalidName);
        }
        let replies = replies.iter().map(|id| Ok(self.message(*id)?.link)).collect::<Result<_, Rejection>>()?;
        Ok(EventKind::Sent(Message {
            body: Some(body.clone()),
            replies,
            origin: Some(origin.clone()),
            quiet: *quiet,
            ..Message::default()
        }))
    }
}
