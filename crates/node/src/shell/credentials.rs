//! Who is signed in where: `~/.config/klatch/credentials.json`, readable by its owner alone, changed by one process at a time.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use klatch_client::{Keep, Kept, Tokens};
use serde::{Deserialize, Serialize};

/// Somebody who is signed in.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Entry {
    /// Their name.
    pub name: String,
    access: String,
    refresh: String,
}

/// The file.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    path: PathBuf,
}

/// By the address of the server.
type Servers = BTreeMap<String, Entry>;

impl Entry {
    /// Somebody with these tokens.
    pub fn new(name: String, tokens: Tokens) -> Self {
        Self { name, access: tokens.access, refresh: tokens.refresh }
    }

    /// Their tokens.
    pub fn tokens(&self) -> Tokens {
        Tokens { access: self.access.clone(), refresh: self.refresh.clone() }
    }
}

impl Credentials {
    /// Where the user's configuration lies; `None` if the environment does not say.
    pub fn of_user() -> Option<Self> {
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
        Some(Self::at(config.join("klatch/credentials.json")))
    }

    /// This file.
    pub const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who is signed in at this server.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn get(&self, server: &str) -> io::Result<Option<Entry>> {
        Ok(self.read()?.remove(server))
    }

    /// Puts somebody there, or nobody.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&self, server: &str, entry: Option<Entry>) -> io::Result<()> {
        let _lock = self.lock()?;
        let mut servers = self.read()?;
        match entry {
            Some(entry) => servers.insert(server.to_owned(), entry),
            None => servers.remove(server),
        };
        self.write(&servers)
    }

    /// The tokens of one server, for [`klatch_client::Rest::kept`].
    pub fn keep(&self, server: &str) -> impl Keep {
        KeptAt { credentials: self.clone(), server: server.to_owned() }
    }

    fn lock(&self) -> io::Result<File> {
        if let Some(dir) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        // Another file than the one itself, which is replaced by each write.
        let path = self.path.with_extension("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        lock.lock()?;
        Ok(lock)
    }

    fn read(&self) -> io::Result<Servers> {
        match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Servers::new()),
            Err(error) => Err(error),
        }
    }

    fn write(&self, servers: &Servers) -> io::Result<()> {
        let new = self.path.with_extension("new");
        // Made anew, so that it is nobody else's from the start.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(servers)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }
}

struct KeptAt {
    credentials: Credentials,
    server: String,
}

struct Locked {
    credentials: Credentials,
    server: String,
    servers: Servers,
    /// Nobody else renews as long as this is here.
    _lock: File,
}

impl Keep for KeptAt {
    fn open(&self) -> io::Result<Box<dyn Kept>> {
        let Self { credentials, server } = self;
        let lock = credentials.lock()?;
        let servers = credentials.read()?;
        Ok(Box::new(Locked { credentials: credentials.clone(), server: server.clone(), servers, _lock: lock }))
    }
}

impl Kept for Locked {
    fn tokens(&self) -> Tokens {
        self.servers.get(&self.server).map(Entry::tokens).unwrap_or_default()
    }

    fn put(self: Box<Self>, tokens: &Tokens) -> io::Result<()> {
        let Self { credentials, server, mut servers, _lock } = *self;
        let name = servers.get(&server).map(|entry| entry.name.clone()).unwrap_or_default();
        servers.insert(server, Entry::new(name, tokens.clone()));
        credentials.write(&servers)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn tokens(access: &str) -> Tokens {
        Tokens { access: access.to_owned(), refresh: "r".to_owned() }
    }

    #[test]
    fn tokens_are_kept_by_server_and_only_for_their_owner() {
        let dir = tempfile::tempdir().unwrap();
        let file = Credentials::at(dir.path().join("klatch/credentials.json"));
        assert!(file.get("http://a").unwrap().is_none());
        file.set("http://a", Some(Entry::new("ada".into(), tokens("1")))).unwrap();
        file.set("http://b", Some(Entry::new("bob".into(), tokens("2")))).unwrap();
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let kept = file.keep("http://a").open().unwrap();
        assert!(kept.tokens() == tokens("1"));
        kept.put(&tokens("3")).unwrap();
        let entry = file.get("http://a").unwrap().unwrap();
        assert!(entry.tokens() == tokens("3") && entry.name == "ada");
        file.set("http://a", None).unwrap();
        assert!(file.get("http://a").unwrap().is_none() && file.get("http://b").unwrap().is_some());
    }
}
