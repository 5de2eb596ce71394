//! PostgreSQL: a pool of connections to one database. Statements go unnamed, each in one round trip, and nothing is kept in a
//! session: so PgBouncer may share connections between transactions. Whatever does not answer in time is given up, and what became
//! of it is unknown; its connection counts until the answer has come, so that a server that hangs is not asked by ever more. After several
//! such calls in a row the next ones fail at once, until it is tried again ([`Breaker`]).

#[cfg(test)]
pub mod bench;
pub mod columns;
mod health;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, TimeoutType};
use futures_util::future::BoxFuture;
use klatch_ports::{Error, ErrorKind};
use rand::RngExt;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, IsolationLevel, NoTls, Row, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::breaker::Breaker;
use super::place::Place;
use super::{called, tls};
use columns::column;

const PORT: u16 = 5432;
/// Connections in use, unless told otherwise. As many more may wait for an answer that was given up.
const POOL: usize = 16;
/// Within which an answer must come, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Within which a connection must come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Within which the other side must confirm what was sent, and how long a connection may rest before it is asked after.
const TCP_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a transaction is done that others got in the way of.
const ATTEMPTS: u32 = 20;

/// What an engine keeps in a database: tables of its own.
pub struct Schema {
    /// What it is called.
    pub name: &'static str,
    /// The steps that lead to it. Steps that were released never change.
    pub migrations: &'static [&'static str],
}

/// A parameter of a statement with its type.
pub type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// Why a transaction failed.
#[derive(Debug)]
pub enum Failure {
    /// PostgreSQL says so.
    Postgres(tokio_postgres::Error),
    /// We say so.
    Ours(Error),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// A database. Cheap to clone: all clones share the connections.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    /// Connections that may wait for an answer that was given up, beside those of the pool.
    apart: Arc<Semaphore>,
    timeout: Duration,
    breaker: Breaker,
    /// As errors call it.
    name: String,
}

