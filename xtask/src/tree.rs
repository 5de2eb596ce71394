//! The files of the repository, as text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The files of the repository, as text, by their path from its root.
pub struct Tree {
    root: PathBuf,
    files: BTreeMap<String, String>,
    others: Vec<String>,
}

impl Tree {
    /// Where the repository lies.
    pub fn root() -> PathBuf {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.parent().expect("xtask lies in the repository").to_owned()
    }

    /// Reads everything but what `.gitignore` names.
    pub fn read() -> anyhow::Result<Self> {
        let root = Self::root();
        let ignored = std::fs::read_to_string(root.join(".gitignore")).context(".gitignore")?;
        let ignored: Vec<&str> = ignored.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut tree = Self { root: root.clone(), files: BTreeMap::new(), others: Vec::new() };
        tree.walk(&root, "", &ignored)?;
        Ok(tree)
    }

    fn walk(&mut self, folder: &Path, prefix: &str, ignored: &[&str]) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{prefix}{name}");
            if name == ".git" || ignored.iter().any(|pattern| is_ignored(pattern, &path, &name)) {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.walk(&entry.path(), &format!("{path}/"), ignored)?;
            } else if kind.is_file() {
                match String::from_utf8(std::fs::read(entry.path())?) {
                    Ok(text) => drop(self.files.insert(path, text)),
                    Err(_) => self.others.push(path),
                }
            }
        }
        Ok(())
    }

    /// The text of a file, if it is there.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The text of a file that must be there.
    pub fn text(&self, path: &str) -> anyhow::Result<&str> {
        self.get(path).with_context(|| format!("{path} is missing"))
    }

    /// Whether there is a file or folder of this path, generated ones included.
    pub fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// All text files whose path begins with `prefix` and ends with `suffix`.
    pub fn all<'a>(&'a self, prefix: &'a str, suffix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let matching = move |path: &&String| path.starts_with(prefix) && path.ends_with(suffix);
        self.files.iter().filter(move |(path, _)| matching(path)).map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// The part of `.gitignore`'s language that this repository uses: names, `name/`, `/name/` and `*.ending`.
fn is_ignored(pattern: &str, path: &str, name: &str) -> bool {
    let bare = pattern.trim_end_matches('/');
    match (bare.strip_prefix('/'), bare.strip_prefix('*')) {
        (Some(rooted), _) => rooted == path,
        (_, Some(ending)) => name.ends_with(ending),
        _ => bare == name,
    }
}
