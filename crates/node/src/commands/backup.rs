//! `klatch backup`: of a node that runs.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::DataDirectory;
use crate::operator;
use crate::shell::output;
use crate::shell::server::block_on;

/// Back up a node while it runs
///
/// DIR gets log, lists and directory. The keys go to DIR/keys, or where --keys says: without them nobody reads the rest, so
/// move them to another place, and delete them within 30 days.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  klatch backup --data /var/lib/klatch /backup/2026-01-31 --keys /vault/2026-01-31")]
pub struct Backup {
    /// A folder that is not there yet, on the node's machine
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The folder for the keys [default: DIR/keys]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Print what was taken as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDirectory,
}

impl Backup {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.data.config()?;
        let dir = absolute(&self.dir)?;
        let keys = self.keys.as_deref().map_or_else(|| Ok(dir.join("keys")), absolute)?;
        let data = absolute(&config.data)?;
        if dir.starts_with(&data) || keys.starts_with(&data) {
            bail!("a backup inside {} would be lost with it; name another place", data.display());
        }
        let taken = block_on(operator::backup(&data, dir.clone(), keys.clone()))?;
        if self.json {
            return output::json(&taken);
        }
        output::line(&format!(
            "{} records of {} conversations, {} bytes, in {}.\nThe keys are in {}: keep them apart from the rest, and delete \
             them by {} (UTC).",
            taken.records,
            taken.conversations,
            taken.bytes,
            dir.display(),
            keys.display(),
            output::clock(taken.keys_expire_at)
        ))
    }
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))
}
