//! From the configuration to the ports: the only folder that names an engine.

mod distributed;
mod embedded;
pub mod health;
pub mod migrate;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use klatch_core::ids::{Uuid, WorkspaceId};
use klatch_engines::event_log::fjall::FjallEventLog;
use klatch_engines::feed::fjall::FjallFeed;
use klatch_engines::mailboxes::sqlite::Sqlite as SqliteMailboxes;
use klatch_engines::overlay::fjall::FjallOverlays;
use klatch_ports::commands::Commands;
use klatch_ports::event_log::EventLog;
use klatch_ports::keys::Keys;
use klatch_ports::mailboxes::Mailboxes;
use klatch_ports::overlay::Overlays;
use klatch_ports::views::Views;
use klatch_ports::{commands, live, mailboxes, owners, presence};
use klatch_server::environment::{Clock, uuid_v7};
use klatch_server::partitioning::Partitioning;
use klatch_server::sealing::Sealer;
use klatch_server::services::Services;

pub(crate) use embedded::whole;
pub use embedded::{Embedded, places};

use crate::attendance;
use crate::config::{Chosen, Config, Engine, Limits};
use crate::environment::Overrides;
use crate::master_key;
use distributed::Servers;

/// Everything that was opened.
pub struct Opened {
    /// What roles are given.
    pub services: Arc<Services>,
    /// What seals.
    pub sealer: Arc<Sealer>,
    /// The engines in the data directory.
    pub embedded: Arc<Embedded>,
}

/// Opens every engine that the configuration names.
///
/// # Errors
/// A sentence that says what to do.
pub async fn open(config: &Config, overrides: &Overrides) -> anyhow::Result<Opened> {
    open_for(config, overrides, uuid_v7(&*overrides.clock, &*overrides.entropy)).await
}

/// The same, for a site whose workspace becomes `first` where there is none.
async fn open_for(config: &Config, overrides: &Overrides, first: Uuid) -> anyhow::Result<Opened> {
    let chosen = config.engines.choose().map_err(anyhow::Error::msg)?;
    let data = &config.data;
    make_directory(data)?;
    // Keys on a server were made beside a master key, by `klatch migrate`.
    let has_data = chosen.keys.path().is_none_or(|path| data.join(path).exists());
    let master = master_key::load(&data.join(&config.engines.master_key), has_data, &*overrides.entropy)?;
    let embedded = Arc::new(embedded::open(config, &chosen).await?);
    let mut servers = Servers::default();
    let keys: Arc<dyn Keys> = match (&chosen.keys, &embedded.keys) {
        (Engine::Distributed(place), _) => servers.keys(place).await?,
        (Engine::Embedded(_), keys) => opened(keys)?,
    };
    let (clock, entropy) = (overrides.clock.clone(), overrides.entropy.clone());
    let workspace = workspace(&*keys, first).await;
    let workspace = workspace.with_context(|| match chosen.keys.path() {
        Some(path) => data.join(path).display().to_string(),
        None => "the server of `engines.keys`".to_owned(),
    })?;
    let sealer = Sealer::open_store(workspace, keys.clone(), entropy.clone(), &master).await?;
    let (event_log, overlays, mailboxes) = beside_the_log(&chosen.event_log, &embedded, &mut servers).await?;
    let limits = &config.limits;
    let (commands, partitioning) = queues(&chosen, limits, &mut servers, &*clock).await?;
    let services = Services {
        process: attendance::name(),
        workspace,
        event_log: overrides.decorate_log.map_or_else(|| event_log.clone(), |decorate| decorate(event_log.clone())),
        overlays,
        feed: match &chosen.queue {
            Engine::Distributed(place) => servers.feed(place).await?,
            Engine::Embedded(_) => Arc::new(FjallFeed::new(opened(&embedded.store)?)),
        },
        owners: match &chosen.directory {
            Engine::Distributed(place) => servers.owners(place).await?,
            Engine::Embedded(_) => Arc::new(owners::memory::Memory::default()),
        },
        commands,
        partitioning,
        live: match (&overrides.live, &chosen.live) {
            (Some(live), _) => live.clone(),
            (None, Engine::Distributed(place)) => servers.live(place)?,
            (None, Engine::Embedded(_)) => Arc::new(live::memory::Memory::default()),
        },
        mailboxes,
        views: match &chosen.views {
            Engine::Distributed(place) => servers.views(place).await?,
            Engine::Embedded(_) => opened(&embedded.views)?,
        },
        directory: match &chosen.directory {
            Engine::Distributed(place) => servers.directory(place).await?,
            Engine::Embedded(_) => opened(&embedded.directory)?,
        },
        keys,
        presence: match &chosen.presence {
            Engine::Distributed(place) => servers.presence(place)?,
            Engine::Embedded(_) => Arc::new(presence::memory::Memory::default()),
        },
        clock,
        entropy,
    };
    Ok(Opened { services: Arc::new(services), sealer: Arc::new(sealer), embedded })
}

