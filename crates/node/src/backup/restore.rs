//! Putting a backup back, into a directory that is not there yet: verified first, then built beside its place, and moved there as a
//! whole. What was erased by now stays erased.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use klatch_core::conversation::Remembered;
use klatch_core::ids::{ConversationId, Seq, UserId};
use klatch_ports::directory::Closed;
use klatch_ports::event_log::{Append, EventLog, NewRecord, Record};
use klatch_protocol::log::encode_index;
use klatch_server::processor::event_of;
use klatch_server::rebuilding::rebuild;
use serde::Serialize;

use super::frames::{Frame, FrameReader};
use super::manifest::{self, KeysManifest, Manifest};
use super::take::{DIRECTORY, KEYS, LOG, MASTER, VIEWS, mark_head};
use super::{destroyed, files};
use crate::config::Config;
use crate::engines::{self, Opened, places};
use crate::environment::Overrides;

/// Records appended at a time: as many, or as many bytes.
const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 2 << 20;
/// Keys destroyed at a time.
const DESTROY: usize = 500;

/// What to restore.
pub struct Wanted {
    /// The folder of log, lists and directory.
    pub from: PathBuf,
    /// The folder of the keys.
    pub keys: PathBuf,
    /// Further lists of destroyed keys: texts, or the keys of a node that does not run.
    pub destroyed: Vec<PathBuf>,
    /// Whether keys may be used that should have been deleted by now.
    pub expired: bool,
}

/// What was restored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Restored {
    /// How many conversations.
    pub conversations: u64,
    /// How many records.
    pub records: u64,
    /// How many people's keys are destroyed, and stay so.
    pub destroyed: u64,
    /// Accounts that had been closed since the backup, and were closed again.
    pub closed: u64,
}

/// Restores into `config.data`.
///
/// # Errors
/// A sentence that says what to do. Then nothing is there.
pub async fn restore(wanted: &Wanted, config: Config, overrides: &Overrides) -> anyhow::Result<Restored> {
    let data = config.data.clone();
    if !files::is_empty(&data)? {
        bail!("{} is not empty; restore into a directory that is not there yet", data.display());
    }
    let (manifest, keys) = verify(wanted, overrides.clock.now().0)?;
    let building = beside(&data)?;
    if building.exists() {
        bail!("{} is there from a restore that did not end; remove it and try again", building.display());
    }
    files::make_empty(&building)?;
    let config = Config { data: building.clone(), ..config };
    let built = build(wanted, &manifest, &keys, &config, overrides).await;
    match built {
        Ok(restored) => {
            std::fs::rename(&building, &data)
                .with_context(|| format!("{} cannot be moved to {}", building.display(), data.display()))?;
            Ok(restored)
        }
        Err(error) => {
            // Half a restore is of no use; that it cannot be removed is said by the next one.
            let _ = std::fs::remove_dir_all(&building);
            Err(error)
        }
    }
}

/// The place in which it is built, on the same disk.
fn beside(data: &Path) -> anyhow::Result<PathBuf> {
    let name = data.file_name().with_context(|| format!("{} names no directory", data.display()))?;
    let mut building = name.to_owned();
    building.push(".restoring");
    Ok(data.with_file_name(building))
}

fn verify(wanted: &Wanted, now: u64) -> anyhow::Result<(Manifest, KeysManifest)> {
    let manifest = manifest::read(&wanted.from, |manifest: &Manifest| &manifest.head)?;
    let keys = manifest::read(&wanted.keys, |keys: &KeysManifest| &keys.head)?;
    if manifest.head.workspace != keys.head.workspace {
        bail!("{} and {} are of different sites", wanted.from.display(), wanted.keys.display());
    }
    if keys.head.taken_at < manifest.head.taken_at {
        bail!(
            "the keys in {} are older than the backup in {}, so some of it could not be read; use the keys that were taken \
             with it, or later",
            wanted.keys.display(),
            wanted.from.display()
        );
    }
    if keys.expires_at < now && !wanted.expired {
        bail!(
            "the keys in {} have expired: they may hold keys that were destroyed since. If there are no younger ones, give the \
             newest list of destroyed keys with --destroyed, and --expired-keys",
            wanted.keys.display()
        );
    }
    for (dir, names, has) in [
        (&wanted.from, &[VIEWS, LOG, DIRECTORY, destroyed::FILE][..], &manifest.head.files),
        (&wanted.keys, &[KEYS, MASTER][..], &keys.head.files),
    ] {
        if let Some(missing) = names.iter().find(|name| !has.contains_key(**name)) {
            bail!("the backup is damaged: the manifest in {} does not name {missing}", dir.display());
        }
    }
    Ok((manifest, keys))
}

