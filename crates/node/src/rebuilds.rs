//! A projection of a cluster that runs, or of a node that does not, is made what a replay of the log makes it; and views take over what
//! is people's own from the views that they come after.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use klatch_core::ids::ConversationId;
use klatch_ports::ErrorKind;
use klatch_server::mending::{self, Found};
use klatch_server::services::Services;
use serde::Serialize;

use crate::checks::{expect_data, is_busy};
use crate::config::{Config, Engine};
use crate::engines;
use crate::environment::Overrides;

/// Conversations listed at a time.
const PAGE: usize = 1_000;
/// Between two lines that say how far it is.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// LIMIT: how often what was mended is looked at once more, if somebody brings back what was wrong.
const ROUNDS_MAX: usize = 5;

/// What is rebuilt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Projection {
    /// Lists: conversations, memberships, mentions
    Views,
    /// What is shown of edits, deletions, reactions and pins
    Overlay,
}

/// Which conversations.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// These; all, if none is named.
    pub only: Vec<ConversationId>,
    /// Of all, those after this one.
    pub after: Option<ConversationId>,
}

/// What is told on the way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Told {
    /// It was another, and is mended.
    Different {
        /// Which conversation.
        conversation: String,
    },
    /// Nothing was there, and now it is.
    Missing {
        /// Which conversation.
        conversation: String,
    },
    /// It could not be mended; the rest goes on.
    Failed {
        /// Which conversation.
        conversation: String,
        /// A sentence.
        detail: String,
    },
    /// How far it is.
    Progress {
        /// How many were looked at.
        conversations: u64,
        /// The last of them.
        conversation: String,
    },
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Summary {
    /// How many conversations were compared with a replay.
    pub conversations: u64,
    /// In how many it was another than it should be.
    pub different: u64,
    /// In how many there was nothing.
    pub missing: u64,
    /// In how many the last events were missing.
    pub behind: u64,
    /// How many could not be mended.
    pub failed: u64,
    /// How many cursors and settings were compared with those that they were copied from.
    pub own: u64,
}

/// Rebuilds a projection, and takes cursors and settings over from the views of `from`.
///
/// # Errors
/// It cannot be begun, or a server went away: what was mended by then stays so. What cannot be mended is no error.
pub async fn rebuild(
    config: &Config,
    from: Option<&Config>,
    projection: Projection,
    which: &Which,
    mut tell: impl FnMut(Told) -> anyhow::Result<()>,
) -> anyhow::Result<Summary> {
    let chosen = config.engines.choose().map_err(anyhow::Error::msg)?;
    expect_data(config, &chosen, "rebuilt")?;
    if let Some(from) = from {
        let former = from.engines.choose().map_err(anyhow::Error::msg)?.views;
        if place(config, &chosen.views) == place(from, &former) {
            bail!("`engines.views` is the same in both files: --from names the file with the former one");
        }
    }
    let opened = match engines::open(config, &Overrides::default()).await {
        Err(error) if is_busy(&error) => return Err(error).context("only a node that is stopped can be rebuilt"),
        opened => opened.context("the rebuild cannot begin")?,
    };
    let services = &*opened.services;
    // Before anything is written, so that a wrong file is known at once.
    let former = match from {
        Some(from) => Some(engines::views(from).await.context("the views of --from cannot be opened")?),
        None => None,
    };
    let mut run = Run { services, projection, summary: Summary::default(), again: Vec::new(), said: Instant::now() };
    run.all(which, &mut tell).await?;
    run.once_more(&mut tell).await?;
    // What people wrote moves their cursors as well, so the lists come first.
    if let Some(former) = former {
        let only = if which.only.is_empty() { vec![None] } else { which.only.iter().copied().map(Some).collect() };
        for only in only {
            let merged = mending::merge_own(&*former, &*services.views, only).await;
            run.summary.own += merged.context("cursors and settings could not be copied")?;
        }
    }
    services.views.sync().await?;
    Ok(run.summary)
}

/// Where an engine keeps what it keeps.
fn place(config: &Config, engine: &Engine) -> String {
    match engine {
        Engine::Embedded(path) => config.data.join(path).display().to_string(),
        Engine::Distributed(place) => format!("{}://{:?}/{}", place.scheme, place.hosts, place.path),
    }
}

struct Run<'a> {
    services: &'a Services,
    projection: Projection,
    summary: Summary,
    /// Where something was mended that is looked at once more.
    again: Vec<ConversationId>,
    said: Instant,
}

impl Run<'_> {
    async fn all(&mut self, which: &Which, tell: &mut impl FnMut(Told) -> anyhow::Result<()>) -> anyhow::Result<()> {
        for id in &which.only {
            self.one(*id, tell).await?;
        }
        let mut after = which.after;
        while which.only.is_empty() {
            let page = self.services.event_log.conversations(after, PAGE).await.context("the log cannot be listed")?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            for (id, _) in page {
                self.one(id, tell).await?;
                if self.said.elapsed() >= SAY_EVERY {
                    self.said = Instant::now();
                    tell(Told::Progress { conversations: self.summary.conversations, conversation: id.to_string() })?;
                }
            }
        }
        Ok(())
    }

    async fn one(
        &mut self,
        id: ConversationId,
        tell: &mut impl FnMut(Told) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.summary.conversations += 1;
        let conversation = id.to_string();
        match self.mend(id, tell).await? {
            None | Some(Found::Same) => return Ok(()),
            Some(Found::Behind) => self.summary.behind += 1,
            Some(Found::Missing) => {
                self.summary.missing += 1;
                self.again.push(id);
                tell(Told::Missing { conversation })?;
            }
            Some(Found::Different) => {
                self.summary.different += 1;
                self.again.push(id);
                tell(Told::Different { conversation })?;
            }
        }
        Ok(())
    }

    /// How it was found; nothing, where it could not be mended.
    async fn mend(
        &mut self,
        id: ConversationId,
        tell: &mut impl FnMut(Told) -> anyhow::Result<()>,
    ) -> anyhow::Result<Option<Found>> {
        let mended = match self.projection {
            Projection::Views => mending::views(self.services, id).await,
            Projection::Overlay => mending::overlay(self.services, id).await,
        };
        match mended {
            Ok(found) => Ok(Some(found)),
            // A server that is away has nothing mended; what is done by then is done.
            Err(error) if error.kind == ErrorKind::Unavailable => {
                Err(error).with_context(|| format!("the rebuild ended at {id}: run it again"))
            }
            Err(error) => {
                self.summary.failed += 1;
                let detail = format!("{:#}", anyhow::Error::from(error));
                tell(Told::Failed { conversation: id.to_string(), detail })?;
                Ok(None)
            }
        }
    }

    /// A processor that had read a row of the overlay before it was mended may have written it afterwards.
    async fn once_more(&mut self, tell: &mut impl FnMut(Told) -> anyhow::Result<()>) -> anyhow::Result<()> {
        if self.projection != Projection::Overlay {
            return Ok(());
        }
        for _ in 0..ROUNDS_MAX {
            let mut still = Vec::new();
            for id in std::mem::take(&mut self.again) {
                if matches!(self.mend(id, tell).await?, Some(Found::Missing | Found::Different)) {
                    still.push(id);
                }
            }
            if still.is_empty() {
                return Ok(());
            }
            self.again = still;
        }
        for id in std::mem::take(&mut self.again) {
            self.summary.failed += 1;
            let detail = "somebody brings back what was wrong: run it again when less is going on there".to_owned();
            tell(Told::Failed { conversation: id.to_string(), detail })?;
        }
        Ok(())
    }
}
