//! `klatch rebuild`: a projection is made what a replay of the log makes it, while the cluster runs.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use klatch_core::ids::ConversationId;

use super::DataDirectory;
use crate::config;
use crate::rebuilds::{Projection, Summary, Told, Which, rebuild};
use crate::shell::output::{self, Found};
use crate::shell::server::block_on;

/// Make lists, or what is shown of edits, reactions and pins, what a replay of the log makes them
///
/// The cluster may run, and people may write: each conversation is replayed beside what is stored, and only what differs is written, so
/// nobody sees an empty list. It may be killed and run again. Cursors and settings stay. Exit code 1 if a conversation could not be
/// mended. A node with embedded engines must be stopped.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  klatch rebuild views --config cluster.toml\n  klatch rebuild overlay --config cluster.toml --conversation ID\n  \
    klatch rebuild views --config new.toml --from old.toml\n\nWith --from, views that a configuration names anew are filled from the log, and take \
    cursors and settings over from the former views. Repeated, it takes what is later there."
)]
pub struct Rebuild {
    /// What to rebuild
    #[arg(value_enum)]
    what: Projection,
    /// Only this conversation; may be repeated
    #[arg(long, value_name = "ID")]
    conversation: Vec<ConversationId>,
    /// Only conversations after this one, as the progress of an earlier run named it
    #[arg(long, value_name = "ID", conflicts_with = "conversation")]
    after: Option<ConversationId>,
    /// The configuration file with the former views, to take cursors and settings over from: it alone says where they are
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Print one JSON object a line: what was mended, then a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDirectory,
}

impl Rebuild {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if self.from.is_some() && self.what != Projection::Views {
            bail!("only views hold cursors and settings: --from is for `klatch rebuild views`");
        }
        let config = self.data.config()?;
        let from = self.from.as_deref().map(|file| config::load(Some(file), std::iter::empty())).transpose()?;
        let which = Which { only: self.conversation, after: self.after };
        let is_json = self.json;
        let tell = |told: Told| match (&told, is_json) {
            (_, true) => output::json(&told),
            (Told::Progress { conversations, conversation }, false) => {
                eprintln!("{} so far; --after {conversation} goes on from here", many(*conversations, "conversation"));
                Ok(())
            }
            (Told::Different { conversation }, false) => output::line(&format!("mended {conversation}")),
            (Told::Missing { conversation }, false) => output::line(&format!("filled {conversation}")),
            (Told::Failed { conversation, detail }, false) => {
                output::line(&format!("not mended {conversation}: {detail}"))
            }
        };
        let summary = block_on(rebuild(&config, from.as_ref(), self.what, &which, tell))?;
        if is_json {
            output::json(&summary)?;
        } else {
            output::line(&said(&summary))?;
        }
        if summary.failed > 0 { Err(Found.into()) } else { Ok(()) }
    }
}

fn said(summary: &Summary) -> String {
    let Summary { conversations, different, missing, behind, failed, own } = *summary;
    let mut line = format!(
        "{} compared with a replay: {different} were different and are mended, {missing} were missing and are filled, {behind} \
         lacked their last events and have them.",
        many(conversations, "conversation")
    );
    if own > 0 {
        line += &format!(
            " {} and settings compared with the former ones, and taken where those are later.",
            many(own, "cursor")
        );
    }
    if failed > 0 {
        line += &format!(" {failed} could not be mended: `klatch check` says what is wrong with the log there.");
    }
    line
}

fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
