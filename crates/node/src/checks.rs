//! Whether the data of a node that does not run are as they must be.

use anyhow::{Context, bail};
use klatch_core::ids::{ConversationId, Seq};
use klatch_server::checking;
use serde::Serialize;

use crate::config::Config;
use crate::engines::{self, Opened, place};
use crate::lifecycle::Overrides;

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
    /// How many findings.
    pub findings: u64,
}

/// Checks everything, and tells each finding as it is found.
///
/// # Errors
/// It cannot be checked: a node runs on it, or there is nothing. What is damaged is no error.
pub async fn check(
    config: &Config,
    overrides: &Overrides,
    mut tell: impl FnMut(Finding) -> anyhow::Result<()>,
) -> anyhow::Result<Summary> {
    let data = &config.data;
    if !data.join(place(&config.engines.event_log)).is_dir() {
        bail!("there are no data in {}; name the directory with --data", data.display());
    }
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
        Err(error) => {
            told(general("open", format!("{error:#}")), &mut summary)?;
            return Ok(summary);
        }
    };
    for finding in databases(config, &opened).await {
        told(finding, &mut summary)?;
    }
    let mut after = None;
    loop {
        let page = opened.services.event_log.conversations(after, PAGE).await.context("the log cannot be listed")?;
        let Some((last, _)) = page.last() else { return Ok(summary) };
        after = Some(*last);
        for (id, tail) in page {
            summary.conversations += 1;
            for finding in conversation(&opened, id, tail, &mut summary).await {
                told(finding, &mut summary)?;
            }
        }
    }
}

async fn conversation(opened: &Opened, id: ConversationId, tail: Seq, summary: &mut Summary) -> Vec<Finding> {
    let place = |seq: Option<Seq>, kind, detail| Finding {
        kind,
        conversation: Some(id.to_string()),
        seq: seq.map(|seq| seq.0),
        detail,
    };
    match checking::check(&opened.services, Some(&opened.sealer), id, tail).await {
        Ok(checked) => {
            summary.records += checked.records;
            checked.findings.into_iter().map(|found| place(found.seq, found.kind.name(), found.detail)).collect()
        }
        Err(error) => vec![place(None, "unreadable", format!("{:#}", anyhow::Error::from(error)))],
    }
}

/// Every page of every database.
async fn databases(config: &Config, opened: &Opened) -> Vec<Finding> {
    let (embedded, engines) = (&opened.embedded, &config.engines);
    let checked = [
        (&engines.views, embedded.views.check().await),
        (&engines.directory, embedded.directory.check().await),
        (&engines.keys, embedded.keys.check().await),
    ];
    let finding = |(engine, checked): (&String, Result<(), klatch_ports::Error>)| {
        let file = config.data.join(place(engine));
        checked.err().map(|error| general("database", format!("{}: {:#}", file.display(), anyhow::Error::from(error))))
    };
    checked.into_iter().filter_map(finding).collect()
}

fn general(kind: &'static str, detail: String) -> Finding {
    Finding { kind, conversation: None, seq: None, detail }
}

/// Whether somebody else has the data open.
fn is_busy(error: &anyhow::Error) -> bool {
    use klatch_engines::drivers::fjall::OpenError;
    matches!(error.downcast_ref(), Some(OpenError::Locked(_)))
}
