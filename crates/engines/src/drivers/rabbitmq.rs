//! RabbitMQ: two connections to one virtual host, one that publishes and one that consumes, since a broker that is short of memory
//! or disk stops reading from those that publish, and acknowledgements must still get through. Of several hosts any that answers
//! is taken. What does not answer in time is given up, and what became of it is unknown.

#[cfg(test)]
pub mod bench;
mod crew;
mod inlet;
mod look;
mod outlet;
mod queues;
mod subscription;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use klatch_ports::{Error, ErrorKind};
use lapin::tcp::RustlsConnector;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{AsyncTcpStream, Channel, Connection, ConnectionProperties};
use rand::seq::SliceRandom;
use rustix::net::{Shutdown, shutdown, sockopt};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::place::{Place, Secret};
use super::{called, tls};

pub use crew::{BEAT, Crew};
pub use inlet::Inlet;
pub use look::Look;
pub use outlet::Outlet;
pub use queues::Queue;

const PORT: u16 = 5672;
/// Seconds between signs of life. Who heard nothing for two of these is taken for dead, by either side.
const HEARTBEAT: u16 = 4;
/// Within which an answer must come, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Within which a connection or a channel must come about.
const OPEN_TIMEOUT: Duration = Duration::from_secs(2);
/// Milliseconds within which the other side must confirm what was sent.
const TCP_TIMEOUT_MS: u32 = 8_000;
/// Copies of a queue, unless told otherwise.
const COPIES: u32 = 3;

/// What a channel is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Publishing.
    Out,
    /// Consuming, and asking.
    In,
}

/// A broker, or a cluster of them. Cheap to clone: all clones share the connections.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    place: Place,
    tls: Option<RustlsConnector>,
    prefix: String,
    copies: u32,
    timeout: Duration,
    /// One for each [`Way`].
    lines: [Mutex<Option<Line>>; 2],
}

/// A connection.
struct Line {
    connection: Connection,
    socket: Socket,
}

/// The socket of a connection, so that the connection can be ended whatever state it is in: while it comes about nobody would else.
struct Socket {
    fd: Arc<OnceLock<OwnedFd>>,
    is_kept: bool,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let (false, Some(fd)) = (self.is_kept, self.fd.get()) {
            // If it is not connected any more, all is well.
            let _ = shutdown(fd, Shutdown::Both);
        }
    }
}

