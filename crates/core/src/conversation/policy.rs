//! Who may do what, as one table.

use super::{Kind, Role};

/// What a role is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Send, react, reply.
    Write,
    /// Delete what somebody else wrote.
    DeleteOthers,
    /// Pin and unpin.
    Pin,
    /// Bring somebody in.
    Add,
    /// Send somebody out, who must be of lower rank.
    Remove,
    /// Set roles, up to one's own, of people not above oneself.
    SetRole,
    /// Change name or topic.
    Describe,
    /// Change how far back members may read.
    SetHistory,
    /// Import what was said elsewhere.
    Import,
}

/// Whether a member of this role may do this in a conversation of this kind.
pub const fn may(kind: Kind, role: Role, action: Action) -> bool {
    use Action::{Add, DeleteOthers, Describe, Import, Pin, Remove, SetHistory, SetRole, Write};
    let needed = match (kind, action) {
        (_, Write) | (Kind::Direct, Pin) | (Kind::Group, Add) => Role::Member,
        (Kind::Direct, DeleteOthers | Add | Remove | SetRole | Describe | SetHistory | Import) => return false,
        (_, DeleteOthers | Pin | Add | Remove | SetRole | Describe) => Role::Moderator,
        (_, SetHistory | Import) => Role::Owner,
    };
    role as u8 >= needed as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_role_may_all_that_a_lower_one_may() {
        use Action::{Add, DeleteOthers, Describe, Import, Pin, Remove, SetHistory, SetRole, Write};
        for kind in [Kind::Direct, Kind::Group, Kind::Channel] {
            for action in [Write, DeleteOthers, Pin, Add, Remove, SetRole, Describe, SetHistory, Import] {
                let allowed = [Role::Member, Role::Moderator, Role::Owner].map(|role| may(kind, role, action));
                assert!(allowed.is_sorted(), "{kind:?} {action:?} {allowed:?}");
            }
        }
    }
}
