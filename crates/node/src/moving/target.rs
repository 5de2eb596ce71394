//! The engines that a site moves to: what they must be, and whether something is there already.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use klatch_ports::directory::Standing;
use klatch_server::moving::{Place, is_empty};

use crate::config::{self, Config, Engine};
use crate::engines::{self, Opened};
use crate::environment::Overrides;

/// Where a site moves to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The configuration's file, from the root on.
    pub file: PathBuf,
    /// The configuration.
    pub config: Config,
}

impl Target {
    /// The target that this file describes. Nothing in the environment changes it: that is about this node.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let file = std::path::absolute(file).with_context(|| format!("{} is no path", file.display()))?;
        let config = config::load(Some(&file), std::iter::empty())?;
        let name = file.display();
        config.validate().map_err(anyhow::Error::msg).with_context(|| format!("{name} cannot run"))?;
        let embedded = config.engines.choose().map_err(anyhow::Error::msg)?.embedded();
        if embedded.is_empty() && !config.data.is_absolute() {
            bail!(
                "`data` in {name} must begin with /: the master key lies there, and this node reads it wherever it is started"
            );
        }
        Ok(Self { file, config })
    }

    /// As the source writes it down.
    pub fn name(&self) -> String {
        self.file.display().to_string()
    }
}

/// Opens a target for what comes from `from`, whose configuration is `config`: prepares what is missing, and refuses what is not
/// empty and no unfinished copy of this very site.
///
/// # Errors
/// A sentence that says what to do.
pub async fn open(from: &Place, config: &Config, target: &Target, overrides: &Overrides) -> anyhow::Result<Place> {
    refuse(config, target)?;
    let workspace = from.services.workspace;
    let Opened { services, sealer, .. } = engines::receive(&target.config, overrides, workspace).await?;
    let place = Place { services, sealer };
    let directory = &place.services.directory;
    let standing = directory.standing().await.context("the target's directory cannot be read")?;
    match standing {
        Standing::Here if is_empty(&place).await? => {}
        Standing::Here | Standing::Leaving(_) => {
            bail!("{} describes a site that is in use: name empty databases", target.name())
        }
        Standing::Arriving => return Ok(place),
        Standing::Abandoned => {}
        Standing::Moved(to) => bail!("the site that was at the target has moved to {to}: name empty databases"),
    }
    if !directory.set_standing(standing, Standing::Arriving).await? {
        bail!("somebody else moves a site to {}", target.name());
    }
    Ok(place)
}

fn refuse(config: &Config, target: &Target) -> anyhow::Result<()> {
    let ours = config.engines.choose().map_err(anyhow::Error::msg)?;
    let theirs = target.config.engines.choose().map_err(anyhow::Error::msg)?;
    if let (false, Some(port)) = (ours.embedded().is_empty(), theirs.embedded().first()) {
        bail!(
            "`engines.{port}` in {} is embedded, and lives in one process: a node moves to engines that are servers, which it can \
             then be a gateway to",
            target.name()
        );
    }
    for ((port, one), (_, other)) in ours.ports().into_iter().zip(theirs.ports()).take(4) {
        if let (Engine::Distributed(one), Engine::Distributed(other)) = (one, other)
            && (&one.scheme, &one.hosts, &one.path) == (&other.scheme, &other.hosts, &other.path)
        {
            bail!("`engines.{port}` in {} is where this node keeps it: name an empty database", target.name());
        }
    }
    Ok(())
}
