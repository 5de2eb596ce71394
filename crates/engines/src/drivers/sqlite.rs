//! A SQLite database: one thread that writes, in groups, and a few connections that read beside it (write-ahead logging).
//! Everything that waits is bounded, and a database that a later version has written is refused with a sentence.

mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klatch_ports::{Error, ErrorKind};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use tokio::sync::Semaphore;

use super::Fuse;
use writer::Writer;

/// Connections that read at the same time.
const READERS: usize = 4;
/// How long a connection waits for another before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements that each connection keeps.
const STATEMENTS: usize = 64;
/// Memory for pages of each connection: KiB.
const CACHE_KIB: i64 = 16 * 1024;
/// Pages in the write-ahead log at which it is moved into the database: 32 MiB. Fewer cost more, as the same few pages are then
/// written again and again; more make opening slow after a crash, and each move longer.
const CHECKPOINT_PAGES: i32 = 8_192;
/// The size to which the write-ahead log is cut back: bytes.
const WAL_BYTES: i64 = 64 * 1024 * 1024;

/// What a database is to look like.
pub struct Schema {
    /// What it is called in errors and threads.
    pub name: &'static str,
    /// The steps that lead to it: step `n` makes `user_version` n from n - 1. Steps that were released never change.
    pub migrations: &'static [&'static str],
    /// Whether what is deleted is overwritten. Then the write-ahead log of a process that died is emptied on opening.
    pub secure_delete: bool,
}

/// When a write must be on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Durability {
    /// With the next write that is [`Durability::Now`], or when the log is checkpointed. Loss of power takes a suffix.
    Later,
    /// Before it is answered.
    Now,
}

/// An open database. Dropping it waits for what is being written.
pub struct Database {
    writer: Writer,
    readers: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Database {
    /// Opens the database, making it if there is none, and brings it up to date; `fuse` stops it together with the other stores
    /// of the node. Blocks for as long as that takes.
    ///
    /// # Errors
    /// `Broken`: the file cannot be used, with a sentence that says why. `Corrupt`: it is no database.
    pub fn open(path: &Path, schema: &Schema, fuse: Fuse) -> Result<Self, Error> {
        let opened = || -> rusqlite::Result<_> {
            let mut writer = connect(path, schema)?;
            let (name, blown) = (schema.name, fuse.clone());
            writer.wal_hook(Some(move |log: &mut Wal, pages| {
                move_log_when_long(name, &blown, log, pages);
                Ok(())
            }))?;
            migrate(&writer, schema)?;
            if schema.secure_delete {
                writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            }
            let readers = (0..READERS).map(|_| connect(path, schema)).collect::<rusqlite::Result<Vec<_>>>()?;
            for reader in &readers {
                reader.pragma_update(None, "query_only", true)?;
            }
            Ok((writer, readers))
        };
        let (writer, readers) = opened().map_err(|error| refused(path, error))?;
        let free = Arc::new(Semaphore::new(readers.len()));
        let writer = Writer::start(schema.name, writer, fuse).map_err(Error::unavailable)?;
        Ok(Self { writer, readers: Arc::new(Mutex::new(readers)), free })
    }

    /// Runs `job` in a transaction, together with whatever waits beside it, and returns once that is as durable as asked for.
    /// If `job` fails, it alone is undone.
    ///
    /// # Errors
    /// What became of `job`, or of the commit: `Full` (the disk), `Broken` (a write failed, so none is trusted until the
    /// database is opened anew), `Unavailable`, `Corrupt`.
    pub async fn write<T, F>(&self, durability: Durability, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.writer.run(durability, job).await
    }

    /// Runs `job` on one state of the database, which holds everything that was written before.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn read<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.with_reader(move |connection| {
            let transaction = connection.unchecked_transaction()?;
            let outcome = job(&transaction)?;
            transaction.commit()?;
            Ok(outcome)
        })
        .await
    }

    /// Moves everything from the write-ahead log into the database and empties the log, so that nothing that was overwritten
    /// is left there.
    ///
    /// # Errors
    /// `Unavailable`: somebody reads an old state for longer than one waits. Otherwise as `write`.
    pub async fn empty_log(&self) -> Result<(), Error> {
        self.writer.empty_log().await
    }

    /// Copies the database, as it is at one moment, to a file that must not be there yet, while work goes on.
    ///
    /// # Errors
    /// `Conflict`: there is such a file. `Unavailable`, `Corrupt`.
    pub async fn backup(&self, to: PathBuf) -> Result<(), Error> {
        if to.exists() {
            return Err(Error::conflict("the backup's file is there already"));
        }
        self.with_reader(move |connection| {
            let mut copy = Connection::open(&to)?;
            // In one step: one that is interrupted by a write would begin again, for ever where there is always a write.
            let step = rusqlite::backup::Backup::new(connection, &mut copy)?.step(-1)?;
            if step != rusqlite::backup::StepResult::Done {
                return Err(sentence(format!("the backup did not get the database to itself ({step:?})")));
            }
            // As one file: whoever moves it need not know about the log beside it.
            copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        })
        .await
    }

    /// Whether the database is sound: every page, every index, every reference.
    ///
    /// # Errors
    /// `Corrupt`, with the first complaint. `Unavailable`.
    pub async fn check(&self) -> Result<(), Error> {
        let complaint = self
            .read(|connection| {
                let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
                let dangling = connection.prepare("PRAGMA foreign_key_check")?.exists([])?;
                Ok(if dangling { "a row refers to nothing".to_owned() } else { found })
            })
            .await?;
        if complaint == "ok" { Ok(()) } else { Err(Error::corrupt(complaint)) }
    }

    async fn with_reader<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let permit = self.free.clone().acquire_owned().await.expect("it is never closed");
        let readers = self.readers.clone();
        // The closure has the permit and gives the connection back: also if nobody waits for it any more.
        let outcome = tokio::task::spawn_blocking(move || {
            let connection = readers.lock().expect(NO_PANIC).pop().expect("there are as many as permits");
            let outcome = job(&connection);
            readers.lock().expect(NO_PANIC).push(connection);
            drop(permit);
            outcome
        });
        outcome.await.map_err(Error::unavailable)?.map_err(read_error)
    }
}

