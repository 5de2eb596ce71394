//! A store to be tried and lost, for the contract suites of the engines that stand on it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{Options, Store};

pub(crate) struct Disk {
    dir: tempfile::TempDir,
    store: Option<Arc<Store>>,
}

impl Disk {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Some(Store::open(&dir.path().join("log"), Options::default()).unwrap());
        Self { dir, store }
    }

    pub fn store(&self) -> Arc<Store> {
        self.store.clone().unwrap()
    }

    pub async fn reopen_store(&mut self) {
        // The suite has let go of every engine, or this waits for the lock in vain.
        let old = self.store.take().unwrap();
        assert_eq!(Arc::strong_count(&old), 1, "somebody still holds the store");
        drop(old);
        self.store = Some(Store::open(&self.dir.path().join("log"), Options::default()).unwrap());
    }

    /// What a process leaves behind that is killed: the files as they are now, at another place.
    pub async fn crash_store(&mut self) {
        let survivor = tempfile::tempdir().unwrap();
        copy(self.dir.path(), survivor.path());
        self.store = None;
        self.dir = survivor;
        self.store = Some(Store::open(&self.dir.path().join("log"), Options::default()).unwrap());
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}
