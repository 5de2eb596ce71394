//! Where the site is whose data a node has: here, or elsewhere, and then the node is a gateway to it.

use anyhow::{Context, bail};
use klatch_ports::directory::Standing;

use super::Target;
use crate::config::{Config, Limits, Role};
use crate::engines::{self, Opened};
use crate::environment::Overrides;

/// What a node that starts is to do.
pub enum Whereabouts {
    /// The site is here.
    Here,
    /// It is on its way, here or from here: soon that will be known.
    Moving,
    /// It moved. With this configuration the node is a gateway to it.
    Elsewhere(Box<Config>),
}

/// Opens a site for a command that changes it, which is done where the site is.
///
/// # Errors
/// A sentence that says what to do.
pub async fn open_here(config: &Config, overrides: &Overrides) -> anyhow::Result<Opened> {
    let opened = engines::open(config, overrides).await?;
    match whereabouts(&opened, config, overrides).await? {
        Whereabouts::Here => Ok(opened),
        _ => anyhow::bail!("this site has moved: name the configuration of where it is"),
    }
}

/// Where the site is whose engines were opened with this configuration. A target that everything was copied to, and that nobody could
/// open for writing before the mover died, is opened now.
///
/// # Errors
/// A sentence that says what to do.
pub async fn whereabouts(opened: &Opened, config: &Config, overrides: &Overrides) -> anyhow::Result<Whereabouts> {
    let directory = &opened.services.directory;
    let is_alone = opened.embedded.store.is_some();
    match directory.standing().await? {
        Standing::Here => Ok(Whereabouts::Here),
        Standing::Arriving | Standing::Leaving(_) if !is_alone => Ok(Whereabouts::Moving),
        Standing::Arriving | Standing::Leaving(_) | Standing::Abandoned => {
            bail!("no site is here: a copy that came here was not finished. Move once more, or name other engines")
        }
        Standing::Moved(to) if !is_alone => bail!("the site has moved: start `klatch run --config {to}`"),
        Standing::Moved(to) => {
            let target = Target::read(to.as_ref()).with_context(|| format!("the site has moved to {to}"))?;
            let there = engines::open(&target.config, overrides).await;
            let there = there.with_context(|| format!("the site has moved to {to}, which cannot be reached"))?.services;
            let is_new = there.directory.set_standing(Standing::Arriving, Standing::Here).await?;
            match there.directory.standing().await? {
                Standing::Leaving(_) => Ok(Whereabouts::Moving),
                Standing::Here => {
                    tracing::info!(target = to, is_new, "the site has moved, and this node is a gateway to it");
                    Ok(Whereabouts::Elsewhere(Box::new(as_gateway(config, &target))))
                }
                // Nobody ever wrote there.
                Standing::Abandoned => {
                    directory.set_standing(Standing::Moved(to), Standing::Here).await?;
                    tracing::warn!("the move was given up, and the site is here");
                    Ok(Whereabouts::Here)
                }
                Standing::Moved(further) => bail!("the site has moved from {to} to {further}: start that"),
                Standing::Arriving => bail!("the site has moved to {to}, and another comes there"),
            }
        }
    }
}

/// The node as people know it, on the engines of the target.
fn as_gateway(config: &Config, target: &Target) -> Config {
    Config {
        roles: vec![Role::Api, Role::Gateway],
        http: config.http.clone(),
        log: config.log.clone(),
        limits: Limits { connections: config.limits.connections, ..target.config.limits.clone() },
        ..target.config.clone()
    }
}