async fn build(
    wanted: &Wanted,
    manifest: &Manifest,
    keys: &KeysManifest,
    config: &Config,
    overrides: &Overrides,
) -> anyhow::Result<Restored> {
    let data = &config.data;
    let [_, views, directory, keys_file] = places(config)?;
    files::copy(&wanted.keys.join(MASTER), &data.join(&config.engines.master_key))?;
    files::copy(&wanted.keys.join(KEYS), &keys_file)?;
    files::copy(&wanted.from.join(VIEWS), &views)?;
    files::copy(&wanted.from.join(DIRECTORY), &directory)?;
    let mut gone = destroyed::read(&wanted.from.join(destroyed::FILE), data).await?;
    for list in &wanted.destroyed {
        gone.extend(destroyed::read(list, data).await?);
    }
    let opened = engines::open(config, overrides).await?;
    if opened.services.workspace.0 != keys.head.workspace {
        bail!("the backup is damaged: its keys are of another site than their manifest says");
    }
    // Before anything can be read: the keys in the backup may be older than their destruction.
    let mut restored = erase(&opened, gone).await?;
    read_log(&wanted.from.join(LOG), manifest, &opened, &mut restored).await?;
    drop(opened);
    files::sync_dir(data)?;
    Ok(restored)
}

/// Destroys again what was destroyed, and closes whose it was.
async fn erase(opened: &Opened, mut gone: BTreeSet<UserId>) -> anyhow::Result<Restored> {
    let (keys, directory) = (&opened.services.keys, &opened.services.directory);
    gone.extend(destroyed::list(&**keys).await?);
    let gone: Vec<_> = gone.into_iter().collect();
    let mut restored = Restored { destroyed: gone.len() as u64, ..Restored::default() };
    for some in gone.chunks(DESTROY) {
        keys.destroy(some).await?;
    }
    for user in gone {
        match directory.close(user).await? {
            Closed::Now(_) => restored.closed += 1,
            Closed::Missing => {}
            Closed::LastOwner => tracing::warn!(%user, "the last owner's key is destroyed; the account stays open"),
        }
        directory.finish_closure(user).await?;
    }
    Ok(restored)
}

async fn read_log(path: &Path, manifest: &Manifest, opened: &Opened, restored: &mut Restored) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut frames = FrameReader::begin(BufReader::with_capacity(1 << 20, file))?;
    let log = &*opened.services.event_log;
    let (mut heads, mut writing) = (blake3::Hasher::new(), None::<Writing>);
    while let Some(frame) = frames.read()? {
        match frame {
            Frame::Conversation(id, tail) => {
                if let Some(done) = writing.replace(Writing::begin(id, tail)) {
                    done.end(opened).await?;
                }
                mark_head(&mut heads, id, tail);
                restored.conversations += 1;
            }
            Frame::Record(record) => {
                let Some(writing) = &mut writing else { bail!("the backup is damaged: a record of no conversation") };
                restored.records += 1;
                writing.take(log, record).await?;
            }
            Frame::End(conversations, records) => {
                if let Some(done) = writing.take() {
                    done.end(opened).await?;
                }
                if (conversations, records) != (restored.conversations, restored.records) {
                    bail!("the backup is damaged: the log's copy lacks conversations or records");
                }
            }
        }
    }
    let counted = (restored.conversations, restored.records, heads.finalize().to_hex().to_string());
    if counted != (manifest.conversations, manifest.records, manifest.heads.clone()) {
        bail!("the backup is damaged: the log's copy is not the one that the manifest describes");
    }
    Ok(())
}

/// A conversation that is being written.
struct Writing {
    id: ConversationId,
    tail: Seq,
    written: Seq,
    waiting: Vec<NewRecord>,
    bytes: usize,
}

impl Writing {
    const fn begin(id: ConversationId, tail: Seq) -> Self {
        Self { id, tail, written: Seq::ZERO, waiting: Vec::new(), bytes: 0 }
    }

    async fn take(&mut self, log: &dyn EventLog, record: Record) -> anyhow::Result<()> {
        let event = event_of(&record).context("the backup is damaged: a record cannot be read")?;
        self.bytes += record.head.len() + record.body.len();
        self.waiting.push(NewRecord { record, index: encode_index(&Remembered::of(&event)) });
        if self.waiting.len() >= BATCH || self.bytes >= BATCH_BYTES { self.write(log).await } else { Ok(()) }
    }

    async fn write(&mut self, log: &dyn EventLog) -> anyhow::Result<()> {
        let records = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        let Some(last) = records.last().map(|new| new.record.seq) else { return Ok(()) };
        let append = Append { conversation: self.id, expected: self.written, records };
        for outcome in log.append(vec![append]).await {
            outcome.with_context(|| format!("the log of {} cannot be written", self.id))?;
        }
        self.written = last;
        Ok(())
    }

    async fn end(mut self, opened: &Opened) -> anyhow::Result<()> {
        self.write(&*opened.services.event_log).await?;
        if self.written != self.tail {
            bail!("the backup is damaged: {} ends at {} and not at {}", self.id, self.written, self.tail);
        }
        rebuild(&opened.services, self.id).await.with_context(|| format!("the lists of {} cannot be built", self.id))
    }
}
