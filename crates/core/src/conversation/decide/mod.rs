//! `decide`: the only place for rules. Given the state and a command: the event that follows, the place of the one that
//! followed before, or a rejection.

mod create;
mod import;
mod membership;
mod message;
mod send;

use std::collections::HashMap;

use super::{
    Action, Command, CommandKind, Conversation, Event, EventKind, Kind, Overlay, Rejection, Remembered, Role, may,
};
use crate::ids::{CommandId, Link, Seq, Timestamp};
use crate::limits::BODY_BYTES_MAX;

/// What a decision needs besides the state, looked up beforehand.
#[derive(Default)]
pub struct Context<'a> {
    /// The server's time.
    pub now: Timestamp,
    /// What the index knows of the ids that the command names and that are not in the window.
    pub known: Option<&'a HashMap<CommandId, Remembered>>,
    /// The overlay of the message that the command wants to change.
    pub overlay: Option<&'a Overlay>,
    /// Whether the other one of a direct conversation, or the person to be added, and the actor are blocked.
    pub blocked: bool,
}

/// What a command comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::large_enum_variant, reason = "it is decided, applied and dropped, never kept")]
pub enum Decision {
    /// This event follows.
    New(Event),
    /// It took effect before, at this seq.
    Repeat(Seq),
}

/// A message that a command is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Target {
    /// Its id and place.
    link: Link,
    /// What is remembered of it.
    remembered: Remembered,
}

/// Decides one command.
///
/// # Errors
/// The [`Rejection`] that says why it takes no effect.
pub fn decide(state: &Conversation, command: &Command, context: &Context<'_>) -> Result<Decision, Rejection> {
    let room = Room { state, command, context };
    if let Some(before) = room.known(command.id) {
        return room.repeat(before);
    }
    if state.sealed_off.is_some() {
        return Err(Rejection::NotSupported);
    }
    room.visible()?;
    if command.after.is_some_and(|after| room.known(after).is_none()) {
        return Err(Rejection::OutOfOrder);
    }
    let kind = room.event()?;
    let counts = matches!(&kind, EventKind::Sent(message) if message.thread.is_none() && !message.quiet);
    Ok(Decision::New(Event {
        seq: state.seq.next(),
        id: command.id,
        author: command.author(),
        at: context.now.max(state.at),
        claimed_at: command.claimed_at,
        worthy: state.worthy + u64::from(counts),
        hash: command.hash,
        kind,
    }))
}

/// A command in its conversation: what every rule can see.
struct Room<'a> {
    state: &'a Conversation,
    command: &'a Command,
    context: &'a Context<'a>,
}

impl Room<'_> {
    fn known(&self, id: CommandId) -> Option<Remembered> {
        self.state.window.get(id).or_else(|| self.context.known?.get(&id).copied())
    }

    fn repeat(&self, before: Remembered) -> Result<Decision, Rejection> {
        let same = before.author == self.command.author() && before.hash == self.command.hash;
        if same { Ok(Decision::Repeat(before.seq)) } else { Err(Rejection::CommandReused) }
    }

    /// A conversation that the actor is not in does not exist for them, but for a channel they would join.
    fn visible(&self) -> Result<(), Rejection> {
        let founding = matches!(self.command.kind, CommandKind::Create(_));
        let joining = matches!(self.command.kind, CommandKind::Join);
        match self.state.kind {
            None if founding => Ok(()),
            None => Err(Rejection::NotFound),
            Some(Kind::Channel) if joining => Ok(()),
            Some(_) if self.state.members.contains_key(&self.command.actor) => Ok(()),
            Some(_) if founding => Err(Rejection::AlreadyExists),
            Some(_) => Err(Rejection::NotFound),
        }
    }

    fn event(&self) -> Result<EventKind, Rejection> {
        match &self.command.kind {
            CommandKind::Create(founding) => self.create(founding),
            CommandKind::Change(change) => self.change(change),
            CommandKind::Join => self.join(),
            CommandKind::Leave => self.leave(),
            CommandKind::Add { user } => self.add(*user),
            CommandKind::Remove { user } => self.remove(*user),
            CommandKind::SetRole { user, role } => self.set_role(*user, *role),
            CommandKind::Send { .. } => self.send(),
            CommandKind::Edit { target, body, mentions } => self.edit(*target, body, mentions),
            CommandKind::Delete { target } => self.delete(*target),
            CommandKind::React { target, emoji, on } => self.react(*target, emoji, *on),
            CommandKind::Pin { target, on } => self.pin(*target, *on),
            CommandKind::Import { .. } => self.import(),
        }
    }

    fn kind(&self) -> Kind {
        self.state.kind.expect("visible() has seen that it was created")
    }

    fn role(&self) -> Result<Role, Rejection> {
        self.state.role(self.command.actor).ok_or(Rejection::NotFound)
    }

    fn allowed(&self, action: Action) -> Result<(), Rejection> {
        if may(self.kind(), self.role()?, action) { Ok(()) } else { Err(Rejection::NotAllowed) }
    }

    /// The message `id`, if it is there and the actor may read it.
    fn message(&self, id: CommandId) -> Result<Target, Rejection> {
        let remembered = self.known(id).filter(|known| known.is_message).ok_or(Rejection::NoSuchMessage)?;
        let readable = self.state.readable_from(self.command.actor).is_some_and(|first| remembered.seq >= first);
        if !readable {
            return Err(Rejection::NoSuchMessage);
        }
        Ok(Target { link: Link { id, seq: remembered.seq }, remembered })
    }

    fn fits(&self, body: &[u8]) -> Result<(), Rejection> {
        if body.len() <= BODY_BYTES_MAX { Ok(()) } else { Err(Rejection::BodyTooLong) }
    }
}

#[cfg(test)]
mod tests;
