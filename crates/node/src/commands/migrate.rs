//! `klatch migrate`: prepares what a cluster stands on.

use clap::Args;

use super::DataDirectory;
use crate::engines::migrate;
use crate::environment::Overrides;
use crate::lifecycle::claim;
use crate::shell::output;
use crate::shell::server::block_on;

/// Prepare the tables, topics and queues of the engines that are servers
///
/// Does what is missing, and nothing where nothing is: run it before the first start, and with each new version before that starts.
/// Embedded engines prepare themselves. At the first time the master key is made; every process needs that very file.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  klatch migrate --config cluster.toml --dry-run && klatch migrate --config cluster.toml"
)]
pub struct Migrate {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    data: DataDirectory,
}

impl Migrate {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.data.config()?;
        let overrides = Overrides::default();
        if self.dry_run {
            let missing = block_on(migrate::missing(&config))?;
            let none = missing.is_empty().then(|| "Nothing is missing.".to_owned());
            return missing.into_iter().chain(none).try_for_each(|step| output::line(&step));
        }
        let done = block_on(migrate::run(&config, &overrides))?;
        let none = done.is_empty().then(|| "Nothing was missing.".to_owned());
        done.into_iter().chain(none).try_for_each(|step| output::line(&step))?;
        let link = block_on(claim(config, overrides))?;
        link.map_or(Ok(()), |link| {
            output::line("This site has no owner yet. Whoever opens this link first becomes it (good for one day):")?;
            output::line(&format!("  {link}"))
        })
    }
}
