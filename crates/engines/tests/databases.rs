//! A SQLite database on a disk whose sync fails while its write-ahead log is moved into it, of which SQLite itself says nothing.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;

use klatch_engines::drivers::Fuse;
use klatch_engines::drivers::sqlite::{Database, Durability, Schema};
use klatch_forgetful::program::{done, root, run_watched};
use klatch_forgetful::{Disk, Loss};
use klatch_ports::ErrorKind;

const SCHEMA: Schema = Schema {
    name: "things",
    migrations: &["CREATE TABLE things (n INTEGER PRIMARY KEY, padding BLOB) STRICT"],
    secure_delete: false,
};

/// Writes of a program, a megabyte each: the log is moved about three times.
const WRITES: i64 = 100;

fn open(root: &Path) -> Database {
    Database::open(&root.join("things.db"), &SCHEMA, Fuse::default()).unwrap()
}

#[test]
#[ignore = "a program for the other tests"]
fn writes_much() {
    write_much(&root());
}

#[tokio::main(flavor = "current_thread")]
async fn write_much(root: &Path) {
    let database = open(root);
    println!("begins");
    for n in 1..=WRITES {
        // Now and then one is to be durable when it is answered, and with it those before it; but not the first that is moved.
        let durability = if n % 50 == 0 { Durability::Now } else { Durability::Later };
        let insert = move |connection: &rusqlite::Connection| {
            connection.execute("INSERT INTO things VALUES (?1, randomblob(1000000))", [n]).map(drop)
        };
        match database.write(durability, insert).await {
            Ok(()) if durability == Durability::Now => println!("durable {n}"),
            Ok(()) => {}
            Err(error) => println!("refused {:?}", error.kind),
        }
    }
    done();
}

async fn a_sync_fails(of: &str) {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::new(&dir.path().join("data")).unwrap();
    drop(open(disk.root()));
    let said = run_watched(&disk, "writes_much", |line| {
        if line.ends_with("begins") {
            disk.only_syncs_of(of).unwrap();
            disk.fail_syncs(1).unwrap();
        }
    });
    let broken = format!("refused {:?}", ErrorKind::Broken);
    let first =
        said.iter().position(|line| *line == broken).unwrap_or_else(|| panic!("{of}: nobody was told: {said:?}"));
    assert!(said[first..].iter().all(|line| *line == broken), "nothing is written from then on: {said:?}");
    disk.lose_power(Loss::Everything).unwrap();
    let database = open(disk.root());
    database.check().await.unwrap();
    let durable = said.iter().filter_map(|line| line.strip_prefix("durable ")?.parse::<i64>().ok()).max();
    let kept = |connection: &rusqlite::Connection| {
        connection
            .query_row("SELECT count(*), coalesce(max(n), 0) FROM things", [], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let (count, last): (i64, i64) = database.read(kept).await.unwrap();
    assert!(
        count == last && last >= durable.unwrap_or(0),
        "{durable:?} was durable, and {count} up to {last} are there"
    );
}

#[tokio::test]
async fn a_sync_that_fails_while_the_log_is_moved_is_the_end_until_it_is_opened_anew() {
    a_sync_fails("things.db-wal").await;
    a_sync_fails("things.db").await;
}
