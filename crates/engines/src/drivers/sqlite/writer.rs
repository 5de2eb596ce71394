//! The thread that writes: it takes everything that waits, runs it in one transaction, commits, and only then answers.

use std::thread::JoinHandle;

use klatch_ports::{Error, ErrorKind};
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use tokio::sync::{mpsc, oneshot};

use super::{Durability, is_corrupt};
use crate::drivers::Fuse;
use crate::drivers::fuse::Refusal as Failure;

/// Writes that wait; who comes then, waits for a place.
const WAITING_MAX: usize = 1_024;
/// Writes in one transaction.
const GROUP_MAX: usize = 256;

pub struct Writer {
    queue: Option<mpsc::Sender<Task>>,
    thread: Option<JoinHandle<()>>,
}

enum Task {
    Write(Durability, Box<dyn Work>),
    EmptyLog(oneshot::Sender<Result<(), Error>>),
}

/// A write on its way: run in a transaction, and answered when the fate of that is known.
trait Work: Send {
    fn run(&mut self, connection: &Connection) -> Result<(), Failure>;
    fn answer(self: Box<Self>, fate: Result<(), Failure>);
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let kind = match error.sqlite_error_code() {
            _ if is_corrupt(&error) => ErrorKind::Corrupt,
            Some(ErrorCode::DiskFull) => ErrorKind::Full,
            Some(ErrorCode::SystemIoFailure) => ErrorKind::Broken,
            _ => ErrorKind::Unavailable,
        };
        Self { kind, reason: error.to_string().into() }
    }
}

struct Write<T, F> {
    job: Option<F>,
    outcome: Option<T>,
    caller: oneshot::Sender<Result<T, Error>>,
}

impl<T, F> Work for Write<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), Failure> {
        let job = self.job.take().expect("it is run once");
        self.outcome = Some(job(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, fate: Result<(), Failure>) {
        let Self { outcome, caller, .. } = *self;
        let answer = fate.map(|()| outcome.expect("it was run, or it has failed"));
        // Who does not wait any more does not want to know.
        let _ = caller.send(answer.map_err(|failure| Error::from(&failure)));
    }
}

impl Writer {
    pub fn start(name: &'static str, connection: Connection, fuse: Fuse) -> std::io::Result<Self> {
        let (queue, tasks) = mpsc::channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name(format!("{name}-writer"));
        let thread = thread.spawn(move || Loop { name, connection, synced: Durability::Now, fuse }.run(tasks))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub async fn run<T, F>(&self, durability: Durability, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let write = Write { job: Some(job), outcome: None, caller };
        self.send(Task::Write(durability, Box::new(write)), answer).await
    }

    pub async fn empty_log(&self) -> Result<(), Error> {
        let (caller, answer) = oneshot::channel();
        self.send(Task::EmptyLog(caller), answer).await
    }

    async fn send<T>(&self, task: Task, answer: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
        let gone = || Error::new(ErrorKind::Broken, "the thread that writes has died: restart");
        let queue = self.queue.as_ref().expect("it is there until this is dropped");
        queue.send(task).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // If it died, its callers were told.
            let _ = thread.join();
        }
    }
}

struct Loop {
    name: &'static str,
    connection: Connection,
    /// What `synchronous` is set to.
    synced: Durability,
    /// Blown after a failed write to disk: what is in memory and on disk may differ, so nothing is written until it is opened anew.
    fuse: Fuse,
}

impl Loop {
    fn run(mut self, mut tasks: mpsc::Receiver<Task>) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while let Some(first) = tasks.blocking_recv() {
            let mut next = Some(first);
            while let Some(task) = next.take() {
                match task {
                    Task::Write(durability, work) => group.push((durability, work)),
                    Task::EmptyLog(caller) => {
                        self.commit(&mut group);
                        let _ = caller.send(self.empty_log().map_err(|failure| Error::from(&failure)));
                    }
                }
                if group.len() < GROUP_MAX {
                    next = tasks.try_recv().ok();
                }
            }
            self.commit(&mut group);
        }
    }

    fn commit(&mut self, group: &mut Vec<(Durability, Box<dyn Work>)>) {
        let Some(durability) = group.iter().map(|(durability, _)| *durability).max() else { return };
        let mut fates = Vec::with_capacity(group.len());
        let fate = self.transaction(durability, group, &mut fates);
        if let Err(failure) = &fate {
            self.undo(failure);
        }
        // It may have been blown when the log was moved, with what was just written in it.
        let fate = fate.and(self.fuse.refusal().map_or(Ok(()), Err));
        fates.resize_with(group.len(), || Ok(()));
        for ((_, work), own) in group.drain(..).zip(fates) {
            work.answer(own.and(fate.clone()));
        }
    }

    fn transaction(
        &mut self,
        durability: Durability,
        group: &mut [(Durability, Box<dyn Work>)],
        fates: &mut Vec<Result<(), Failure>>,
    ) -> Result<(), Failure> {
        if let Some(failure) = self.fuse.refusal() {
            return Err(failure);
        }
        self.sync_as(durability)?;
        self.execute("BEGIN IMMEDIATE")?;
        if let [(_, work)] = group {
            // Alone it is undone with the transaction: a savepoint would copy every page that it changes.
            work.run(&self.connection)?;
            return self.execute("COMMIT");
        }
        for (_, work) in group {
            self.execute("SAVEPOINT one")?;
            let own = work.run(&self.connection);
            if let Err(failure) = &own {
                // Some errors end the whole transaction.
                if self.connection.is_autocommit() || failure.kind == ErrorKind::Broken {
                    return Err(failure.clone());
                }
                self.execute("ROLLBACK TO one")?;
            }
            self.execute("RELEASE one")?;
            fates.push(own);
        }
        self.execute("COMMIT")
    }

    /// Nothing of the transaction shall stay, whatever it was that failed.
    fn undo(&mut self, failure: &Failure) {
        if !self.connection.is_autocommit() && self.execute("ROLLBACK").is_err() || failure.kind == ErrorKind::Broken {
            let Self { name, fuse, .. } = self;
            fuse.blow(&format!(
                "a write to {name} failed ({}): look at the disk, then start the node again",
                failure.reason
            ));
        }
    }

    fn sync_as(&mut self, durability: Durability) -> Result<(), Failure> {
        if self.synced != durability {
            self.execute(match durability {
                Durability::Later => "PRAGMA synchronous = NORMAL",
                Durability::Now => "PRAGMA synchronous = FULL",
            })?;
            self.synced = durability;
        }
        Ok(())
    }

    fn empty_log(&mut self) -> Result<(), Failure> {
        if let Some(failure) = self.fuse.refusal() {
            return Err(failure);
        }
        self.sync_as(Durability::Now)?;
        let is_busy: bool = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if is_busy {
            return Err(Failure { kind: ErrorKind::Unavailable, reason: "somebody still reads an old state".into() });
        }
        Ok(())
    }

    fn execute(&self, sql: &str) -> Result<(), Failure> {
        let mut statement = self.connection.prepare_cached(sql)?;
        // Pragmas answer with a row, the rest with none.
        statement.query_row([], |_| Ok(())).optional()?;
        Ok(())
    }
}
