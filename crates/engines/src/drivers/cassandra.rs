//! Cassandra and ScyllaDB: one session to a cluster, and a keyspace of it. How many nodes must answer is written here and is nobody's
//! choice: a majority (QUORUM) for everything, and one order for all (SERIAL) for whatever is conditional. Only what may be done twice
//! is tried at another node; a conditional write never is, since only its engine can tell what became of it.

#[cfg(test)]
pub mod bench;
mod health;
mod schema;
mod sessions;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use klatch_ports::{Error, ErrorKind};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session_builder::SessionBuilder;
use scylla::deserialize::row::DeserializeRow;
use scylla::errors::{DbError, ExecutionError, NewSessionError, PrepareError, RequestAttemptError};
use scylla::policies::retry::{DefaultRetryPolicy, FallthroughRetryPolicy};
use scylla::response::query_result::QueryResult;
use scylla::serialize::row::SerializeRow;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency, SerialConsistency, Statement};
use scylla::value::Row;

use super::called;
use super::place::Place;
pub use schema::Schema;
use sessions::Sessions;

const PORT: u16 = 9042;
/// Within which an answer must come, unless told otherwise. Cassandra itself gives up after 2 s (writes) and 5 s (reads).
const TIMEOUT: Duration = Duration::from_secs(5);
/// Within which a connection must come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How often each connection is tried, so that a node that fell silent is left within twice this.
const KEEPALIVE: Duration = Duration::from_secs(2);
/// Within which all nodes must have the same tables after a change of them. One that missed a change asks the others for it after a
/// minute (`cassandra.migration_delay_ms`), and again each minute.
const AGREEMENT_TIMEOUT: Duration = Duration::from_secs(150);
/// Rows of one answer: a statement that may have more says how many it wants.
const ROWS_MAX: i32 = 5_000;

/// How a statement is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// A read that sees whatever a majority has; tried elsewhere if a node fails.
    Majority,
    /// A read of one partition that first settles what is undecided there.
    Serial,
    /// A write to a majority, which may be done twice; tried elsewhere if a node fails.
    Repeatable,
    /// A write that depends on what is there; done once.
    Conditional,
}

/// A statement with its values, for a batch.
pub type Bound = (PreparedStatement, Box<dyn SerializeRow + Send + Sync>);

/// A keyspace in a cluster. Cheap to clone: all clones share the connections.
#[derive(Clone)]
pub struct Database {
    sessions: Sessions,
    keyspace: Arc<str>,
    /// What a keyspace that is made gets.
    replication: Arc<str>,
    timeout: Duration,
    calls: Arc<AtomicU64>,
    /// As errors call it.
    name: Arc<str>,
}

impl Database {
    /// Connects to `cassandra://user@host,host/keyspace`; of the hosts, one must be there, which tells of all others. The keyspace
    /// need not be. Options: `timeout_ms`; `replication`, for a keyspace that `migrate` makes: copies in each datacenter (`3`), or
    /// for each of them (`dc1:3,dc2:3`).
    ///
    /// # Errors
    /// `Broken`, with a sentence that says what to change; `Unavailable`: nobody answers there.
    pub async fn connect(place: Place) -> Result<Self, Error> {
        Self::connect_by(place, |builder| builder).await
    }

    async fn connect_by(
        mut place: Place,
        adjust: impl FnOnce(SessionBuilder) -> SessionBuilder,
    ) -> Result<Self, Error> {
        let settings = Settings::take(&mut place).map_err(|sentence| Error::new(ErrorKind::Broken, sentence))?;
        let hosts = place.hosts_or(PORT);
        let profile = ExecutionProfile::builder()
            .consistency(Consistency::Quorum)
            .serial_consistency(Some(SerialConsistency::Serial))
            .retry_policy(Arc::new(DefaultRetryPolicy::new()))
            .speculative_execution_policy(None)
            .request_timeout(Some(settings.timeout))
            .build();
        let mut builder = SessionBuilder::new()
            .known_nodes(&hosts)
            .default_execution_profile_handle(profile.into_handle())
            .connection_timeout(CONNECT_TIMEOUT)
            .keepalive_interval(KEEPALIVE)
            .keepalive_timeout(KEEPALIVE)
            .tcp_nodelay(true)
            .schema_agreement_timeout(AGREEMENT_TIMEOUT)
            // Statements say what they return; nothing else of the schema matters.
            .fetch_schema_metadata(false);
        if let Some(user) = &place.user {
            builder = builder.user(user, place.password.as_ref().map_or("", |password| &password.0));
        }
        if let Some(tls) = &place.tls {
            let context = tls::context(tls).map_err(|sentence| Error::new(ErrorKind::Broken, sentence))?;
            builder = builder.tls_context(Some(context));
        }
        let sessions = Sessions::open(adjust(builder)).await.map_err(new_session_error)?;
        Ok(Self {
            sessions,
            keyspace: settings.keyspace.into(),
            replication: settings.replication.into(),
            timeout: settings.timeout,
            calls: Arc::default(),
            name: format!("{}/{}", hosts.join(","), place.path).into(),
        })
    }