const NO_PANIC: &str = "nobody panics while holding this lock";

fn connect(path: &Path, schema: &Schema) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(sentence(format!("the file system does not support write-ahead logging (it offers {mode})")));
    }
    // Otherwise a statement whose plan might depend on what is bound is compiled anew each time, which costs more than running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // The one that writes does it itself.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "secure_delete", schema.secure_delete, |_| Ok(()))?;
    Ok(connection)
}

/// Moves the write-ahead log into the database once it is long. SQLite would do so by itself, but pass over a sync that fails
/// then: what was written before would be lost with the next loss of power, and what was answered after it as well.
fn move_log_when_long(name: &str, fuse: &Fuse, log: &mut Wal, pages: i32) {
    let moved = if pages >= CHECKPOINT_PAGES { log.checkpoint() } else { Ok(()) };
    // Otherwise somebody reads an old state, or there is no room: it stays as long as it is for now.
    if let Err(error) = moved
        && error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure)
    {
        fuse.blow(&format!("moving the log of {name} failed ({error}): look at the disk, then start the node again"));
    }
}

fn migrate(connection: &Connection, schema: &Schema) -> rusqlite::Result<()> {
    let transaction = rusqlite::Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?;
    let version: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = schema.migrations.len();
    if version > known {
        return Err(sentence(format!(
            "{} was written by a newer version of Klatch (its schema is {version}, this version knows {known}): run that \
             version again, or restore a backup from before the upgrade",
            schema.name,
        )));
    }
    for step in &schema.migrations[version..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()
}

fn sentence(sentence: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN), Some(sentence))
}

fn refused(path: &Path, error: rusqlite::Error) -> Error {
    let (kind, path) = (if is_corrupt(&error) { ErrorKind::Corrupt } else { ErrorKind::Broken }, path.display());
    Error::new(
        kind,
        match error.sqlite_error_code() {
            // Which of the two it says depends on what it was about to write.
            Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::SystemIoFailure) => format!(
                "{path} cannot be read or written ({error}): the disk under it is full or broken; make room, or look at the disk, \
             then start again"
            ),
            _ => format!("{path}: {error}"),
        },
    )
}

fn read_error(error: rusqlite::Error) -> Error {
    let kind = if is_corrupt(&error) { ErrorKind::Corrupt } else { ErrorKind::Unavailable };
    Error::new(kind, error)
}

/// Whether the file, or a value in it, is not what this version ever wrote.
fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    let code = error.sqlite_error_code();
    matches!(code, Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
        || matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..))
}

/// The files of a database as they lie there this moment, copied elsewhere: what a process that dies now leaves behind. Right as
/// long as the log was not moved into the database, which begins beyond [`CHECKPOINT_PAGES`].
#[cfg(test)]
pub fn as_if_it_died(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::TempDir::new().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        if file.path().extension().is_none_or(|extension| extension != "db-shm") {
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    copy
}

#[cfg(test)]
mod tests;
