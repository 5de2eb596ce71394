//! What became of every line and of every link. The numbers add up, which is checked wherever the report is shown.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What became of an import.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// Lines of the file that were read.
    pub lines: u64,
    /// What they were.
    pub kinds: Kinds,
    /// Lines that are in the conversation now and were not before.
    pub imported: u64,
    /// Lines that were there from a run before.
    pub repeated: u64,
    /// Lines that could not be kept, by reason.
    pub not_kept: BTreeMap<String, u64>,
    /// What became of the links.
    pub links: Links,
}

/// What the lines were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Kinds {
    /// Messages, `/me` among them.
    pub messages: u64,
    /// Somebody came: a notice.
    pub joined: u64,
    /// Somebody left: a notice.
    pub left: u64,
    /// Any other line of the server: a notice.
    pub system: u64,
    /// Not understood.
    pub unknown: u64,
}

/// What became of the links, from lines that were kept and from those that were not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Links {
    /// How many there were.
    pub all: u64,
    /// As they were.
    pub kept: u64,
    /// Moved to the nearest earlier message, since they pointed at no message.
    pub moved: u64,
    /// One with another link of the same message, after moving.
    pub merged: u64,
    /// Not kept: there is no earlier message, or too many answers in one, or the line itself was not kept.
    pub not_kept: u64,
}

impl Links {
    /// Adds those of another line.
    pub fn add(&mut self, other: Self) {
        self.all += other.all;
        self.kept += other.kept;
        self.moved += other.moved;
        self.merged += other.merged;
        self.not_kept += other.not_kept;
    }

    /// The same of a line that was not kept.
    #[must_use]
    pub fn lost(self) -> Self {
        Self { all: self.all, not_kept: self.all, ..Self::default() }
    }
}

impl Report {
    /// A line was not kept.
    pub fn lose(&mut self, reason: &str) {
        *self.not_kept.entry(reason.to_owned()).or_default() += 1;
    }

    /// Whether every line and every link is accounted for, once.
    pub fn adds_up(&self) -> bool {
        let Kinds { messages, joined, left, system, unknown } = self.kinds;
        let Links { all, kept, moved, merged, not_kept } = self.links;
        let lost: u64 = self.not_kept.values().sum();
        self.lines == messages + joined + left + system + unknown
            && self.lines == self.imported + self.repeated + lost
            && all == kept + moved + merged + not_kept
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kinds { messages, joined, left, system, unknown } = self.kinds;
        let Links { all, kept, moved, merged, not_kept } = self.links;
        let lost: u64 = self.not_kept.values().sum();
        writeln!(f, "{:>9} lines", self.lines)?;
        writeln!(f, "{messages:>9} messages, {joined} joined, {left} left, {system} other notices, {unknown} unknown")?;
        writeln!(f, "{:>9} imported, {} were there before, {lost} not kept", self.imported, self.repeated)?;
        for (reason, count) in &self.not_kept {
            writeln!(f, "{count:>9}   not kept: {reason}")?;
        }
        writeln!(f, "{all:>9} links: {kept} kept, {moved} moved to the nearest earlier message,")?;
        write!(f, "          {merged} one with another of the same message, {not_kept} not kept")
    }
}
