//! How a node is connected to.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use klatch_ports::Error;
use redis::aio::{MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, ProtocolVersion, PushInfo, RedisConnectionInfo};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::drivers::place::Place;
use crate::drivers::tls;

/// Calls that wait for a connection to take them; who comes then waits itself.
const WAITING_MAX: usize = 1_024;

/// What is done with what a node says without being asked. Called while the connection waits: it must not take long.
pub(crate) type Push = Box<dyn Fn(PushInfo) + Send + Sync>;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// How a node is connected to.
pub struct Dial {
    redis: RedisConnectionInfo,
    tls: Option<TlsConnector>,
}

impl Dial {
    /// As an operator wrote it.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn new(place: &Place, database: u16) -> Result<Self, String> {
        // Only in version 3 of the protocol may a connection that hears channels do anything else, such as being asked after.
        let mut redis = RedisConnectionInfo::default().set_db(database.into()).set_protocol(ProtocolVersion::RESP3);
        if let Some(user) = &place.user {
            redis = redis.set_username(user);
        }
        if let Some(password) = &place.password {
            redis = redis.set_password(&password.0);
        }
        let tls = place.tls.as_ref().map(tls::client_config).transpose()?;
        Ok(Self { redis, tls: tls.map(|config| TlsConnector::from(Arc::new(config))) })
    }

    /// Connects. The connection lives as long as the future is polled; the future ends when the server ended it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn connect(
        &self,
        address: &str,
        push: Option<Push>,
    ) -> Result<(MultiplexedConnection, BoxFuture<'static, ()>), Error> {
        let stream = TcpStream::connect(address).await.map_err(Error::unavailable)?;
        stream.set_nodelay(true).map_err(Error::unavailable)?;
        // What is given up has ended: nothing that was written to it arrives after what is written to the next one.
        stream.set_zero_linger().map_err(Error::unavailable)?;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stream),
            Some(tls) => {
                let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(host).map_err(Error::unavailable)?;
                Box::new(tls.connect(name, stream).await.map_err(Error::unavailable)?)
            }
        };
        let mut config = AsyncConnectionConfig::new().set_pipeline_buffer_size(WAITING_MAX);
        if let Some(push) = push {
            config = config.set_push_sender(move |info| {
                push(info);
                Ok::<_, SendError>(())
            });
        }
        // Who asks says how long it waits.
        let config = config.set_response_timeout(None);
        let connected = MultiplexedConnection::new_with_config(&self.redis, stream, config).await;
        let (connection, driver) = connected.map_err(Error::unavailable)?;
        Ok((connection, Box::pin(driver)))
    }
}
