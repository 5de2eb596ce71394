//! A connection to one node that is kept: it is asked after, and made anew when it ends.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use klatch_ports::Error;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Pipeline, Value};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::dial::{Dial, Push};

/// How often a connection is asked after.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How long is rested before the first new attempt, at least; the double at most.
const REST_MIN: Duration = Duration::from_millis(25);
/// How long is rested between attempts, at last; the double at most.
const REST_MAX: Duration = Duration::from_millis(500);

/// What is done with a connection while there is one.
#[async_trait]
pub(crate) trait Visitor: Send {
    /// For the next connection: what is done with what its node says without being asked.
    fn push(&mut self) -> Option<Push>;

    /// There is a connection. Returns when it is of no use any more, with the reason.
    async fn up(&mut self, connection: MultiplexedConnection) -> String;

    /// The connection ended. The next one is on its way.
    fn lost(&mut self);

    /// No connection came about. There will be other attempts.
    fn away(&mut self, reason: &str);
}

/// Keeps a connection, for ever. Within `patience` it must come about.
pub(crate) async fn keep(dial: Arc<Dial>, address: Arc<str>, patience: Duration, mut visitor: impl Visitor) {
    let rests = || {
        let rests = ExponentialBuilder::new().with_min_delay(REST_MIN).with_max_delay(REST_MAX);
        rests.with_jitter().without_max_times().build()
    };
    let (mut rest, mut is_away) = (rests(), false);
    loop {
        let connected = timeout(patience, dial.connect(&address, visitor.push())).await;
        let failure = match connected {
            Ok(Ok((connection, driver))) => {
                let begun = Instant::now();
                tracing::debug!(%address, "connected to Redis");
                is_away = false;
                let reason = tokio::select! {
                    () = driver => "the server ended it".to_owned(),
                    reason = visitor.up(connection) => reason,
                };
                visitor.lost();
                metrics::counter!("klatch_redis_connections_lost_total").increment(1);
                tracing::warn!(%address, reason, "a connection to Redis is lost; another one is made");
                // A server that throws us out at once is not asked again and again without rest.
                if begun.elapsed() > CHECK_EVERY {
                    rest = rests();
                }
                None
            }
            Ok(Err(error)) => Some(std::error::Error::source(&error).map_or_else(String::new, ToString::to_string)),
            Err(_) => Some(format!("no answer within {patience:?}")),
        };
        if let Some(reason) = failure {
            visitor.away(&reason);
            if !is_away {
                tracing::warn!(%address, reason, "Redis is away; it is tried again until it is back");
            }
            is_away = true;
        }
        sleep(rest.next().unwrap_or(REST_MAX)).await;
    }
}

/// Asks whether a node is still there, which it must say within `patience`.
pub(crate) async fn check(connection: &mut MultiplexedConnection, patience: Duration) -> Result<(), String> {
    match timeout(patience, connection.req_packed_command(&redis::cmd("PING"))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {patience:?}")),
    }
}

/// A connection for calls. It ends when this is dropped.
pub struct Line {
    address: Arc<str>,
    state: watch::Receiver<State>,
    _keeping: JoinSet<()>,
}

#[derive(Clone)]
enum State {
    Connecting,
    Up(MultiplexedConnection),
    Away(Arc<str>),
}

impl Line {
    /// A connection to this node, which comes about by itself. A node that is silent for longer than `patience` is away.
    pub fn to(dial: Arc<Dial>, address: Arc<str>, patience: Duration) -> Self {
        let (tell, state) = watch::channel(State::Connecting);
        let mut keeping = JoinSet::new();
        keeping.spawn(keep(dial, address.clone(), patience, Caller { state: tell, patience }));
        Self { address, state, _keeping: keeping }
    }

    /// Asks all of this in one round trip. Waits for an answer as long as the caller likes, unless the node is known to be away.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ask(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Error> {
        let mut state = self.state.clone();
        let state =
            state.wait_for(|state| !matches!(state, State::Connecting)).await.map_err(Error::unavailable)?.clone();
        match state {
            State::Up(mut connection) => {
                connection.req_packed_commands(pipeline, 0, pipeline.len()).await.map_err(Error::unavailable)
            }
            State::Away(reason) => Err(Error::unavailable(format!("Redis at {} is away: {reason}", self.address))),
            State::Connecting => unreachable!("it was waited for another state"),
        }
    }
}

struct Caller {
    state: watch::Sender<State>,
    patience: Duration,
}

#[async_trait]
impl Visitor for Caller {
    fn push(&mut self) -> Option<Push> {
        None
    }

    async fn up(&mut self, mut connection: MultiplexedConnection) -> String {
        self.state.send_replace(State::Up(connection.clone()));
        loop {
            sleep(CHECK_EVERY).await;
            if let Err(reason) = check(&mut connection, self.patience).await {
                // Who does not answer is not waited for any longer, not even while it is connected to anew.
                self.away(&reason);
                return reason;
            }
        }
    }

    fn lost(&mut self) {
        self.state.send_if_modified(|state| {
            let was_up = matches!(state, State::Up(_));
            if was_up {
                *state = State::Connecting;
            }
            was_up
        });
    }

    fn away(&mut self, reason: &str) {
        self.state.send_replace(State::Away(reason.into()));
    }
}
