//! `klatch dead-letters`: commands that could not be decided.

use clap::{ArgGroup, Args, Subcommand};

use super::DataDirectory;
use crate::dead_letters::{self, Done, Shown};
use crate::environment::Overrides;
use crate::shell::output::{self, Found};
use crate::shell::server::block_on;

/// List commands that could not be decided though the servers were well, and deliver or drop them
///
/// Their senders were told so, and what they wrote is not shown. First repair what is named: as long as it is damaged, a command that is
/// delivered ends here again.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  klatch dead-letters --config cluster.toml\n  klatch dead-letters replay --config cluster.toml\n  \
    klatch dead-letters drop --oldest 3 --config cluster.toml"
)]
pub struct DeadLetters {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Args, Debug)]
struct List {
    /// How many, the oldest first
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDirectory,
}

#[derive(Subcommand, Debug)]
enum What {
    Replay(Replay),
    Drop(Throw),
}

/// Make a new command of each, by its author, and submit it: exit code 1 if some could not
///
/// One that took effect meanwhile, since its sender sent it again, is only taken away.
#[derive(Args, Debug)]
struct Replay {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDirectory,
}

/// Throw them away, for good
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("which").required(true).args(["oldest", "all"]))]
struct Throw {
    /// So many of the oldest
    #[arg(long, value_name = "COUNT")]
    oldest: Option<u64>,
    /// All that there are now
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    data: DataDirectory,
}

impl DeadLetters {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.what {
            None => self.list.run(),
            Some(What::Replay(replay)) => replay.run(),
            Some(What::Drop(throw)) => throw.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let (count, letters) = block_on(dead_letters::list(&self.data.config()?, self.limit.into()))?;
        for letter in &letters {
            if self.json { output::json(letter)? } else { output::line(&shown(letter))? }
        }
        let more = count.saturating_sub(letters.len() as u64);
        match (self.json, count, more) {
            (true, ..) | (_, 1.., 0) => Ok(()),
            (_, 0, _) => output::line("There are none."),
            _ => output::line(&format!("There are {more} more.")),
        }
    }
}

impl Replay {
    fn run(self) -> anyhow::Result<()> {
        let (mut count, mut kept) = (0_u64, 0_u64);
        let tell = |done: Done| {
            count += 1;
            kept += u64::from(done.kept.is_some());
            if self.json { output::json(&done) } else { output::line(&became(&done)) }
        };
        block_on(dead_letters::replay(&self.data.config()?, &Overrides::default(), tell))?;
        if count == 0 && !self.json {
            output::line("There are none.")?;
        }
        if kept > 0 { Err(Found.into()) } else { Ok(()) }
    }
}

impl Throw {
    fn run(self) -> anyhow::Result<()> {
        let gone = block_on(dead_letters::throw_away(&self.data.config()?, self.oldest))?;
        output::line(&format!("Thrown away: {gone}."))
    }
}

fn shown(letter: &Shown) -> String {
    let Shown { at, partition, conversation, author, id, kind, reason } = letter;
    let there = conversation.as_ref().map(|id| format!(" in {id}")).unwrap_or_default();
    let author = author.as_ref().map(|author| format!(" by {author}")).unwrap_or_default();
    let id = id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let (at, reason) = (output::clock(*at), output::plain(reason));
    format!("{at}  partition {partition}: {kind}{id}{author}{there}: {reason}")
}

fn became(done: &Done) -> String {
    let what = match (&done.submitted, done.took_effect_at, &done.kept) {
        (Some(id), ..) => format!("submitted as {id}"),
        (_, Some(seq), _) => format!("took effect meanwhile, at {seq}"),
        (.., why) => format!("stays: {}", why.as_deref().unwrap_or_default()),
    };
    format!("{}\n  {what}", shown(&done.letter))
}
