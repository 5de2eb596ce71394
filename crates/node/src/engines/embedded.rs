//! The embedded engines: what lies in the data directory.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use klatch_engines::drivers::Fuse;
use klatch_engines::drivers::fjall::{Options, Store};
use klatch_engines::{directory, keys, views};

use crate::config::{Chosen, Config};

/// The embedded engines, for what only they can do: backups, compaction, counting syncs.
pub struct Embedded {
    /// The log, the overlay and the feed.
    pub store: Option<Arc<Store>>,
    /// The views.
    pub views: Option<Arc<views::sqlite::Sqlite>>,
    /// The directory.
    pub directory: Option<Arc<directory::sqlite::Sqlite>>,
    /// The keys.
    pub keys: Option<Arc<keys::sqlite::Sqlite>>,
    /// Stops all of them when the disk fails one.
    pub fuse: Fuse,
}

/// Opening blocks: after a crash, what was not yet in tables is read again.
pub(super) async fn open(config: &Config, chosen: &Chosen) -> anyhow::Result<Embedded> {
    let (data, chosen) = (config.data.clone(), chosen.clone());
    let open = move || -> anyhow::Result<Embedded> {
        let fuse = Fuse::default();
        let at = |path: &Path| data.join(path);
        let store = |path| Store::open(&at(path), Options { fuse: fuse.clone(), ..Options::default() });
        let views = |path| views::sqlite::Sqlite::with_fuse(&at(path), fuse.clone()).map(Arc::new).map_err(whole);
        let directory =
            |path| directory::sqlite::Sqlite::with_fuse(&at(path), fuse.clone()).map(Arc::new).map_err(whole);
        let keys = |path| keys::sqlite::Sqlite::with_fuse(&at(path), fuse.clone()).map(Arc::new).map_err(whole);
        Ok(Embedded {
            store: chosen.event_log.path().map(|path| store(path)).transpose()?,
            views: chosen.views.path().map(|path| views(path)).transpose()?,
            directory: chosen.directory.path().map(|path| directory(path)).transpose()?,
            keys: chosen.keys.path().map(|path| keys(path)).transpose()?,
            fuse: fuse.clone(),
        })
    };
    tokio::task::spawn_blocking(open).await.context("opening the engines panicked")?
}

/// The paths of log, views, directory and keys, for commands that are about files.
///
/// # Errors
/// One of them is no file: a sentence that says what it needs instead.
pub fn places(config: &Config) -> anyhow::Result<[std::path::PathBuf; 4]> {
    let Chosen { event_log, views, directory, keys, .. } = config.engines.choose().map_err(anyhow::Error::msg)?;
    let place = |port: &str, engine: crate::config::Engine| match engine.path() {
        Some(path) => Ok(config.data.join(path)),
        None => bail!("`engines.{port}` is a server: this command is about data in files; use that server's own tools"),
    };
    Ok([place("event_log", event_log)?, place("views", views)?, place("directory", directory)?, place("keys", keys)?])
}

/// A port's failure with the sentence that its source has for the operator.
pub fn whole(error: klatch_ports::Error) -> anyhow::Error {
    match std::error::Error::source(&error) {
        Some(source) => anyhow::anyhow!("{source}"),
        None => error.into(),
    }
}
