//! What a backup holds: the last file that is written, so that a backup without one was never finished.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use klatch_core::ids::Uuid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::files::{self, FileMark};

/// The version of what a backup looks like.
pub const FORMAT: u32 = 1;
/// The manifest's name in its folder.
pub const FILE: &str = "manifest.json";
/// For how long a copy of the keys is good: afterwards it would hold what was promised to be gone.
pub const KEYS_KEPT_MS: u64 = 30 * 86_400_000;

/// What both folders say of themselves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The version of what a backup looks like.
    pub format: u32,
    /// The version of Klatch that took it.
    pub klatch: String,
    /// By which the two folders of one backup know each other.
    pub backup: Uuid,
    /// Whose data they are.
    pub workspace: Uuid,
    /// When it was taken: milliseconds since 1970.
    pub taken_at: u64,
    /// Its files.
    pub files: BTreeMap<String, FileMark>,
}

/// The manifest of log, lists and directory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// What both folders say.
    #[serde(flatten)]
    pub head: Head,
    /// How many conversations there are.
    pub conversations: u64,
    /// How many records there are.
    pub records: u64,
    /// A hash over all conversations and their last seqs.
    pub heads: String,
    /// How many keys were destroyed by then.
    pub destroyed: u64,
}

/// The manifest of the keys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeysManifest {
    /// What both folders say.
    #[serde(flatten)]
    pub head: Head,
    /// When it is to be deleted: milliseconds since 1970.
    pub expires_at: u64,
    /// What to do with it, for whoever finds it.
    pub notice: String,
}

/// Writes the manifest of a folder, after everything else in it.
///
/// # Errors
/// It cannot be written.
pub fn write(dir: &Path, manifest: &impl Serialize) -> anyhow::Result<()> {
    files::sync_dir(dir).with_context(|| format!("{} cannot be synced", dir.display()))?;
    // Under another name until it is whole: half a manifest would be a mistake to find out about later.
    let new = dir.join("manifest.new");
    files::write(&new, &serde_json::to_vec_pretty(manifest)?)?;
    std::fs::rename(&new, dir.join(FILE)).and_then(|()| files::sync_dir(dir)).context("the manifest cannot be written")
}

/// Reads the manifest of a folder and verifies each file that it names.
///
/// # Errors
/// A sentence that says what is wrong with the backup.
pub fn read<T: DeserializeOwned>(dir: &Path, head: impl Fn(&T) -> &Head) -> anyhow::Result<T> {
    let path = dir.join(FILE);
    let bytes = std::fs::read(&path)
        .with_context(|| format!("{} is no finished backup: its {FILE} cannot be read", dir.display()))?;
    let format = serde_json::from_slice::<serde_json::Value>(&bytes).ok().and_then(|any| any.get("format")?.as_u64());
    if let Some(format) = format.filter(|format| *format > u64::from(FORMAT)) {
        bail!(
            "the backup {} was taken by a newer version of Klatch (its format is {format}, this version knows {FORMAT}); \
             restore it with that version",
            dir.display()
        );
    }
    let manifest: T = serde_json::from_slice(&bytes)
        .with_context(|| format!("the backup is damaged: {} is not whole", path.display()))?;
    for (name, expected) in &head(&manifest).files {
        let file = file(dir, name)?;
        let found = files::mark(&file).context("the backup is not whole")?;
        if found != *expected {
            bail!("the backup is damaged: {} is not as it was written; use another one", file.display());
        }
    }
    Ok(manifest)
}

/// A file that a manifest names, in its folder and nowhere else.
fn file(dir: &Path, name: &str) -> anyhow::Result<PathBuf> {
    if name.contains(['/', '\\']) || name.starts_with('.') {
        bail!("the backup is damaged: it names the file {name:?}");
    }
    Ok(dir.join(name))
}
