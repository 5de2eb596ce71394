//! Files of a backup: for their owner alone, on disk before they count, known by their hash.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// A file of a backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileMark {
    /// Its size.
    pub bytes: u64,
    /// Its hash.
    pub blake3: String,
}

/// Makes a folder for its owner alone. One that is there must be empty.
pub fn make_empty(dir: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.with_context(|| format!("the folder {} cannot be made", dir.display()))?;
    if !is_empty(dir)? {
        bail!("the folder {} is not empty; name one that is not there yet", dir.display());
    }
    Ok(())
}

/// Whether there is nothing in a folder, or no folder.
pub fn is_empty(dir: &Path) -> anyhow::Result<bool> {
    match std::fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("the folder {} cannot be read", dir.display())),
    }
}

/// Begins a file that must not be there yet.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes a whole file, which must not be there yet.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        let mut file = create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

/// Copies a file to one that must not be there yet.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copy = || -> io::Result<()> {
        let (mut from, mut to) = (File::open(from)?, create(to)?);
        io::copy(&mut from, &mut to)?;
        to.sync_all()
    };
    copy().with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))
}

/// Makes a file that another program wrote its owner's alone, and syncs it.
pub fn settle(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.sync_all()
}

/// Syncs a folder: the names in it.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Size and hash of a file.
pub fn mark(path: &Path) -> anyhow::Result<FileMark> {
    let hash = || -> io::Result<FileMark> {
        let (mut file, mut hasher) = (File::open(path)?, blake3::Hasher::new());
        let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(FileMark { bytes, blake3: hasher.finalize().to_hex().to_string() });
            }
            hasher.update(&buffer[..read]);
            bytes += read as u64;
        }
    };
    hash().with_context(|| format!("{} cannot be read", path.display()))
}
