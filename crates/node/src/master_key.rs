//! The master key's file: made at the first start, readable by its owner alone.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use klatch_server::environment::Entropy;
use klatch_server::sealing::MasterKey;
use zeroize::Zeroizing;

const BYTES: usize = 32;

/// The key in this file. It is made where there is none, but never beside data that need another.
///
/// # Errors
/// A sentence that says what to do.
pub fn load(file: &Path, has_data: bool, entropy: &dyn Entropy) -> anyhow::Result<MasterKey> {
    match OpenOptions::new().read(true).open(file) {
        Ok(mut open) => {
            let mode = open.metadata()?.permissions().mode();
            if mode & 0o077 != 0 {
                bail!("{0} can be read by others (mode {1:o}); run `chmod 600 {0}`", file.display(), mode & 0o777);
            }
            let mut bytes = Zeroizing::new(Vec::with_capacity(BYTES + 1));
            open.read_to_end(&mut bytes)?;
            let Ok(key) = bytes.as_slice().try_into() else {
                bail!("{} is no master key: it has {} bytes, not {BYTES}", file.display(), bytes.len());
            };
            Ok(MasterKey::new(key))
        }
        Err(error) if error.kind() == ErrorKind::NotFound && has_data => bail!(
            "the master key {} is missing, and the data were made with one; put it back, or nobody can read them",
            file.display()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => make(file, entropy),
        Err(error) => Err(error).with_context(|| format!("the master key {} cannot be read", file.display())),
    }
}

fn make(file: &Path, entropy: &dyn Entropy) -> anyhow::Result<MasterKey> {
    let mut key = Zeroizing::new([0; BYTES]);
    entropy.fill(&mut *key);
    // Under another name until it is whole on the disk: half a key would be worse than none.
    let new = file.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        open.write_all(&*key)?;
        open.sync_all()?;
        std::fs::rename(&new, file)?;
        std::fs::File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().with_context(|| {
        format!(
            "the master key {} cannot be written; make sure that the user who runs Klatch owns the directory",
            file.display()
        )
    })?;
    Ok(MasterKey::new(*key))
}