/// The queue of commands, and how many partitions it has: what is said where all processes hear it, or what is there.
async fn queues(
    chosen: &Chosen,
    limits: &Limits,
    servers: &mut Servers,
    clock: &dyn Clock,
) -> anyhow::Result<(Arc<dyn Commands>, Partitioning)> {
    let said = match &chosen.directory {
        Engine::Distributed(place) => {
            let partitions = servers.partitions(place).await?;
            let map = partitions.map(clock.now()).await.map_err(whole)?;
            Some((partitions, map))
        }
        Engine::Embedded(_) => None,
    };
    let wanted = said.as_ref().map_or(limits.partitions, |(_, map)| map.partitions);
    let commands: Arc<dyn Commands> = match &chosen.queue {
        Engine::Distributed(place) => servers.commands(place, wanted, limits).await?,
        Engine::Embedded(_) => Arc::new(commands::memory::Memory::new(wanted, limits.queue)),
    };
    let partitioning = match said {
        Some((partitions, map)) => Partitioning::new(partitions, map),
        None => Partitioning::alone(commands.partitions()),
    };
    Ok((commands, partitioning))
}

/// The queue of commands, where it is on a server, for who sends nothing.
///
/// # Errors
/// A sentence that says what to do.
pub async fn queue(config: &Config) -> anyhow::Result<Arc<dyn Commands>> {
    match config.engines.choose().map_err(anyhow::Error::msg)?.queue {
        Engine::Distributed(place) => Servers::default().commands(&place, 1, &config.limits).await,
        Engine::Embedded(_) => anyhow::bail!(
            "`engines.queue` is in the memory of the node: there are dead letters only where it is on \
             a server; --config names a cluster's configuration"
        ),
    }
}

/// The views alone, which another process may have open.
///
/// # Errors
/// A sentence that says what to do.
pub async fn views(config: &Config) -> anyhow::Result<Arc<dyn Views>> {
    match config.engines.choose().map_err(anyhow::Error::msg)?.views {
        Engine::Distributed(place) => Servers::default().views(&place).await,
        Engine::Embedded(path) => {
            let file = config.data.join(path);
            if !file.is_file() {
                anyhow::bail!("there are no views in {}", file.display());
            }
            let open = move || klatch_engines::views::sqlite::Sqlite::open(&file);
            Ok(Arc::new(tokio::task::spawn_blocking(open).await.context("opening the views panicked")?.map_err(whole)?))
        }
    }
}

/// The log, and what lies with its engine.
async fn beside_the_log(
    chosen: &Engine,
    embedded: &Embedded,
    servers: &mut Servers,
) -> anyhow::Result<(Arc<dyn EventLog>, Arc<dyn Overlays>, Arc<dyn Mailboxes>)> {
    Ok(match chosen {
        Engine::Distributed(place) => {
            (servers.event_log(place).await?, servers.overlays(place).await?, servers.mailboxes(place).await?)
        }
        Engine::Embedded(_) => {
            let store: Arc<_> = opened(&embedded.store)?;
            let mailboxes: Arc<dyn Mailboxes> = match &embedded.directory {
                Some(directory) => Arc::new(SqliteMailboxes::beside(directory)),
                None => Arc::new(mailboxes::memory::Memory::default()),
            };
            (Arc::new(FjallEventLog::new(store.clone())), Arc::new(FjallOverlays::new(store)), mailboxes)
        }
    })
}

/// Prepares engines for a site that comes from elsewhere, with its workspace, and opens them.
///
/// # Errors
/// A sentence that says what to do.
pub async fn receive(config: &Config, overrides: &Overrides, coming: WorkspaceId) -> anyhow::Result<Opened> {
    migrate::prepare_for(config, overrides, coming.0).await?;
    let opened = open_for(config, overrides, coming.0).await?;
    if opened.services.workspace != coming {
        anyhow::bail!(
            "another site is at the target, perhaps an empty one that `klatch migrate` made there: a move prepares its target by \
             itself, so name databases that nothing is in"
        );
    }
    Ok(opened)
}

/// An embedded engine that was chosen, and so was opened.
fn opened<T>(engine: &Option<Arc<T>>) -> anyhow::Result<Arc<T>> {
    engine.clone().context("an embedded engine was not opened")
}

/// The workspace of these data, made at the first start.
async fn workspace(keys: &dyn Keys, first: Uuid) -> anyhow::Result<WorkspaceId> {
    let bytes = keys.secret("workspace", first.as_bytes().to_vec().into()).await?;
    Ok(WorkspaceId(Uuid::from_slice(&bytes).context("the workspace's id is damaged")?))
}

fn make_directory(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("the data directory {} cannot be made; choose another with --data", data.display()))
}
