//! Whether data are as they must be: those of a node that does not run, or of a cluster, which may.

use std::path::PathBuf;

use anyhow::{Context, bail};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::ErrorKind;
use klatch_server::checking;
use serde::Serialize;

use crate::config::{Chosen, Config};
use crate::engines::{self, Opened};
use crate::environment::Overrides;

/// Conversations listed at a time.
const PAGE: usize = 1_000;

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What sort of thing.
    pub kind: &'static str,
    /// In which conversation, if in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// At which event, if at one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// A sentence.
    pub detail: String,
}

/// How much was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Summary {
    /// How many conversations.
    pub conversations: u64,
    /// How many records.
    pub records: u64,
    /// In how many conversations lists, edits, reactions or pins do not hold everything that the log does, yet.
    pub behind: u64,
    /// How many findings.
    pub findings: u64,
}

/// Checks everything, and tells each finding as it is found.
///
/// # Errors
/// It cannot be checked: a node runs on it, there is nothing, or a server went away. What is damaged is no error.
pub async fn check(
    config: &Config,
    overrides: &Overrides,
    mut tell: impl FnMut(Finding) -> anyhow::Result<()>,
) -> anyhow::Result<Summary> {
    let chosen = config.engines.choose().map_err(anyhow::Error::msg)?;
    expect_data(config, &chosen, "checked")?;
    let mut summary = Summary::default();
    let mut told = |finding: Finding, summary: &mut Summary| {
        summary.findings += 1;
        tell(finding)
    };
    let opened = match engines::open(config, overrides).await {
        Ok(opened) => opened,
        Err(error) if is_busy(&error) => {
            return Err(error).context("only a node that is stopped can be checked");
        }
        // What a server does not say is no damage.
        Err(error) if chosen.event_log.path().is_none() => return Err(error).context("the check cannot begin"),
        Err(error) => {
            told(general("open", format!("{error:#}")), &mut summary)?;
            return Ok(summary);
        }
    };
    for finding in databases(config, &chosen, &opened).await {
        told(finding, &mut summary)?;
    }
    let mut after = None;
    loop {
        let page = opened.services.event_log.conversations(after, PAGE).await.context("the log cannot be listed")?;
        let Some((last, _)) = page.last() else { return Ok(summary) };
        after = Some(*last);
        for (id, tail) in page {
            summary.conversations += 1;
            for finding in conversation(&opened, id, tail, &mut summary).await? {
                told(finding, &mut summary)?;
            }
        }
    }
}

/// Refuses to begin where there is nothing: opening would make an empty site there.
pub(crate) fn expect_data(config: &Config, chosen: &Chosen, done: &str) -> anyhow::Result<()> {
    let key = config.data.join(&config.engines.master_key);
    match chosen.event_log.path() {
        Some(log) if !config.data.join(log).is_dir() => {
            bail!("there are no data in {}; name the directory with --data", config.data.display());
        }
        None if !key.exists() => {
            let key = key.display();
            bail!(
                "{key} is not there: a cluster is {done} with the file of its master key; name its directory with --data"
            );
        }
        _ => Ok(()),
    }
}

async fn conversation(
    opened: &Opened,
    id: ConversationId,
    tail: Seq,
    summary: &mut Summary,
) -> anyhow::Result<Vec<Finding>> {
    let place = |seq: Option<Seq>, kind, detail| Finding {
        kind,
        conversation: Some(id.to_string()),
        seq: seq.map(|seq| seq.0),
        detail,
    };
    Ok(match checking::check(&opened.services, Some(&opened.sealer), id, tail).await {
        Ok(checked) => {
            summary.records += checked.records;
            summary.behind += u64::from(checked.is_behind);
            checked.findings.into_iter().map(|found| place(found.seq, found.kind.name(), found.detail)).collect()
        }
        // A server that is away for a while says nothing about what it holds.
        Err(error) if error.kind == ErrorKind::Unavailable => {
            return Err(error).with_context(|| format!("the check ended at {id}"));
        }
        Err(error) => vec![place(None, "unreadable", format!("{:#}", anyhow::Error::from(error)))],
    })
}

/// Every page of every database in a file.
async fn databases(config: &Config, chosen: &Chosen, opened: &Opened) -> Vec<Finding> {
    let embedded = &opened.embedded;
    let mut checked = Vec::new();
    if let (Some(path), Some(engine)) = (chosen.views.path(), &embedded.views) {
        checked.push((path, engine.check().await));
    }
    if let (Some(path), Some(engine)) = (chosen.directory.path(), &embedded.directory) {
        checked.push((path, engine.check().await));
    }
    if let (Some(path), Some(engine)) = (chosen.keys.path(), &embedded.keys) {
        checked.push((path, engine.check().await));
    }
    let finding = |(path, checked): (&PathBuf, Result<(), klatch_ports::Error>)| {
        let file = config.data.join(path);
        checked.err().map(|error| general("database", format!("{}: {:#}", file.display(), anyhow::Error::from(error))))
    };
    checked.into_iter().filter_map(finding).collect()
}

fn general(kind: &'static str, detail: String) -> Finding {
    Finding { kind, conversation: None, seq: None, detail }
}

/// Whether somebody else has the data open.
pub(crate) fn is_busy(error: &anyhow::Error) -> bool {
    use klatch_engines::drivers::fjall::OpenError;
    matches!(error.downcast_ref(), Some(OpenError::Locked(_)))
}
