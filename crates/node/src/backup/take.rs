//! Taking a backup of a node that runs, in an order that makes the parts fit: first the lists, which may be behind the log; then
//! the log; then the directory, which knows everybody in the log; then the keys, so that whoever the directory says is gone has
//! none.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use klatch_core::ids::{ConversationId, Seq};
use klatch_ports::event_log::EventLog;
use klatch_server::environment::uuid_v7;
use klatch_server::services::Services;
use serde::{Deserialize, Serialize};

use super::frames::{Frame, FrameWriter};
use super::manifest::{FORMAT, Head, KEYS_KEPT_MS, KeysManifest, Manifest};
use super::{destroyed, files, manifest};
use crate::engines::Embedded;

/// The log's copy.
pub const LOG: &str = "log.frames";
/// The lists.
pub const VIEWS: &str = "views.db";
/// The directory.
pub const DIRECTORY: &str = "directory.db";
/// The wrapped keys.
pub const KEYS: &str = "keys.db";
/// The key that they are wrapped with.
pub const MASTER: &str = "master.key";
/// Conversations and records read at a time.
const PAGE: usize = 1_000;

const NOTICE: &str = "These keys open what is in the backup of the log. Keep them in another place than that, where nobody reads \
    both, and delete them when they expire: they hold keys that are destroyed later.";

/// What to copy, and from where.
pub struct Source {
    /// The ports.
    pub services: Arc<Services>,
    /// The engines, which copy themselves.
    pub embedded: Arc<Embedded>,
    /// The master key's file.
    pub master_key: PathBuf,
}

/// What was taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// How many conversations.
    pub conversations: u64,
    /// How many records.
    pub records: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// When the keys expire: milliseconds since 1970.
    pub keys_expire_at: u64,
}

/// What was counted on the way.
#[derive(Default)]
struct Counted {
    conversations: u64,
    records: u64,
    heads: blake3::Hasher,
}

/// Takes a backup into two folders that are not there yet, or are empty.
///
/// # Errors
/// A sentence that says what to do. What was written by then is no backup: it has no manifest.
pub async fn take(source: &Source, dir: &Path, keys_dir: &Path) -> anyhow::Result<Taken> {
    let services = &*source.services;
    let Embedded { store: Some(_), views: Some(views), directory: Some(directory), keys: Some(keys), .. } =
        &*source.embedded
    else {
        bail!("some engines of this node are servers: take backups with their own tools (docs/operating/cluster.md)");
    };
    files::make_empty(dir)?;
    let now = services.clock.now().0;
    views.backup(dir.join(VIEWS)).await.context("the lists cannot be copied")?;
    let counted = copy_log(&*services.event_log, &dir.join(LOG)).await?;
    directory.backup(dir.join(DIRECTORY)).await.context("the directory cannot be copied")?;
    // Only now, as it may lie in the other, which had to be empty.
    files::make_empty(keys_dir)?;
    keys.backup(keys_dir.join(KEYS)).await.context("the keys cannot be copied")?;
    files::copy(&source.master_key, &keys_dir.join(MASTER))?;
    let destroyed = destroyed::list(&*services.keys).await?;
    files::write(&dir.join(destroyed::FILE), destroyed::text(&destroyed).as_bytes())?;

    let backup = uuid_v7(&*services.clock, &*services.entropy);
    let head = |files| Head {
        format: FORMAT,
        klatch: env!("CARGO_PKG_VERSION").to_owned(),
        backup,
        workspace: services.workspace.0,
        taken_at: now,
        files,
    };
    let keys = KeysManifest {
        head: head(marks(keys_dir, &[KEYS, MASTER])?),
        expires_at: now + KEYS_KEPT_MS,
        notice: NOTICE.to_owned(),
    };
    let data = Manifest {
        head: head(marks(dir, &[VIEWS, LOG, DIRECTORY, destroyed::FILE])?),
        conversations: counted.conversations,
        records: counted.records,
        heads: counted.heads.finalize().to_hex().to_string(),
        destroyed: destroyed.len() as u64,
    };
    manifest::write(keys_dir, &keys)?;
    manifest::write(dir, &data)?;
    let bytes = data.head.files.values().chain(keys.head.files.values()).map(|file| file.bytes).sum();
    let Counted { conversations, records, .. } = counted;
    Ok(Taken { conversations, records, bytes, keys_expire_at: keys.expires_at })
}

fn marks(dir: &Path, names: &[&str]) -> anyhow::Result<std::collections::BTreeMap<String, files::FileMark>> {
    let mark = |name: &&str| {
        let path = dir.join(name);
        files::settle(&path).with_context(|| format!("{} cannot be synced", path.display()))?;
        Ok(((*name).to_owned(), files::mark(&path)?))
    };
    names.iter().map(mark).collect()
}

/// Copies every conversation up to where it was when its turn came.
async fn copy_log(log: &dyn EventLog, to: &Path) -> anyhow::Result<Counted> {
    let unwritten = || format!("{} cannot be written", to.display());
    let file = files::create(to).with_context(unwritten)?;
    let mut writer = FrameWriter::begin(BufWriter::with_capacity(1 << 20, file)).with_context(unwritten)?;
    let (mut counted, mut after) = (Counted::default(), None);
    loop {
        let page = log.conversations(after, PAGE).await.context("the log cannot be read")?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (id, tail) in page {
            writer.write(&Frame::Conversation(id, tail)).with_context(unwritten)?;
            mark_head(&mut counted.heads, id, tail);
            counted.conversations += 1;
            counted.records += copy_conversation(log, id, tail, &mut writer).await?;
        }
    }
    writer.write(&Frame::End(counted.conversations, counted.records)).with_context(unwritten)?;
    let mut file = writer.into_inner();
    file.flush().with_context(unwritten)?;
    Ok(counted)
}

async fn copy_conversation(
    log: &dyn EventLog,
    id: ConversationId,
    tail: Seq,
    writer: &mut FrameWriter<impl Write>,
) -> anyhow::Result<u64> {
    let mut next = Seq(1);
    while next <= tail {
        let limit = usize::try_from(tail.0 - next.0 + 1).unwrap_or(PAGE).min(PAGE);
        let records = log.read(id, next, limit).await.context("the log cannot be read")?;
        if records.is_empty() {
            break;
        }
        for record in records {
            if record.seq != next {
                bail!("the log of {id} has a hole at {next}; run `klatch check`");
            }
            next = next.next();
            writer.write(&Frame::Record(record)).context("the log's copy cannot be written")?;
        }
    }
    if next != tail.next() {
        bail!("the log of {id} ends before {tail}; run `klatch check`");
    }
    Ok(tail.0)
}

/// Adds a conversation to the hash over all of them.
pub fn mark_head(hasher: &mut blake3::Hasher, id: ConversationId, tail: Seq) {
    hasher.update(id.as_bytes()).update(&tail.0.to_be_bytes());
}
