//! `klatch move`: a site goes to other engines, while people chat.

use std::path::PathBuf;

use clap::Args;

use super::DataDirectory;
use crate::environment::Overrides;
use crate::moving::{self, Moved, Target, Tell};
use crate::operator;
use crate::shell::output;
use crate::shell::server::block_on;

/// Move a site from a node to the servers of a cluster, or back
///
/// Everything is copied and compared while people chat; then the site stops for a moment. A node goes on as a gateway to the cluster, at its
/// former address; the processes of a cluster end. Nobody is signed out, and nothing is lost. What was interrupted goes on when it
/// is run again.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  klatch move --data /var/lib/klatch --to /etc/klatch/cluster.toml\n\nThe target's databases must be \
    empty, and `klatch migrate` need not be run: it would make a site of its own there."
)]
pub struct Move {
    /// The configuration file of the target: it alone says where that is, whatever the environment says
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Give a move up whose target was not opened for writing yet
    #[arg(long)]
    abort: bool,
    /// A process of the cluster that is dead, as the refusal of a move named it: make sure that it is
    #[arg(long, value_name = "NAME")]
    gone: Vec<String>,
    /// Print what was moved as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDirectory,
}

impl Move {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.data.config()?;
        let (target, overrides) = (Target::read(&self.to)?, Overrides::default());
        if self.abort {
            block_on(moving::abort(&config, &target, &overrides))?;
            return output::line("The move is given up. The site is where it was; what was copied may be removed.");
        }
        let moved = block_on(async {
            // A node that runs has its data to itself, and moves by itself.
            if let Ok(node) = operator::connect(&config.data).await {
                return operator::move_to(node, target.file.clone(), |line| eprintln!("{line}")).await;
            }
            let (tell, mut told) = Tell::new();
            let is_alone = config.engines.choose().is_ok_and(|chosen| !chosen.embedded().is_empty());
            let finished = async {
                let tell = tell;
                match is_alone {
                    true => moving::finish(&config, &overrides, &target, None, &tell).await,
                    false => moving::leave(&config, &overrides, &target, &self.gone, &tell).await,
                }
            };
            let told = async {
                while let Some(line) = told.recv().await {
                    eprintln!("{line}");
                }
            };
            tokio::join!(finished, told).0
        })?;
        if self.json {
            return output::json(&moved);
        }
        let Moved { conversations, records, accounts, keys, cursors, answers, paused_ms, heads } = moved;
        output::line(&format!(
            "{records} records of {conversations} conversations, {accounts} accounts, {keys} keys, {cursors} cursors and {answers} \
             answers that wait for devices are moved, and the same at both places (heads {}). Senders waited {paused_ms} ms. Start \
             it with `klatch run --config {}`.",
            &heads[..heads.len().min(16)],
            target.name()
        ))
    }
}
