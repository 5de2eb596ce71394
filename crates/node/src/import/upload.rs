//! The batches, one after the other: each is answered before the next is sent, so that the conversation has the order of the file
//! wherever it ends. The next one is read and encoded meanwhile.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use klatch_client::{Error, Rest};
use klatch_protocol::objects::{Body, Slug};
use klatch_protocol::rest::{ImportAnswer, ImportBatch, ImportOutcome};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::irc::{Read, Reader};
use super::reading::Reading;
use super::report::{Kinds, Report};
use super::source;

/// Lines of a batch: as many items as a server takes at once.
const BATCH_LINES: usize = 500;
/// LIMIT: bytes of text in a batch, so that it fits into a request however it is escaped.
const BATCH_BYTES: usize = 512 * 1024;
/// Batches that are read ahead.
const AHEAD: usize = 2;
/// How often a batch is sent before one gives up, waiting twice as long each time: about two minutes.
const TRIES: u32 = 9;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Where to import to.
pub struct Target<'a> {
    /// The server.
    pub rest: &'a Rest,
    /// The conversation.
    pub conversation: Uuid,
    /// Its name, for what nobody said.
    pub channel: String,
}

struct Batch {
    lines: Vec<Read>,
    kinds: Kinds,
}

/// Imports a file, until its end or `stop`; says after each batch how far it is.
///
/// # Errors
/// A sentence that says what to do. What was imported by then stays.
pub async fn run(
    target: &Target<'_>,
    file: &Path,
    stop: &CancellationToken,
    mut told: impl FnMut(&Report),
) -> anyhow::Result<Report> {
    let (send, mut batches) = mpsc::channel(AHEAD);
    let (path, channel) = (file.to_owned(), target.channel.clone());
    let reading = tokio::task::spawn_blocking(move || read(&path, &channel, &send));
    let mut report = Report::default();
    let unread = Reading::before(target.rest, target.conversation).await.context("the conversation cannot be seen")?;
    while let Some(batch) = batches.recv().await
        && !stop.is_cancelled()
    {
        account(target, batch, &mut report).await?;
        told(&report);
    }
    drop(batches);
    reading.await.context("the reader of the file panicked")??;
    unread.after().await.context("everything is imported, but could not be marked as read")?;
    if report.adds_up() {
        Ok(report)
    } else {
        bail!("the numbers do not add up, which is a mistake of klatch:\n{report}")
    }
}

fn read(path: &Path, channel: &str, send: &mpsc::Sender<Batch>) -> anyhow::Result<()> {
    let mut reader = Reader::new(channel);
    let mut file = source::open(path)?;
    let (mut lines, mut bytes) = (Vec::with_capacity(BATCH_LINES), 0);
    loop {
        let line = source::next(&mut *file, path)?;
        let is_last = line.is_none();
        if let Some(line) = line {
            let read = reader.read(&line);
            bytes += read.item.as_ref().map_or(0, |item| text_bytes(&item.body));
            lines.push(read);
        }
        if is_last || lines.len() == BATCH_LINES || bytes >= BATCH_BYTES {
            let batch = Batch { lines: std::mem::take(&mut lines), kinds: reader.kinds };
            bytes = 0;
            // Nobody takes it any more: the import was stopped.
            if send.blocking_send(batch).is_err() || is_last {
                return Ok(());
            }
        }
    }
}

const fn text_bytes(body: &Body) -> usize {
    match body {
        Body::Text { text, .. } | Body::Notice { text } => text.len(),
        Body::Unsupported => 0,
    }
}

/// Sends a batch, and accounts for each of its lines.
async fn account(target: &Target<'_>, batch: Batch, report: &mut Report) -> anyhow::Result<()> {
    let mut links = Vec::with_capacity(batch.lines.len());
    let mut items = Vec::with_capacity(batch.lines.len());
    report.kinds = batch.kinds;
    report.lines += batch.lines.len() as u64;
    for line in batch.lines {
        match line.item {
            Ok(item) => {
                items.push(item);
                links.push(line.links);
            }
            Err(reason) => {
                report.lose(reason);
                report.links.add(line.links);
            }
        }
    }
    if items.is_empty() {
        return Ok(());
    }
    let expected = items.len();
    let answer = send(target, &ImportBatch { items }).await.with_context(|| {
        format!(
            "the import ended after {} lines; run it again, and it goes on from there",
            report.lines - expected as u64
        )
    })?;
    if answer.outcomes.len() != expected {
        bail!("the server answered {} of {expected} items", answer.outcomes.len());
    }
    for (outcome, links) in answer.outcomes.into_iter().zip(links) {
        match outcome.problem {
            None => {
                *if outcome.repeated { &mut report.repeated } else { &mut report.imported } += 1;
                report.links.add(links);
            }
            Some(problem) => {
                report.lose(&problem.title);
                report.links.add(links.lost());
            }
        }
    }
    Ok(())
}

/// Sends a batch until the server says what became of each item. Nothing is imported twice by that: each has its id.
async fn send(target: &Target<'_>, batch: &ImportBatch) -> Result<ImportAnswer, Error> {
    let mut wait = FIRST_WAIT;
    for _ in 1..TRIES {
        match target.rest.import(target.conversation, batch).await {
            Ok(answer) if !answer.outcomes.iter().any(is_for_later) => return Ok(answer),
            Err(error) if !is_passing(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    let answer = target.rest.import(target.conversation, batch).await?;
    match answer.outcomes.iter().find(|outcome| is_for_later(outcome)).and_then(|outcome| outcome.problem.clone()) {
        Some(problem) => Err(Error::Refused(Box::new(problem))),
        None => Ok(answer),
    }
}

fn is_for_later(outcome: &ImportOutcome) -> bool {
    outcome.problem.as_ref().and_then(klatch_protocol::objects::Problem::slug).is_some_and(passes)
}

fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Unreachable(_)) || error.slug().is_some_and(passes)
}

const fn passes(slug: Slug) -> bool {
    matches!(slug, Slug::Unavailable | Slug::Stopping | Slug::RateLimited | Slug::StorageFailed)
}