    /// How many statements were sent by this and its clones; a batch is one.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Prepares a statement, in which `KS.` stands before the names of tables.
    ///
    /// # Errors
    /// As [`error`] says.
    pub async fn prepare(&self, statement: &str, level: Level) -> Result<PreparedStatement, Error> {
        let text = statement.replace("KS.", &format!("{}.", self.keyspace));
        self.called();
        let session = self.sessions.current();
        let preparing = tokio::time::timeout(self.timeout, session.prepare(Statement::new(text)));
        let prepared = preparing.await.map_err(|_| self.no_answer())?;
        let mut prepared = prepared.map_err(|failure| error(failure.into()))?;
        prepared.set_consistency(if level == Level::Serial { Consistency::Serial } else { Consistency::Quorum });
        prepared.set_is_idempotent(level != Level::Conditional);
        prepared.set_page_size(ROWS_MAX);
        if level == Level::Conditional {
            prepared.set_retry_policy(Some(Arc::new(FallthroughRetryPolicy)));
        }
        Ok(prepared)
    }

    /// Does a read, and returns its rows: the first 5,000 of them, so that it is for statements that cannot have more.
    ///
    /// # Errors
    /// As [`error`] says; `Corrupt`: the rows are not what they should be.
    pub async fn rows<R>(&self, statement: &PreparedStatement, values: impl SerializeRow) -> Result<Vec<R>, Error>
    where
        R: for<'row> DeserializeRow<'row, 'row>,
    {
        self.called();
        let start = scylla::response::PagingState::start();
        let answer = self.sessions.current().execute_single_page(statement, values, start).await;
        rows(self.told(answer)?.0)
    }

    /// Does a write that is [`Level::Repeatable`].
    ///
    /// # Errors
    /// As [`error`] says. What became of it is unknown where the kind is `Unavailable`.
    pub async fn write(&self, statement: &PreparedStatement, values: impl SerializeRow) -> Result<(), Error> {
        self.called();
        let answer = self.sessions.current().execute_unpaged(statement, values).await;
        self.told(answer).map(drop)
    }

    /// Does several writes that are [`Level::Repeatable`] with one call. They are done as one only if they are all of one partition.
    ///
    /// # Errors
    /// As for [`Database::write`].
    pub async fn write_all(&self, statements: Vec<Bound>) -> Result<(), Error> {
        let (mut batch, values) = batch(statements);
        batch.set_is_idempotent(true);
        self.called();
        let answer = self.sessions.current().batch(&batch, values).await;
        self.told(answer).map(drop)
    }

    /// Does statements of one partition as one, if what they ask for is so, and tells whether it was.
    ///
    /// # Errors
    /// As [`error`] says. What became of it is unknown where the kind is `Unavailable`.
    pub async fn write_if(&self, statements: Vec<Bound>) -> Result<bool, Error> {
        let (mut batch, values) = batch(statements);
        batch.set_is_idempotent(false);
        batch.set_retry_policy(Some(Arc::new(FallthroughRetryPolicy)));
        self.called();
        let answer = self.sessions.current().batch(&batch, values).await;
        let answer = self.told(answer)?;
        // The first column of the first row is `[applied]`; what follows differs between Cassandra and ScyllaDB.
        let first = rows::<Row>(answer)?.into_iter().next();
        let applied = first.and_then(|row| row.columns.into_iter().next().flatten()?.as_boolean());
        applied.ok_or_else(|| Error::corrupt("a conditional write was not answered with whether it was done"))
    }

    /// Returns when all nodes that are there have the same tables.
    async fn agreed(&self) -> Result<(), Error> {
        let agreed = self.sessions.current().await_schema_agreement().await;
        self.told(agreed.map(drop).map_err(ExecutionError::SchemaAgreementError))
    }

