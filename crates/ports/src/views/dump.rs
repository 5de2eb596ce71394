//! What of the views follows from the log, as a whole: to be compared, and to be put in the place of what is wrong.

use std::fmt;

use klatch_core::conversation::{History, Kind};
use klatch_core::ids::{Seq, UserId};

use super::{Head, Membership};

/// Everything that follows from the log alone. Cursors and settings do not: a person moves them, and even where their own
/// writing moved a cursor ([`Row::Read`](super::Row::Read)) it may have been set back since.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dump {
    /// What sort it is, once that was projected.
    pub kind: Option<Kind>,
    /// Its name and its topic.
    pub texts: [String; 2],
    /// How far back members may read.
    pub history: Option<History>,
    /// Where it stands.
    pub head: Head,
    /// Its members, in order.
    pub members: Vec<(UserId, Membership)>,
    /// Who was mentioned in which message, in order.
    pub mentions: Vec<(UserId, Seq)>,
}

/// What a replay makes of a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Replayed {
    /// What is projected.
    pub dump: Dump,
    /// How far members have read since they wrote it themselves: up to which event, and the number of messages up to there. In order.
    pub reads: Vec<(UserId, Seq, u64)>,
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [name, topic] = &self.texts;
        writeln!(f, "{:?} {name:?} {topic:?} {:?}", self.kind, self.history)?;
        writeln!(f, "{:?}", self.head)?;
        for (user, Membership { role, joined }) in &self.members {
            writeln!(f, "member {user} {role:?} {joined:?}")?;
        }
        for (user, seq) in &self.mentions {
            writeln!(f, "mention {user} {seq:?}")?;
        }
        Ok(())
    }
}
