//! What does this person's list look like?

pub mod postgres;
#[cfg(test)]
mod same;
pub mod sqlite;

use klatch_core::conversation::{History, Kind, Role};
use klatch_ports::views::Notify;

/// An enum as a number, which lies in columns and never changes its meaning.
trait Code: Copy + PartialEq + 'static {
    /// All values; a value's number is its place.
    const ALL: &'static [Self];

    /// Its number.
    fn code(self) -> usize {
        Self::ALL.iter().position(|value| *value == self).expect("ALL has every value")
    }
}

impl Code for Kind {
    // The indexes `channels` know the number of a channel.
    const ALL: &'static [Self] = &[Self::Direct, Self::Group, Self::Channel];
}

impl Code for Role {
    const ALL: &'static [Self] = &[Self::Member, Self::Moderator, Self::Owner];
}

impl Code for History {
    const ALL: &'static [Self] = &[Self::All, Self::SinceJoined];
}

impl Code for Notify {
    const ALL: &'static [Self] = &[Self::All, Self::Mentions, Self::None];
}
