//! Changing what was said: edit, delete, react, pin.

use super::super::{Action, EventKind, Kind, Overlay, Rejection, SealedBody};
use super::{Room, Target};
use crate::ids::{CommandId, UserId};
use crate::limits::{
    EDITS_PER_MESSAGE_MAX, EMOJI_BYTES_MAX, EMOJI_PER_MESSAGE_MAX, PINS_MAX, REACTIONS_PER_MESSAGE_MAX,
};
use crate::text::is_emoji;

impl Room<'_> {
    pub(super) fn edit(&self, id: CommandId, body: &SealedBody, mentions: &[UserId]) -> Result<EventKind, Rejection> {
        self.allowed(Action::Write)?;
        let target = self.living(id)?;
        if target.remembered.author != self.command.actor {
            return Err(Rejection::NotAllowed);
        }
        if self.kind() == Kind::Direct && self.context.blocked {
            return Err(Rejection::Blocked);
        }
        self.fits(body)?;
        if self.overlay().is_some_and(|overlay| overlay.edits.len() >= EDITS_PER_MESSAGE_MAX) {
            return Err(Rejection::TooManyEdits);
        }
        let mentions = self.members_among(mentions)?;
        Ok(EventKind::Edited { target: target.link, body: Some(body.clone()), mentions })
    }

    pub(super) fn delete(&self, id: CommandId) -> Result<EventKind, Rejection> {
        let target = self.living(id)?;
        if target.remembered.author != self.command.actor {
            self.allowed(Action::DeleteOthers)?;
        }
        let edits =
            self.overlay().map(|overlay| overlay.edits.iter().map(|edit| edit.seq).collect()).unwrap_or_default();
        Ok(EventKind::Deleted { target: target.link, edits })
    }

    pub(super) fn react(&self, id: CommandId, emoji: &str, on: bool) -> Result<EventKind, Rejection> {
        self.allowed(Action::Write)?;
        if !is_emoji(emoji, EMOJI_BYTES_MAX) {
            return Err(Rejection::InvalidEmoji);
        }
        let target = self.living(id)?;
        if self.kind() == Kind::Direct && self.context.blocked {
            return Err(Rejection::Blocked);
        }
        let nothing = Overlay::default();
        let overlay = self.overlay().unwrap_or(&nothing);
        if overlay.has_reacted(emoji, self.command.actor) == on {
            return Err(Rejection::NoChange);
        }
        let is_new = !overlay.reactions.iter().any(|reaction| reaction.emoji == emoji);
        let is_full = overlay.reactions_total() >= REACTIONS_PER_MESSAGE_MAX
            || (is_new && overlay.reactions.len() >= EMOJI_PER_MESSAGE_MAX);
        if on && is_full {
            return Err(Rejection::TooManyReactions);
        }
        Ok(EventKind::Reacted { target: target.link, emoji: emoji.to_owned(), on })
    }

    pub(super) fn pin(&self, id: CommandId, on: bool) -> Result<EventKind, Rejection> {
        self.allowed(Action::Pin)?;
        let target = self.living(id)?;
        if self.state.pins.contains(&target.link.seq) == on {
            return Err(Rejection::NoChange);
        }
        if on && self.state.pins.len() >= PINS_MAX {
            return Err(Rejection::TooManyPins);
        }
        Ok(EventKind::Pinned { target: target.link, on })
    }

    fn overlay(&self) -> Option<&Overlay> {
        self.context.overlay
    }

    /// The message `id`, if it was not deleted.
    fn living(&self, id: CommandId) -> Result<Target, Rejection> {
        let target = self.message(id)?;
        if self.overlay().is_some_and(|overlay| overlay.deleted.is_some()) {
            return Err(Rejection::MessageDeleted);
        }
        Ok(target)
    }
}
