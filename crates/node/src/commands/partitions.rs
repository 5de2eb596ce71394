//! `klatch partitions`: how many queues share the commands of a cluster.

use clap::Args;

use super::DataDirectory;
use crate::environment::Overrides;
use crate::partitions::{self, Seen};
use crate::shell::output;
use crate::shell::server::block_on;

/// Show how many partitions the queue of commands has and who sends to it, or make them more while people write
///
/// Each partition is decided in by one processor at a time: have some for each. What people send waits for a second or two while their
/// number changes, and nothing is refused or comes out of its order. Where something stands in the way, everything stays as it was.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  klatch partitions --config cluster.toml\n  klatch partitions --config cluster.toml --set 24"
)]
pub struct Partitions {
    /// Make them so many; they never become fewer
    #[arg(long, value_name = "COUNT")]
    set: Option<usize>,
    /// A process that does not answer and is dead for sure, as it is named here; may be repeated
    #[arg(long, value_name = "NAME", requires = "set")]
    gone: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDirectory,
}

impl Partitions {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (config, overrides) = (self.data.config()?, Overrides::default());
        let Some(wanted) = self.set else {
            let seen = block_on(partitions::see(&config, &overrides))?;
            return if self.json { output::json(&seen) } else { show(&seen) };
        };
        let done = block_on(partitions::set(&config, &overrides, wanted, &self.gone))?;
        if self.json {
            return output::json(&done);
        }
        output::line(&format!(
            "There are {} partitions now, and were {}. What was sent meanwhile waited for {} ms at most.",
            done.partitions, done.before, done.held_ms
        ))
    }
}

fn show(seen: &Seen) -> anyhow::Result<()> {
    output::line(&format!("There are {} partitions.", seen.partitions))?;
    if let Some(next) = seen.changing_to {
        output::line(&format!("They are about to become {next}."))?;
    }
    for sender in &seen.senders {
        let ago = sender.silent_ms.div_ceil(1_000);
        output::line(&format!("{} sends to them, and said so {ago} s ago.", output::plain(&sender.name)))?;
    }
    Ok(())
}