    /// Does a statement that changes tables, and returns when all nodes that are there have done so.
    async fn define(&self, text: String) -> Result<QueryResult, Error> {
        let mut statement = Statement::new(text);
        statement.set_request_timeout(Some(self.timeout * 4));
        self.called();
        let answer = self.sessions.current().query_unpaged(statement, ()).await;
        self.told(answer)
    }

    fn told<T>(&self, answer: Result<T, ExecutionError>) -> Result<T, Error> {
        answer.inspect_err(|failure| self.sessions.failed(failure)).map_err(error)
    }

    fn no_answer(&self) -> Error {
        Error::unavailable(format!("{} gave no answer within {:?}", self.name, self.timeout))
    }

    fn called(&self) {
        called("cassandra");
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// What an address says beside where the cluster is.
struct Settings {
    keyspace: String,
    replication: String,
    timeout: Duration,
}

impl Settings {
    fn take(place: &mut Place) -> Result<Self, String> {
        let timeout = match place.take("timeout_ms").map(|number| number.parse::<u32>()) {
            None => TIMEOUT,
            Some(Ok(number @ 1..)) => Duration::from_millis(number.into()),
            Some(_) => return Err("the option `timeout_ms` is not a number above 0".to_owned()),
        };
        let replication = schema::replication(place.take("replication").as_deref().unwrap_or("3"))?;
        place.done()?;
        let keyspace = place.path.clone();
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        // It goes into statements as it is.
        if !keyspace.starts_with(|first: char| first.is_ascii_lowercase()) || !keyspace.bytes().all(is_name) {
            return Err("`cassandra://` needs a keyspace of small letters, digits and `_`: `cassandra://a,b,c/klatch`"
                .to_owned());
        }
        Ok(Self { keyspace, replication, timeout })
    }
}

fn batch(statements: Vec<Bound>) -> (Batch, Vec<Box<dyn SerializeRow + Send + Sync>>) {
    let (statements, values): (Vec<_>, Vec<_>) = statements.into_iter().unzip();
    let statements = statements.into_iter().map(Into::into).collect();
    let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
    batch.set_consistency(Consistency::Quorum);
    batch.set_serial_consistency(Some(SerialConsistency::Serial));
    (batch, values)
}

fn rows<R: for<'row> DeserializeRow<'row, 'row>>(answer: QueryResult) -> Result<Vec<R>, Error> {
    let answer = answer.into_rows_result().map_err(Error::corrupt)?;
    let rows = answer.rows::<R>().map_err(Error::corrupt)?;
    rows.map(|row| row.map_err(Error::corrupt)).collect()
}

/// What a caller can do about a failure: `Broken` where the statement itself is refused, as by tables or rights that are missing;
/// otherwise `Unavailable`, and nothing is known of a write.
pub fn error(error: ExecutionError) -> Error {
    if let ExecutionError::SchemaAgreementError(failure) = &error {
        return Error::unavailable(format!(
            "not all nodes have the same tables ({failure}): `nodetool describecluster` tells which; try again when they have"
        ));
    }
    let refused = match &error {
        ExecutionError::BadQuery(_) => true,
        ExecutionError::LastAttemptError(attempt)
        | ExecutionError::PrepareError(PrepareError::AllAttemptsFailed { first_attempt: attempt }) => {
            is_refusal(attempt)
        }
        _ => false,
    };
    Error::new(if refused { ErrorKind::Broken } else { ErrorKind::Unavailable }, error)
}

fn is_refusal(error: &RequestAttemptError) -> bool {
    match error {
        RequestAttemptError::SerializationError(_) | RequestAttemptError::CqlRequestSerialization(_) => true,
        RequestAttemptError::DbError(error, _) => matches!(
            error,
            DbError::SyntaxError
                | DbError::Invalid
                | DbError::AlreadyExists { .. }
                | DbError::AuthenticationError
                | DbError::Unauthorized
                | DbError::ConfigError
        ),
        _ => false,
    }
}

fn new_session_error(error: NewSessionError) -> Error {
    let is_settled = matches!(error, NewSessionError::IllegalConfig(_) | NewSessionError::EmptyKnownNodesList);
    Error::new(if is_settled { ErrorKind::Broken } else { ErrorKind::Unavailable }, error)
}

#[cfg(test)]
mod tests;
