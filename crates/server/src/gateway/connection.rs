//! One connection: what the rest of the node knows of it, and the task that reads and writes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use klatch_core::ids::{ConversationId, DeviceId, Seq, Timestamp, UserId};
use klatch_ports::presence::State;
use klatch_protocol::gateway::CloseCode;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::frames::{self, Flow};
use super::outbox::{Next, Outbox};
use super::socket::Socket;
use super::websocket::{self, Broken, Message, Reader};
use super::{Gateway, LIMITS};

/// How long one write may take: the kernel's buffers are full, and the client does not read.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// How long the client may take to answer a close.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// What the rest of the node knows of a connection.
pub struct Connection {
    /// Whose.
    pub user: UserId,
    /// On which device.
    pub device: DeviceId,
    /// What waits to be written.
    pub outbox: Outbox,
    listens: Mutex<Listens>,
}

#[derive(Default)]
struct Listens {
    /// From after which event on it hears each.
    conversations: HashMap<ConversationId, Seq>,
    open: Vec<ConversationId>,
    watched: Vec<UserId>,
    is_gone: bool,
}

/// Whether a connection listens to a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entered {
    /// It does from now on.
    Now,
    /// It does already, from after this event on.
    Before(Seq),
    /// It listens to nothing any more.
    Gone,
}

impl Connection {
    fn new(user: UserId, device: DeviceId, socket: Option<Arc<TcpStream>>) -> Arc<Self> {
        Arc::new(Self { user, device, outbox: Outbox::new(socket), listens: Mutex::default() })
    }

    /// Takes note that it listens to a conversation, from after `start` on.
    pub fn enter(&self, conversation: ConversationId, start: Seq) -> Entered {
        let mut listens = self.listens.lock();
        if listens.is_gone {
            return Entered::Gone;
        }
        match listens.conversations.entry(conversation) {
            Entry::Occupied(since) => Entered::Before(*since.get()),
            Entry::Vacant(new) => {
                new.insert(start);
                Entered::Now
            }
        }
    }

    /// Takes note that it listens no longer.
    pub fn leave(&self, conversation: ConversationId) {
        self.listens.lock().conversations.remove(&conversation);
    }

    /// Whether it listens to a conversation.
    pub fn is_in(&self, conversation: ConversationId) -> bool {
        self.listens.lock().conversations.contains_key(&conversation)
    }

    /// Whether it has a conversation on its screen.
    pub fn has_open(&self, conversation: ConversationId) -> bool {
        self.listens.lock().open.contains(&conversation)
    }

    /// Everything that it listened to; nothing from now on.
    pub fn take_conversations(&self) -> Vec<ConversationId> {
        let mut listens = self.listens.lock();
        listens.is_gone = true;
        std::mem::take(&mut listens.conversations).into_keys().collect()
    }

    /// Replaces what is on the screen, and returns what was.
    pub fn set_open(&self, open: Vec<ConversationId>) -> Vec<ConversationId> {
        std::mem::replace(&mut self.listens.lock().open, open)
    }

    /// Replaces who is watched, and returns who was.
    pub fn set_watched(&self, watched: Vec<UserId>) -> Vec<UserId> {
        std::mem::replace(&mut self.listens.lock().watched, watched)
    }
}

/// Serves a WebSocket to its end. If it is TCP in the clear, whoever delivers writes to it directly.
pub async fn serve(gateway: Arc<Gateway>, upgraded: Upgraded) {
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(Parts { io, read_buf, .. }) => {
            let socket = Arc::new(io.into_inner());
            let reader = Reader::new(LIMITS.frame_bytes, read_buf.into());
            Box::pin(serve_stream(gateway, Socket(socket.clone()), reader, Some(socket))).await;
        }
        Err(upgraded) => {
            let reader = Reader::new(LIMITS.frame_bytes, Vec::new());
            Box::pin(serve_stream(gateway, TokioIo::new(upgraded), reader, None)).await;
        }
    }
}

async fn serve_stream<S: AsyncRead + AsyncWrite + Unpin + Send>(
    gateway: Arc<Gateway>,
    mut stream: S,
    mut reader: Reader,
    socket: Option<Arc<TcpStream>>,
) {
    let (code, torn) = match Box::pin(frames::hello(&gateway, &mut reader, &mut stream)).await {
        Ok(identity) => {
            let connection = Connection::new(identity.user, identity.device, socket);
            let code = Box::pin(attend(&gateway, &connection, &mut reader, &mut stream)).await;
            (code, connection.outbox.release())
        }
        Err(code) => (code, None),
    };
    if let Some(code) = code {
        let bytes = websocket::close(code.number(), code.slug().as_str());
        let goodbye = async {
            stream.write_all(&torn.unwrap_or_default()).await?;
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        };
        // The client may be gone already; then there is nobody to say goodbye to.
        let _ = timeout(CLOSE_WITHIN, goodbye).await;
    }
}