impl Broker {
    /// A broker at `amqp://user:password@host,host/vhost`; without a path, the virtual host `/`. Options: `prefix` (what the names of
    /// queues and exchanges begin with; `klatch`), `copies` (of each queue that is made; 3), `timeout_ms`. Nobody is connected to yet.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn at(mut place: Place) -> Result<Self, String> {
        let number = |option: Option<String>, name: &str| match option.map(|number| number.parse::<u32>()) {
            None => Ok(None),
            Some(Ok(number @ 1..)) => Ok(Some(number)),
            Some(_) => Err(format!("the option `{name}` is not a number above 0")),
        };
        let copies = number(place.take("copies"), "copies")?.unwrap_or(COPIES);
        let timeout = number(place.take("timeout_ms"), "timeout_ms")?;
        let prefix = place.take("prefix").unwrap_or_else(|| "klatch".to_owned());
        place.done()?;
        if prefix.is_empty() || prefix.len() > 100 {
            return Err("the option `prefix` has 1 to 100 letters".to_owned());
        }
        let tls = place.tls.as_ref().map(tls::client_config).transpose()?.map(RustlsConnector::from);
        let timeout = timeout.map_or(TIMEOUT, |ms| Duration::from_millis(ms.into()));
        let lines = [Mutex::default(), Mutex::default()];
        Ok(Self(Arc::new(Inner { place, tls, prefix, copies, timeout, lines })))
    }

    /// A name for a queue or an exchange, with the prefix.
    pub fn name(&self, rest: &str) -> String {
        format!("{}.{rest}", self.0.prefix)
    }

    /// A new channel.
    ///
    /// # Errors
    /// `Full`: the broker has an alarm, and takes nothing from those that publish. `Broken`, `Unavailable`.
    pub async fn channel(&self, way: Way) -> Result<Channel, Error> {
        let mut slot = self.within(self.0.lines[way as usize].lock()).await?;
        if slot.as_ref().is_some_and(|line| !line.connection.status().connected()) {
            give_up(slot.take());
        }
        if slot.is_none() {
            *slot = Some(self.connect().await?);
        }
        let connection = &slot.as_ref().expect("there is one now").connection;
        if way == Way::Out && connection.status().blocked() {
            return Err(Error::new(ErrorKind::Full, "RabbitMQ has an alarm: it is short of memory or disk"));
        }
        called("rabbitmq");
        match timeout(OPEN_TIMEOUT.min(self.0.timeout), connection.create_channel()).await {
            Ok(opened) => opened.map_err(error),
            Err(_) => {
                // Nobody need wait behind a connection on which no answer comes.
                give_up(slot.take());
                Err(self.silent())
            }
        }
    }

    /// What a call gives within the time that a call has.
    async fn within<T>(&self, call: impl Future<Output = T>) -> Result<T, Error> {
        timeout(self.0.timeout, call).await.map_err(|_| self.silent())
    }

    /// What an answer of the broker is, within the time that a call has.
    async fn asked<T>(&self, call: impl Future<Output = lapin::Result<T>>) -> Result<T, Error> {
        called("rabbitmq");
        self.within(call).await?.map_err(error)
    }

    fn silent(&self) -> Error {
        let hosts = self.0.place.hosts_or(PORT).join(",");
        Error::unavailable(format!("RabbitMQ at {hosts} gave no answer within {:?}", self.0.timeout))
    }

    /// A connection to whichever host answers first. The order is chance's, so that all of them are used.
    async fn connect(&self) -> Result<Line, Error> {
        let mut hosts = self.0.place.hosts.clone();
        hosts.shuffle(&mut rand::rng());
        let mut failure = self.silent();
        for (host, port) in hosts {
            match self.connect_to(host, port.unwrap_or(PORT)).await {
                Ok(line) => return Ok(line),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn connect_to(&self, host: String, port: u16) -> Result<Line, Error> {
        let fd = Arc::new(OnceLock::new());
        let mut socket = Socket { fd: fd.clone(), is_kept: false };
        let (uri, tls) = (self.uri(&host, port), self.0.tls.clone());
        let properties = ConnectionProperties::default().with_connection_name("klatch".into());
        let runtime = lapin::runtime::default_runtime().map_err(error)?;
        called("rabbitmq");
        let connecting = Connection::connector(
            uri,
            runtime,
            async move |_, runtime| {
                let stream = async {
                    // An IPv6 address has brackets in an address, and none elsewhere.
                    let host = host.trim_matches(['[', ']']);
                    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
                    let stream = AsyncTcpStream::connect(&runtime, addresses).await?;
                    if let AsyncTcpStream::Plain(plain) = &stream {
                        let tcp = plain.get_ref();
                        tcp.set_nodelay(true)?;
                        sockopt::set_tcp_user_timeout(tcp, TCP_TIMEOUT_MS)?;
                        let _ = fd.set(tcp.as_fd().try_clone_to_owned()?);
                    }
                    match &tls {
                        Some(tls) => stream.into_rustls(tls, host).await,
                        None => Ok(stream),
                    }
                };
                Ok(timeout(OPEN_TIMEOUT, stream).await.map_err(std::io::Error::from).flatten()?)
            },
            properties,
        );
        let connection = timeout(OPEN_TIMEOUT, connecting).await.map_err(|_| self.silent())?.map_err(error)?;
        socket.is_kept = true;
        Ok(Line { connection, socket })
    }

    fn uri(&self, host: &str, port: u16) -> AMQPUri {
        let place = &self.0.place;
        let or_guest = |text: Option<&str>| text.unwrap_or("guest").to_owned();
        let userinfo = AMQPUserInfo {
            username: or_guest(place.user.as_deref()),
            password: or_guest(place.password.as_ref().map(|Secret(word)| word.as_str())),
        };
        AMQPUri {
            scheme: if place.tls.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
            authority: AMQPAuthority { userinfo, host: host.to_owned(), port },
            vhost: if place.path.is_empty() { "/".to_owned() } else { place.path.clone() },
            query: AMQPQueryString { heartbeat: Some(HEARTBEAT), ..AMQPQueryString::default() },
        }
    }
}

/// Ends a connection at once; whatever waits on it fails.
fn give_up(line: Option<Line>) {
    if let Some(Line { mut socket, .. }) = line {
        socket.is_kept = false;
    }
}

/// What a caller can do about a failure: `Broken` where the broker refuses what is asked, as by rights or queues that are missing;
/// otherwise `Unavailable`.
pub fn error(error: lapin::Error) -> Error {
    let kind = match error.kind() {
        // Access refused, not found, precondition failed, not allowed.
        lapin::ErrorKind::ProtocolError(said) if [403, 404, 406, 530].contains(&said.get_id()) => ErrorKind::Broken,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, error)
}