impl Database {
    /// A database at `postgres://user@host,host/database`. Of several hosts the one that takes writes is found. Options: `pool`
    /// (connections), `timeout_ms`. Nobody is connected to yet.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn at(mut place: Place) -> Result<Self, String> {
        let number = |option: Option<String>, name: &str| match option.map(|number| number.parse::<u32>()) {
            None => Ok(None),
            Some(Ok(number @ 1..)) => Ok(Some(number)),
            Some(_) => Err(format!("the option `{name}` is not a number above 0")),
        };
        let size = number(place.take("pool"), "pool")?;
        let timeout = number(place.take("timeout_ms"), "timeout_ms")?;
        place.done()?;
        if place.path.is_empty() {
            return Err("`postgres://` needs a database: `postgres://user@host/database`".to_owned());
        }
        let mut config = Config::new();
        for (host, port) in &place.hosts {
            config.host(host).port(port.unwrap_or(PORT));
        }
        config
            .user(place.user.as_deref().unwrap_or("klatch"))
            .dbname(&place.path)
            .application_name("klatch")
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(TCP_TIMEOUT)
            .keepalives_idle(TCP_TIMEOUT)
            .keepalives_interval(TCP_TIMEOUT);
        if let Some(password) = &place.password {
            config.password(&password.0);
        }
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match &place.tls {
            Some(tls) => {
                config.ssl_mode(SslMode::Require);
                Manager::from_config(config, MakeRustlsConnect::new(tls::client_config(tls)?), recycling)
            }
            None => Manager::from_config(config, NoTls, recycling),
        };
        let timeout = timeout.map_or(TIMEOUT, |ms| Duration::from_millis(ms.into()));
        let size = size.map_or(POOL, |size| size as usize);
        let pool = Pool::builder(manager)
            .max_size(size)
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .build()
            .map_err(|error| error.to_string())?;
        let apart = Arc::new(Semaphore::new(size));
        let name = format!("{}/{}", place.hosts_or(PORT).join(","), place.path);
        Ok(Self { pool, apart, timeout, breaker: Breaker::new("postgres", &name), name })
    }

    /// Does one statement, and returns its rows.
    ///
    /// # Errors
    /// As [`error`] says. What became of a write is unknown where the kind is `Unavailable`.
    pub async fn query(&self, statement: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Error> {
        let call = async {
            let client = self.connection().await?;
            called("postgres");
            let answer = timeout(self.timeout, client.query_typed(statement, params)).await;
            let Ok(answer) = answer else { return Err(self.give_up(client)) };
            answer.map_err(|failure| refused(client, failure))
        };
        self.breaker.call(call).await
    }

    /// Does a serializable transaction; again, where others got in its way, so that `job` may be called several times.
    ///
    /// # Errors
    /// What `job` fails with, and then nothing is done; otherwise as for [`Database::query`].
    pub async fn transaction<T: Send>(
        &self,
        job: impl for<'a> Fn(&'a Transaction<'_>) -> BoxFuture<'a, Result<T, Failure>> + Send + Sync,
    ) -> Result<T, Error> {
        self.breaker.call(self.isolated(IsolationLevel::Serializable, job)).await
    }

    /// Does a transaction each of whose statements sees what others committed before it: for jobs that begin by locking the rows on
    /// which everything else depends, and wait for each other where those of [`Database::transaction`] would begin anew. Again, where
    /// two waited for each other.
    ///
    /// # Errors
    /// As for [`Database::transaction`].
    pub async fn locking<T: Send>(
        &self,
        job: impl for<'a> Fn(&'a Transaction<'_>) -> BoxFuture<'a, Result<T, Failure>> + Send + Sync,
    ) -> Result<T, Error> {
        self.breaker.call(self.isolated(IsolationLevel::ReadCommitted, job)).await
    }

    async fn isolated<T: Send>(
        &self,
        level: IsolationLevel,
        job: impl for<'a> Fn(&'a Transaction<'_>) -> BoxFuture<'a, Result<T, Failure>> + Send + Sync,
    ) -> Result<T, Error> {
        for attempt in 0.. {
            let mut client = self.connection().await?;
            let done = timeout(self.timeout, attempt_at(&mut client, level, &job)).await;
            let Ok(done) = done else { return Err(self.give_up(client)) };
            match done {
                Err(Failure::Postgres(error)) if is_in_the_way(&error) && attempt < ATTEMPTS => {}
                Err(Failure::Postgres(failure)) => return Err(refused(client, failure)),
                Err(Failure::Ours(error)) => return Err(error),
                Ok(done) => return Ok(done),
            }
            drop(client);
            let rest = rand::rng().random_range(0..=u64::from(attempt.min(6)) * 10);
            tokio::time::sleep(Duration::from_millis(rest)).await;
        }
        unreachable!("the last attempt returns")
    }

    /// The step that a schema is at.
    ///
    /// # Errors
    /// As for [`Database::query`].
    pub async fn version(&self, schema: &Schema) -> Result<usize, Error> {
        let there = self.query("SELECT to_regclass('klatch_schemas') IS NOT NULL", &[]).await?;
        if !there[0].get::<_, bool>(0) {
            return Ok(0);
        }
        let statement = "SELECT version FROM klatch_schemas WHERE name = $1";
        let rows = self.query(statement, &[(&schema.name, Type::TEXT)]).await?;
        let version = rows.first().map_or(0, |row| row.get::<_, i32>(0));
        usize::try_from(version).map_err(Error::corrupt)
    }

    /// Takes the steps that a schema lacks, and returns their numbers. May be repeated, and by several at once.
    ///
    /// # Errors
    /// `Broken`: a later version of Klatch was here. Otherwise as for [`Database::query`].
    pub async fn migrate(&self, schema: &Schema) -> Result<Vec<usize>, Error> {
        let mut client = self.connection().await?;
        let transaction = client.transaction().await.map_err(error)?;
        // One at a time, whoever comes.
        let table = "SELECT pg_advisory_xact_lock(hashtext('klatch_schemas'));
            CREATE TABLE IF NOT EXISTS klatch_schemas (name text PRIMARY KEY, version int NOT NULL)";
        transaction.batch_execute(table).await.map_err(error)?;
        let statement = "SELECT version FROM klatch_schemas WHERE name = $1";
        let rows = transaction.query_typed(statement, &[(&schema.name, Type::TEXT)]).await.map_err(error)?;
        let version = rows.first().map_or(0, |row| row.get::<_, i32>(0));
        let version = usize::try_from(version).map_err(Error::corrupt)?;
        self.refuse_newer(schema, version)?;
        for step in &schema.migrations[version..] {
            transaction.batch_execute(step).await.map_err(error)?;
        }
        let statement = "INSERT INTO klatch_schemas VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version";
        let reached = schema.migrations.len() as i32;
        let params: [Param<'_>; 2] = [(&schema.name, Type::TEXT), (&reached, Type::INT4)];
        transaction.query_typed(statement, &params).await.map_err(error)?;
        transaction.commit().await.map_err(error)?;
        Ok((version + 1..=schema.migrations.len()).collect())
    }

    /// Makes sure that a schema is what this version of Klatch knows.
    ///
    /// # Errors
    /// `Broken` with a sentence, where it is not. Otherwise as for [`Database::query`].
    pub async fn expect(&self, schema: &Schema) -> Result<(), Error> {
        let version = self.version(schema).await?;
        self.refuse_newer(schema, version)?;
        if version < schema.migrations.len() {
            let name = (schema.name, &self.name);
            let sentence = format!("the tables of `{}` in {} are not prepared: run `klatch migrate`", name.0, name.1);
            return Err(Error::new(ErrorKind::Broken, sentence));
        }
        Ok(())
    }

    /// Makes sure that the server keeps what it has confirmed, whatever it loses power in.
    ///
    /// # Errors
    /// `Broken` with a sentence, where it need not. Otherwise as for [`Database::query`].
    pub async fn expect_durable(&self) -> Result<(), Error> {
        for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
            let rows = self.query("SELECT current_setting($1)", &[(&setting, Type::TEXT)]).await?;
            if column::<&str>(&rows[0], 0)? == "off" {
                let sentence = format!(
                    "`{setting}` is off in {}, so PostgreSQL may lose what it has confirmed: turn it on, for the server, the \
                     database and the user",
                    self.name
                );
                return Err(Error::new(ErrorKind::Broken, sentence));
            }
        }
        Ok(())
    }

    fn refuse_newer(&self, schema: &Schema, version: usize) -> Result<(), Error> {
        if version <= schema.migrations.len() {
            return Ok(());
        }
        let sentence = format!(
            "the tables of `{}` in {} are those of a later version of Klatch: run that, or restore a backup",
            schema.name, self.name
        );
        Err(Error::new(ErrorKind::Broken, sentence))
    }

    async fn connection(&self) -> Result<Object, Error> {
        self.pool.get().await.map_err(|failure| match failure {
            PoolError::Backend(failure) => error(failure),
            PoolError::Timeout(TimeoutType::Wait) => {
                Error::unavailable(format!("all connections to {} were busy for {:?}", self.name, self.timeout))
            }
            other => Error::unavailable(format!("no connection to {}: {other}", self.name)),
        })
    }

    /// Gives up an answer. Its connection is put apart, so that nobody waits behind it, and ends when the answer has come or it is
    /// lost. Where too many are apart already, it keeps its place in the pool meanwhile.
    fn give_up(&self, client: Object) -> Error {
        let apart = self.apart.clone().try_acquire_owned();
        tokio::spawn(async move {
            let Ok(_place) = apart else {
                // Who gets it next sees whether it was lost.
                drop(client.simple_query("").await);
                return;
            };
            drop(Object::take(client).simple_query("").await);
        });
        Error::unavailable(format!("{} gave no answer within {:?}", self.name, self.timeout))
    }
}