async fn attend<S: AsyncRead + AsyncWrite + Unpin>(
    gateway: &Arc<Gateway>,
    connection: &Arc<Connection>,
    reader: &mut Reader,
    stream: &mut S,
) -> Option<CloseCode> {
    if let Err(error) = gateway.hub.register(connection).await {
        tracing::warn!(%error, "a connection could not be registered");
        return Some(CloseCode::Internal);
    }
    // Those who were there when that was cancelled are told already.
    if gateway.stop.is_cancelled() {
        connection.outbox.close(CloseCode::Stopping);
    }
    frames::present(gateway, connection, Some(State::Online)).await;
    frames::tell(gateway, connection).await;
    let code = Session::new(gateway, connection).run(reader, stream).await;
    gateway.hub.unregister(connection).await;
    frames::present(gateway, connection, None).await;
    code
}

/// A connection that said hello.
struct Session<'a> {
    gateway: &'a Arc<Gateway>,
    connection: &'a Arc<Connection>,
    heard_at: Instant,
    state: frames::SessionState,
}

impl<'a> Session<'a> {
    fn new(gateway: &'a Arc<Gateway>, connection: &'a Arc<Connection>) -> Self {
        Self {
            gateway,
            connection,
            heard_at: Instant::now(),
            state: frames::SessionState::new(gateway.services.clock.now()),
        }
    }

    async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        reader: &mut Reader,
        stream: &mut S,
    ) -> Option<CloseCode> {
        let mut ping =
            tokio::time::interval_at(Instant::now() + self.gateway.options.ping_every, self.gateway.options.ping_every);
        ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            // The outbox first: of a delivery, nothing else is looked at. When the node stops, the outbox is closed.
            let flow = tokio::select! {
                biased;
                () = self.connection.outbox.ready() => self.flush(stream).await,
                message = reader.next(stream) => self.take(message, stream).await,
                _ = ping.tick() => self.ping().await,
            };
            if let Flow::End(code) = flow {
                return code;
            }
        }
    }

    /// Writes what waits.
    async fn flush<S: AsyncWrite + Unpin>(&self, stream: &mut S) -> Flow {
        loop {
            match self.connection.outbox.take() {
                Next::Nothing => return Flow::GoOn,
                Next::Close(code) => return Flow::End(Some(code)),
                Next::Bytes(bytes) => {
                    if let Flow::End(code) = self.write(stream, bytes).await {
                        return Flow::End(code);
                    }
                }
            }
        }
    }

    async fn write<S: AsyncWrite + Unpin>(&self, stream: &mut S, bytes: Bytes) -> Flow {
        self.gateway.writes.increment(1);
        let written = tokio::select! {
            biased;
            written = timeout(WRITE_WITHIN, stream.write_all(&bytes)) => written,
            () = self.overflown() => return Flow::End(Some(CloseCode::Slow)),
        };
        match written {
            Ok(Ok(())) => Flow::GoOn,
            Ok(Err(_)) => Flow::End(None),
            Err(_) => Flow::End(Some(CloseCode::Slow)),
        }
    }

    /// Waits until the outbox is closed, while something is being written.
    async fn overflown(&self) {
        while !self.connection.outbox.is_closed() {
            self.connection.outbox.ready().await;
        }
    }

    async fn take<S: AsyncWrite + Unpin>(&mut self, message: Result<Message, Broken>, stream: &mut S) -> Flow {
        self.heard_at = Instant::now();
        match message {
            Ok(Message::Text(text)) => {
                let flow = Box::pin(frames::take(self.gateway, self.connection, &mut self.state, text)).await;
                // Whatever was put into the outbox meanwhile may have used up its wake-up during a write.
                if matches!(flow, Flow::GoOn) { self.flush(stream).await } else { flow }
            }
            Ok(Message::Ping(payload)) => {
                self.connection.outbox.push(websocket::pong(&payload));
                Flow::GoOn
            }
            Ok(Message::Pong) => Flow::GoOn,
            Ok(Message::Close) | Err(Broken::Io(_)) => Flow::End(None),
            Err(Broken::TooLarge | Broken::Protocol(_)) => Flow::End(Some(CloseCode::Abuse)),
        }
    }

    /// A sign of life to the client, and a look whether there is one from it; and whether its session still is.
    async fn ping(&self) -> Flow {
        if self.heard_at.elapsed() > self.gateway.options.silence_max {
            return Flow::End(Some(CloseCode::Idle));
        }
        frames::present(self.gateway, self.connection, Some(self.state.presence)).await;
        match self.gateway.accounts.is_signed_in(self.connection.user, self.connection.device).await {
            Ok(false) => Flow::End(Some(CloseCode::SignedOut)),
            Ok(true) | Err(_) => {
                self.connection.outbox.push(websocket::ping());
                Flow::GoOn
            }
        }
    }
}

/// The time, for those who keep buckets.
pub fn now(gateway: &Gateway) -> Timestamp {
    gateway.services.clock.now()
}
