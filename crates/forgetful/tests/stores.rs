//! What SQLite and fjall keep on a forgetful disk, as facts that the node stands on.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod world;

use std::fs::File;

use klatch_forgetful::program::{done, root, run};
use klatch_forgetful::{Disk, Loss};
use rusqlite::Connection;
use world::{disk_after, new_disk};

/// Commits of a program.
const COMMITS: u32 = 20;

fn sqlite(journal: &str, synchronous: &str) -> ! {
    let connection = Connection::open(root().join("db")).unwrap();
    connection.pragma_update_and_check(None, "journal_mode", journal, |_| Ok(())).unwrap();
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY, padding BLOB)").unwrap();
    for n in 1..=COMMITS {
        connection.execute("INSERT INTO t VALUES (?1, randomblob(3000))", [n]).unwrap();
        println!("{n}");
    }
    done();
}

/// How many commits are left; none may be missing before one that is there.
fn kept(disk: &Disk) -> u32 {
    let connection = Connection::open(disk.root().join("db")).unwrap();
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let (count, last) = connection
        .query_row("SELECT count(*), coalesce(max(n), 0) FROM t", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap_or((0, 0));
    assert_eq!(count, last);
    count
}

#[test]
#[ignore = "a program for the other tests"]
fn sqlite_wal_full() {
    sqlite("WAL", "FULL");
}

#[test]
#[ignore = "a program for the other tests"]
fn sqlite_wal_normal() {
    sqlite("WAL", "NORMAL");
}

#[test]
#[ignore = "a program for the other tests"]
fn sqlite_delete_full() {
    sqlite("DELETE", "FULL");
}

#[test]
#[ignore = "a program for the other tests"]
fn sqlite_delete_extra() {
    sqlite("DELETE", "EXTRA");
}

#[test]
fn sqlite_keeps_commits_with_wal_and_full() {
    let (disk, _dir) = disk_after("sqlite_wal_full");
    disk.lose_power(Loss::Everything).unwrap();
    assert_eq!(kept(&disk), COMMITS);
}

#[test]
fn sqlite_keeps_what_it_answered_wherever_it_is_killed() {
    let (disk, _dir) = disk_after("sqlite_wal_full");
    let operations = disk.operations().unwrap();
    for after in (0..operations).step_by(3) {
        let (disk, _dir) = new_disk();
        disk.die_after(after).unwrap();
        let answered = run(&disk, "sqlite_wal_full").iter().filter_map(|line| line.parse().ok()).max().unwrap_or(0);
        disk.lose_power(Loss::Some { seed: after }).unwrap();
        assert!((answered..=answered + 1).contains(&kept(&disk)), "killed before operation {after}");
    }
}

#[test]
fn sqlite_loses_commits_with_wal_and_normal() {
    let (disk, _dir) = disk_after("sqlite_wal_normal");
    disk.lose_power(Loss::Everything).unwrap();
    assert!(kept(&disk) < COMMITS);
}

#[test]
fn sqlite_loses_the_last_commit_with_delete_and_full() {
    let (disk, _dir) = disk_after("sqlite_delete_full");
    disk.lose_power(Loss::Everything).unwrap();
    assert!(kept(&disk) < COMMITS, "the journal's removal is not synced, so the last commit is rolled back");

    let (disk, _dir) = disk_after("sqlite_delete_extra");
    disk.lose_power(Loss::Everything).unwrap();
    assert_eq!(kept(&disk), COMMITS);
}

fn fjall(persist: fjall::PersistMode, sync_folders: bool) -> ! {
    let database = fjall::Database::builder(root().join("db")).open().unwrap();
    let space = database.keyspace("t", fjall::KeyspaceCreateOptions::default).unwrap();
    if sync_folders {
        for folder in ["", "db", "db/keyspaces"] {
            File::open(root().join(folder)).unwrap().sync_all().unwrap();
        }
    }
    for n in 1..=COMMITS {
        let mut batch = database.batch().durability(Some(persist));
        batch.insert(&space, n.to_be_bytes(), vec![7; 3_000]);
        batch.commit().unwrap();
    }
    done();
}

#[test]
#[ignore = "a program for the other tests"]
fn fjall_synced() {
    fjall(fjall::PersistMode::SyncData, true);
}

#[test]
#[ignore = "a program for the other tests"]
fn fjall_buffered() {
    fjall(fjall::PersistMode::Buffer, true);
}

#[test]
#[ignore = "a program for the other tests"]
fn fjall_alone() {
    fjall(fjall::PersistMode::SyncAll, false);
}

fn kept_by_fjall(program: &str) -> usize {
    let (disk, _dir) = disk_after(program);
    disk.lose_power(Loss::Everything).unwrap();
    let database = fjall::Database::builder(disk.root().join("db")).open().unwrap();
    database.keyspace("t", fjall::KeyspaceCreateOptions::default).unwrap().len().unwrap()
}

#[test]
fn fjall_keeps_what_is_synced() {
    assert_eq!(kept_by_fjall("fjall_synced"), COMMITS as usize);
}

#[test]
fn fjall_loses_what_is_not() {
    assert_eq!(kept_by_fjall("fjall_buffered"), 0);
}

#[test]
fn fjall_does_not_sync_the_folder_of_a_new_space() {
    assert_eq!(kept_by_fjall("fjall_alone"), 0, "it does by now: `drivers/fjall/directory.rs` can be shorter");
}
