//! `klatch doctor`: whether the servers of a cluster are as they should be.

use clap::Args;

use super::DataDirectory;
use crate::doctor;
use crate::environment::Overrides;
use crate::shell::output::{self, Found};
use crate::shell::server::block_on;

/// Look at the servers that a cluster stands on, and say what to change
///
/// Whether each answers and lets us in, its version and clock, how many copies there are of what must not be lost, what loss of power can
/// take, whether everything was prepared, and dead letters. Exit code 1 if there is something to change.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  klatch doctor --config cluster.toml")]
pub struct Doctor {
    #[command(flatten)]
    data: DataDirectory,
}

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let findings = block_on(doctor::findings(&self.data.config()?, &Overrides::default()))?;
        if findings.is_empty() {
            return output::line("All is well.");
        }
        findings.iter().try_for_each(|finding| output::line(finding))?;
        Err(Found.into())
    }
}