/// Does one statement of a transaction, and returns its rows.
///
/// # Errors
/// What PostgreSQL says; the transaction is then to be given up.
pub async fn step(transaction: &Transaction<'_>, statement: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Failure> {
    called("postgres");
    Ok(transaction.query_typed(statement, params).await?)
}

async fn attempt_at<T>(
    client: &mut Object,
    level: IsolationLevel,
    job: &(impl for<'a> Fn(&'a Transaction<'_>) -> BoxFuture<'a, Result<T, Failure>> + Send + Sync),
) -> Result<T, Failure> {
    called("postgres");
    let transaction = client.build_transaction().isolation_level(level).start().await?;
    let done = job(&transaction).await?;
    called("postgres");
    transaction.commit().await?;
    Ok(done)
}

/// What the server says no to. If it takes no writes any more, its connection is ended, so that the next looks for who does.
fn refused(client: Object, failure: tokio_postgres::Error) -> Error {
    if failure.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
        drop(Object::take(client));
    }
    error(failure)
}

/// Whether a transaction was undone because of others, so that it may be done again.
fn is_in_the_way(error: &tokio_postgres::Error) -> bool {
    let again = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| again.contains(code))
}

/// What a caller can do about a failure: `Full` where the disk is full, and nothing was done; `Broken` where the statement itself is
/// refused, as by tables or rights that are missing; otherwise `Unavailable`.
pub fn error(error: tokio_postgres::Error) -> Error {
    let kind = match error.code() {
        Some(code) if *code == SqlState::DISK_FULL => ErrorKind::Full,
        Some(code) if ["22", "23", "28", "3D", "42"].iter().any(|class| code.code().starts_with(class)) => {
            ErrorKind::Broken
        }
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, error)
}

/// What PostgreSQL said of a failure, if it was PostgreSQL.
pub fn code(error: &Error) -> Option<&SqlState> {
    std::error::Error::source(error)?.downcast_ref::<tokio_postgres::Error>()?.code()
}

#[cfg(test)]
mod tests;
