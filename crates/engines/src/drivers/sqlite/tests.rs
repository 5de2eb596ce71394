//! The driver alone, without a port above it.

use std::sync::mpsc;

use tempfile::TempDir;

use super::*;
use crate::drivers::Fuse;

const SCHEMA: Schema = Schema {
    name: "things",
    migrations: &["CREATE TABLE things (n INTEGER PRIMARY KEY) STRICT", "CREATE INDEX other ON things (n)"],
    secure_delete: false,
};

fn open(folder: &TempDir) -> Database {
    Database::open(&folder.path().join("things.db"), &SCHEMA, Fuse::default()).unwrap()
}

fn insert(n: i64) -> impl FnOnce(&Connection) -> rusqlite::Result<usize> + Send + 'static {
    move |connection| connection.execute("INSERT INTO things VALUES (?1)", [n])
}

async fn count(database: &Database) -> i64 {
    database.read(|connection| connection.query_row("SELECT count(*) FROM things", [], |row| row.get(0))).await.unwrap()
}

#[tokio::test]
async fn what_was_written_is_read_at_once_and_after_opening_again() {
    let folder = TempDir::new().unwrap();
    for round in 1..4 {
        let database = open(&folder);
        database.write(Durability::Later, insert(round)).await.unwrap();
        assert_eq!(count(&database).await, round);
    }
}

#[tokio::test]
async fn of_writes_in_one_group_each_fails_for_itself() {
    let folder = TempDir::new().unwrap();
    let database = Arc::new(open(&folder));
    let (go, wait) = mpsc::channel::<()>();
    let first = {
        let database = database.clone();
        tokio::spawn(async move {
            // Holds the thread until all others wait behind it.
            let holding = move |_: &Connection| Ok(wait.recv().is_ok());
            database.write(Durability::Later, holding).await
        })
    };
    let writes: Vec<_> = (0..50)
        .map(|n| {
            let database = database.clone();
            tokio::spawn(async move { database.write(Durability::Now, insert(n / 2)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    assert!(first.await.unwrap().unwrap());
    let mut taken = 0;
    for write in writes {
        taken += usize::from(write.await.unwrap().is_ok());
    }
    assert_eq!((taken, count(&database).await), (25, 25), "each number once, and no other is lost by the refusals");
}

#[tokio::test]
async fn a_write_happens_also_if_nobody_waits_for_it_any_more() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder);
    let (go, wait) = mpsc::channel::<()>();
    let mut holding = Box::pin(database.write(Durability::Later, move |_| Ok(wait.recv().is_ok())));
    assert!(is_pending(&mut holding).await, "it holds the thread");
    let mut write = Box::pin(database.write(Durability::Now, insert(1)));
    assert!(is_pending(&mut write).await, "it waits for the thread");
    drop(write);
    go.send(()).unwrap();
    assert!(holding.await.unwrap());
    drop(database);
    assert_eq!(count(&open(&folder)).await, 1);
}

/// Polls once, and says whether it is still pending.
async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending()))
        .await
}

#[test]
fn a_later_versions_database_is_refused_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    drop(open(&folder));
    let older = Schema { migrations: &SCHEMA.migrations[..1], ..SCHEMA };
    let error = Database::open(&folder.path().join("things.db"), &older, Fuse::default()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Broken);
    let sentence = std::error::Error::source(&error).unwrap().to_string();
    assert!(sentence.contains("newer version of Klatch") && sentence.contains("restore a backup"), "{sentence}");
}

#[test]
fn an_earlier_versions_database_is_brought_up_to_date() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("things.db");
    let older = Schema { migrations: &SCHEMA.migrations[..1], ..SCHEMA };
    drop(Database::open(&path, &older, Fuse::default()).unwrap());
    drop(open(&folder));
    let connection = Connection::open(path).unwrap();
    let version: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
    connection.execute("DROP INDEX other", []).expect("the second step made it");
}

#[tokio::test]
async fn a_backup_is_one_moment_of_a_database_in_use() {
    let folder = TempDir::new().unwrap();
    let database = Arc::new(open(&folder));
    let writing = {
        let database = database.clone();
        tokio::spawn(async move {
            for n in 0..300 {
                database.write(Durability::Later, insert(n)).await.unwrap();
            }
        })
    };
    let to = |n: u32| folder.path().join(format!("backup-{n}.db"));
    for n in 0..3 {
        database.backup(to(n)).await.unwrap();
    }
    writing.await.unwrap();
    database.backup(to(3)).await.unwrap();
    assert_eq!(database.backup(to(3)).await.unwrap_err().kind, ErrorKind::Conflict, "no backup is overwritten");
    for n in 0..4 {
        let copy = Database::open(&to(n), &SCHEMA, Fuse::default()).unwrap();
        copy.check().await.unwrap();
        let last = "SELECT coalesce(max(n) + 1, 0) FROM things";
        let last: i64 = copy.read(|connection| connection.query_row(last, [], |row| row.get(0))).await.unwrap();
        assert_eq!(count(&copy).await, last, "nothing is missing before the last");
    }
    assert_eq!(count(&Database::open(&to(3), &SCHEMA, Fuse::default()).unwrap()).await, 300);
}

#[tokio::test]
async fn after_a_failed_write_nothing_is_written_until_it_is_opened_anew() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder);
    database.write(Durability::Now, insert(1)).await.unwrap();
    let failing = |connection: &Connection| -> rusqlite::Result<()> {
        insert(2)(connection)?;
        Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC), None))
    };
    assert_eq!(database.write(Durability::Now, failing).await.unwrap_err().kind, ErrorKind::Broken);
    let error = database.write(Durability::Now, insert(3)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Broken);
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("look at the disk"));
    assert_eq!(database.empty_log().await.unwrap_err().kind, ErrorKind::Broken);
    assert_eq!(count(&database).await, 1, "it still reads");
    drop(database);
    let database = open(&folder);
    database.write(Durability::Now, insert(3)).await.unwrap();
    assert_eq!(count(&database).await, 2);
}

#[tokio::test]
async fn damage_is_found() {
    let folder = TempDir::new().unwrap();
    let database = open(&folder);
    for n in 0..2_000 {
        database.write(Durability::Later, insert(n)).await.unwrap();
    }
    database.check().await.unwrap();
    database.empty_log().await.unwrap();
    drop(database);
    let path = folder.path().join("things.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 512].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(open(&folder).check().await.unwrap_err().kind, ErrorKind::Corrupt);
    std::fs::write(&path, [b'x'; 8192]).unwrap();
    assert_eq!(Database::open(&path, &SCHEMA, Fuse::default()).err().unwrap().kind, ErrorKind::Corrupt);
}
