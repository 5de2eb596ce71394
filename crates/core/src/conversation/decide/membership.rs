//! Who comes, who goes, and in what role.

use super::super::{Action, EventKind, Kind, Rejection, Role};
use super::Room;
use crate::ids::UserId;
use crate::limits::{CHANNEL_MEMBERS_MAX, GROUP_MEMBERS_MAX};

impl Room<'_> {
    pub(super) fn join(&self) -> Result<EventKind, Rejection> {
        let user = self.command.actor;
        if self.state.members.contains_key(&user) {
            return Err(Rejection::AlreadyMember);
        }
        self.has_room()?;
        // Whoever comes into a channel that everybody left takes charge of it, or nobody ever could.
        let role = if self.state.members.is_empty() { Role::Owner } else { Role::Member };
        Ok(EventKind::Joined { user, role })
    }

    pub(super) fn leave(&self) -> Result<EventKind, Rejection> {
        let role = self.role()?;
        if self.kind() == Kind::Direct {
            return Err(Rejection::WrongKind);
        }
        if role == Role::Owner && self.state.owners() == 1 && self.state.members.len() > 1 {
            return Err(Rejection::LastOwner);
        }
        Ok(EventKind::Left)
    }

    pub(super) fn add(&self, user: UserId) -> Result<EventKind, Rejection> {
        if self.kind() == Kind::Direct {
            return Err(Rejection::WrongKind);
        }
        self.allowed(Action::Add)?;
        if self.state.members.contains_key(&user) {
            return Err(Rejection::AlreadyMember);
        }
        if self.context.blocked {
            return Err(Rejection::Blocked);
        }
        self.has_room()?;
        Ok(EventKind::Joined { user, role: Role::Member })
    }

    pub(super) fn remove(&self, user: UserId) -> Result<EventKind, Rejection> {
        self.allowed(Action::Remove)?;
        let theirs = self.state.role(user).ok_or(Rejection::NotAMember)?;
        if theirs >= self.role()? {
            return Err(Rejection::NotAllowed);
        }
        Ok(EventKind::Removed { user })
    }

    pub(super) fn set_role(&self, user: UserId, role: Role) -> Result<EventKind, Rejection> {
        self.allowed(Action::SetRole)?;
        let own = self.role()?;
        let theirs = self.state.role(user).ok_or(Rejection::NotAMember)?;
        let is_oneself = user == self.command.actor;
        if role > own || theirs > own || (theirs == own && own != Role::Owner && !is_oneself) {
            return Err(Rejection::NotAllowed);
        }
        if theirs == role {
            return Err(Rejection::NoChange);
        }
        if theirs == Role::Owner && self.state.owners() == 1 {
            return Err(Rejection::LastOwner);
        }
        Ok(EventKind::RoleSet { user, role })
    }

    fn has_room(&self) -> Result<(), Rejection> {
        let limit = match self.kind() {
            Kind::Channel => CHANNEL_MEMBERS_MAX,
            Kind::Direct | Kind::Group => GROUP_MEMBERS_MAX,
        };
        if self.state.members.len() < limit { Ok(()) } else { Err(Rejection::TooManyMembers) }
    }
}
