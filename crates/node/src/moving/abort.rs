//! `klatch move --abort`: the site stays where it is.

use anyhow::{Context, bail};
use klatch_engines::drivers::fjall::OpenError;
use klatch_ports::directory::Standing;

use super::Target;
use crate::config::Config;
use crate::engines;
use crate::environment::Overrides;

/// Gives a move up that did not open its target for writing yet: from now on nobody ever does. A node that runs goes on with its work;
/// where none runs, the source is told.
///
/// # Errors
/// A sentence that says what to do.
pub async fn abort(config: &Config, target: &Target, overrides: &Overrides) -> anyhow::Result<()> {
    if let Ok([log, ..]) = engines::places(&target.config)
        && !log.exists()
    {
        bail!("no move to {} was begun", target.name());
    }
    let there = engines::open(&target.config, overrides).await;
    let there = there.with_context(|| format!("{} cannot be opened", target.name()))?.services;
    // First the target, so that nobody opens it any more.
    if !there.directory.set_standing(Standing::Arriving, Standing::Abandoned).await? {
        match there.directory.standing().await? {
            Standing::Abandoned => {}
            Standing::Here | Standing::Leaving(_) => {
                bail!("the target is open for writing: what was written there would be lost. Move the site back")
            }
            Standing::Arriving => bail!("another move to the target began this moment"),
            Standing::Moved(to) => bail!("the site has moved on from the target, to {to}"),
        }
    }
    let here = match engines::open(config, overrides).await {
        Ok(opened) => opened.services,
        // It finds out by itself.
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::Locked(_))) => return Ok(()),
        Err(error) => return Err(error),
    };
    let before = here.directory.standing().await?;
    if before == Standing::Moved(target.name()) || matches!(before, Standing::Leaving(_)) {
        here.directory.set_standing(before, Standing::Here).await?;
    }
    Ok(())
}
