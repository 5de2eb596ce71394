//! `klatch check`: whether data are as they must be.

use clap::Args;

use super::DataDirectory;
use crate::checks::{Finding, check};
use crate::environment::Overrides;
use crate::shell::output::{self, Found};
use crate::shell::server::block_on;

/// Check the data of a node that is stopped, or of a cluster, which may run
///
/// Replays every conversation: seqs without holes, records and bodies that can be read, an index that finds each id, and lists,
/// overlay and snapshots that are what follows from the log. Exit code 1 if something is wrong.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  klatch check --data /var/lib/klatch && echo sound\n  klatch check --config cluster.toml"
)]
pub struct Check {
    /// Print one JSON object a line: each finding, then a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDirectory,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.data.config()?;
        let tell = |finding: Finding| if self.json { output::json(&finding) } else { output::line(&shown(&finding)) };
        let summary = block_on(check(&config, &Overrides::default(), tell))?;
        if self.json {
            output::json(&summary)?;
        } else {
            output::line(&format!(
                "Checked {} with {}: {}.",
                many(summary.conversations, "conversation"),
                many(summary.records, "record"),
                match summary.findings {
                    0 => "all is well".to_owned(),
                    count => many(count, "finding"),
                }
            ))?;
            if summary.behind > 0 {
                output::line(&format!(
                    "In {} not everything that the log holds is in the lists, or among edits, reactions and pins, yet: a node makes up \
                     for it when it starts, and workers always do. If they run, and it stays, look at their logs.",
                    many(summary.behind, "conversation")
                ))?;
            }
        }
        if summary.findings > 0 { Err(Found.into()) } else { Ok(()) }
    }
}

fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn shown(finding: &Finding) -> String {
    let Finding { kind, conversation, seq, detail } = finding;
    let conversation = conversation.as_ref().map(|id| format!(" in {id}")).unwrap_or_default();
    let seq = seq.map(|seq| format!(" at {seq}")).unwrap_or_default();
    format!("{kind}{conversation}{seq}: {detail}")
}
