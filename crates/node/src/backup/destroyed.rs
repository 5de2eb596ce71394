//! Lists of destroyed keys: an id a line. They are no secret, and the newest is the best.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use klatch_core::ids::UserId;
use klatch_engines::keys::sqlite::Sqlite;
use klatch_ports::keys::Keys;

use super::files;

/// The list's name in a backup.
pub const FILE: &str = "destroyed.txt";
/// Ids read at a time.
const PAGE: usize = 1_000;
/// How a database begins.
const DATABASE: &[u8] = b"SQLite format 3\0";

/// Everybody whose key was destroyed.
pub async fn list(keys: &dyn Keys) -> anyhow::Result<BTreeSet<UserId>> {
    let mut all = BTreeSet::new();
    loop {
        let page = keys.destroyed(all.last().copied(), PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// A list as a file.
pub fn text(users: &BTreeSet<UserId>) -> String {
    users.iter().map(|user| format!("{user}\n")).collect()
}

/// A list from a file: such a text, or the keys of a node that does not run.
pub async fn read(path: &Path, scratch: &Path) -> anyhow::Result<BTreeSet<UserId>> {
    let unread = || format!("the list of destroyed keys {} cannot be read", path.display());
    let bytes = std::fs::read(path).with_context(unread)?;
    if !bytes.starts_with(DATABASE) {
        let text = String::from_utf8(bytes).with_context(unread)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return lines
            .map(|line| line.parse().with_context(|| format!("{} is no list of ids: {line:?}", path.display())))
            .collect();
    }
    // From a copy: opening would write to it, and it may lie in a directory that somebody wants to keep as it is.
    let copy = scratch.join("destroyed.db");
    files::copy(path, &copy)?;
    let wal = path.with_extension("db-wal");
    if wal.exists() {
        files::copy(&wal, &copy.with_extension("db-wal"))?;
    }
    let opened = copy.clone();
    let keys = tokio::task::spawn_blocking(move || Sqlite::open(&opened)).await?;
    let all = match keys {
        Ok(keys) => list(&keys).await,
        Err(error) => bail!("{} holds no keys of Klatch: {error}", path.display()),
    };
    for name in ["db", "db-wal", "db-shm"] {
        let file = copy.with_extension(name);
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    all
}
