//! From the configuration to the ports: the only file that names an engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use klatch_core::ids::{Uuid, WorkspaceId};
use klatch_engines::drivers::Fuse;
use klatch_engines::drivers::fjall::{Options, Store};
use klatch_engines::event_log::fjall::FjallEventLog;
use klatch_engines::feed::fjall::FjallFeed;
use klatch_engines::overlay::fjall::FjallOverlays;
use klatch_engines::{directory, keys, views};
use klatch_ports::event_log::EventLog;
use klatch_ports::keys::Keys;
use klatch_ports::{commands, live, presence};
use klatch_server::environment::{Clock, Entropy, uuid_v7};
use klatch_server::sealing::Sealer;
use klatch_server::services::Services;

use crate::config::Config;
use crate::lifecycle::Overrides;
use crate::master_key;

/// Everything that was opened.
pub struct Opened {
    /// What roles are given.
    pub services: Arc<Services>,
    /// What seals.
    pub sealer: Arc<Sealer>,
    /// The embedded engines, for what only they can do: backups, compaction, counting syncs.
    pub embedded: Arc<Embedded>,
}

/// The embedded engines.
pub struct Embedded {
    /// The log, the overlay and the feed.
    pub store: Arc<Store>,
    /// The views.
    pub views: Arc<views::sqlite::Sqlite>,
    /// The directory.
    pub directory: Arc<directory::sqlite::Sqlite>,
    /// The keys.
    pub keys: Arc<keys::sqlite::Sqlite>,
    /// Stops all of them when the disk fails one.
    pub fuse: Fuse,
}

/// Opens every engine that the configuration names.
///
/// # Errors
/// A sentence that says what to do.
pub async fn open(config: &Config, overrides: &Overrides) -> anyhow::Result<Opened> {
    let data = &config.data;
    make_directory(data)?;
    let has_data = data.join(place(&config.engines.keys)).exists();
    let master = master_key::load(&data.join(&config.engines.master_key), has_data, &*overrides.entropy)?;
    let embedded = Arc::new(open_embedded(config.clone()).await?);
    let (clock, entropy) = (overrides.clock.clone(), overrides.entropy.clone());
    let workspace = workspace(&*embedded.keys, &*clock, &*entropy).await;
    let workspace = workspace.with_context(|| data.join(place(&config.engines.keys)).display().to_string())?;
    let (store, keys) = (embedded.store.clone(), embedded.keys.clone());
    let live = overrides.live.clone().unwrap_or_else(|| Arc::new(live::memory::Memory::default()));
    let sealer = Sealer::open_store(workspace, keys.clone(), entropy.clone(), &master).await?;
    let event_log: Arc<dyn EventLog> = Arc::new(FjallEventLog::new(store.clone()));
    let services = Services {
        workspace,
        event_log: overrides.decorate_log.map_or_else(|| event_log.clone(), |decorate| decorate(event_log.clone())),
        overlays: Arc::new(FjallOverlays::new(store.clone())),
        feed: Arc::new(FjallFeed::new(store)),
        commands: Arc::new(commands::memory::Memory::new(config.limits.partitions, config.limits.queue)),
        live,
        views: embedded.views.clone(),
        directory: embedded.directory.clone(),
        keys,
        presence: Arc::new(presence::memory::Memory::default()),
        clock,
        entropy,
    };
    Ok(Opened { services: Arc::new(services), sealer: Arc::new(sealer), embedded })
}

/// Opening blocks: after a crash, what was not yet in tables is read again.
async fn open_embedded(config: Config) -> anyhow::Result<Embedded> {
    let open = move || -> anyhow::Result<Embedded> {
        let at = |engine: &str| config.data.join(place(engine));
        let engines = &config.engines;
        let (fuse, views) = (Fuse::default(), at(&engines.views));
        let (directory, keys) = (at(&engines.directory), at(&engines.keys));
        Ok(Embedded {
            store: Store::open(&at(&engines.event_log), Options { fuse: fuse.clone(), ..Options::default() })?,
            views: Arc::new(views::sqlite::Sqlite::with_fuse(&views, fuse.clone()).map_err(whole)?),
            directory: Arc::new(directory::sqlite::Sqlite::with_fuse(&directory, fuse.clone()).map_err(whole)?),
            keys: Arc::new(keys::sqlite::Sqlite::with_fuse(&keys, fuse.clone()).map_err(whole)?),
            fuse,
        })
    };
    tokio::task::spawn_blocking(open).await.context("opening the engines panicked")?
}

/// A port's failure with the sentence that its source has for the operator.
fn whole(error: klatch_ports::Error) -> anyhow::Error {
    match std::error::Error::source(&error) {
        Some(source) => anyhow::anyhow!("{source}"),
        None => error.into(),
    }
}

/// The workspace of these data, made at the first start.
async fn workspace(keys: &dyn Keys, clock: &dyn Clock, entropy: &dyn Entropy) -> anyhow::Result<WorkspaceId> {
    let first = uuid_v7(clock, entropy);
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

/// The file or folder that an engine is given, relative to the data directory.
pub fn place(engine: &str) -> PathBuf {
    PathBuf::from(engine.split_once(':').map_or("", |(_, place)| place))
}
