//! Opening, and what the store says when it cannot.

use super::*;
use std::fs;

#[test]
fn two_cannot_have_it_open() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options::default()).unwrap();
    let refused = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Locked(_)));
    assert!(refused.to_string().contains("stop that one"), "{refused}");
    drop(store);
    Store::open(dir.path(), Options::default()).unwrap();
}

#[test]
fn a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    fs::write(dir.path().join("VERSION"), "2\n").unwrap();
    let refused = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 2, known: 1, .. }), "{refused}");
}

#[test]
fn a_directory_that_takes_no_writes_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for dir in [file.path().to_owned(), file.path().join("log")] {
        let refused = Store::open(&dir, Options::default()).err().unwrap();
        assert!(matches!(refused, OpenError::Unwritable { .. }), "{refused}");
    }
}

#[test]
fn what_was_lost_is_not_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    fs::rename(dir.path().join("store/keyspaces/3"), dir.path().join("elsewhere")).unwrap();
    let refused = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");

    fs::remove_dir_all(dir.path().join("store")).unwrap();
    let refused = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(refused.to_string().contains("store/ is missing"), "{refused}");
}

#[test]
fn an_interrupted_first_start_begins_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("store.unfinished/keyspaces")).unwrap();
    fs::write(dir.path().join("store.unfinished/0.jnl"), "half").unwrap();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    // Interrupted after the store was put in its place.
    fs::remove_file(dir.path().join("VERSION")).unwrap();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    assert_eq!(fs::read_to_string(dir.path().join("VERSION")).unwrap(), "1\n");
}
