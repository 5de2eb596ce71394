//! `klatch restore`: a backup, into an empty directory.

use std::path::PathBuf;

use clap::Args;

use super::DataDirectory;
use crate::backup::restore::{Wanted, restore};
use crate::environment::Overrides;
use crate::shell::output;
use crate::shell::server::block_on;

/// Restore a backup into a directory that is not there yet
///
/// The backup is verified first. What was erased by now stays erased: give the newest list of destroyed keys there is, such as
/// the keys.db of the old data, or destroyed.txt of a later backup.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  klatch restore --from /backup/2026-01-31 --keys /vault/2026-01-31 --data /var/lib/klatch2 \\\n    \
    --destroyed /var/lib/klatch/keys.db"
)]
pub struct Restore {
    /// The backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Its keys, or younger ones [default: keys in the backup]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// A list of destroyed keys: an id a line, or the keys.db of a node that is stopped
    #[arg(long, value_name = "FILE")]
    destroyed: Vec<PathBuf>,
    /// Use keys that should have been deleted by now
    #[arg(long)]
    expired_keys: bool,
    /// Print what was restored as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataDirectory,
}

impl Restore {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.data.config()?;
        let keys = self.keys.unwrap_or_else(|| self.from.join("keys"));
        let wanted = Wanted { from: self.from, keys, destroyed: self.destroyed, expired: self.expired_keys };
        let data = config.data.clone();
        let restored = block_on(restore(&wanted, config, &Overrides::default()))?;
        if self.json {
            return output::json(&restored);
        }
        output::line(&format!(
            "{} records of {} conversations are in {}. The keys of {} people are destroyed and stay so; {} accounts that had \
             been closed since were closed again.",
            restored.records,
            restored.conversations,
            data.display(),
            restored.destroyed,
            restored.closed
        ))
    }
}
