//! The gateway: one WebSocket.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use klatch_protocol::gateway::{ClientFrame, ClientInfo, PROTOCOL, ServerFrame};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::error::{Closed, Error};
use crate::tls;

/// How long a server may be silent: it pings every 25 s, so a connection on which nothing comes for this long is lost.
const SILENCE_MAX: Duration = Duration::from_secs(80);

/// A connection that said hello.
pub struct Gateway {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    silence_max: Duration,
}

impl Gateway {
    /// Connects to the server at this address, says hello, and returns the answer beside the connection.
    ///
    /// # Errors
    /// [`Error`]: it cannot be reached, or closed instead of answering.
    pub async fn connect(base: &str, token: &str) -> Result<(Self, ServerFrame), Error> {
        let address = format!("{}/api/v1/gateway", base.trim_end_matches('/').replacen("http", "ws", 1));
        tls::prepare();
        let connected = tokio_tungstenite::connect_async(address).await;
        let (socket, _) = connected.map_err(not_upgraded)?;
        let mut gateway = Self { socket, silence_max: SILENCE_MAX };
        gateway
            .send(&ClientFrame::Hello {
                protocol: vec![PROTOCOL],
                token: token.to_owned(),
                client: ClientInfo { name: "klatch".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
                capabilities: Vec::new(),
            })
            .await?;
        match gateway.next().await? {
            Ok(ready @ ServerFrame::Ready { .. }) => Ok((gateway, ready)),
            Ok(other) => Err(Error::Unexpected(format!("{other:?} before ready"))),
            Err(closed) => Err(Error::Closed(closed)),
        }
    }

    /// Has it take a server for lost that is silent for this long: for tests of it.
    pub const fn give_up_after(&mut self, silence_max: Duration) {
        self.silence_max = silence_max;
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<(), Error> {
        let text = serde_json::to_string(frame).map_err(|error| Error::Unexpected(error.to_string()))?;
        self.send_raw(Message::text(text)).await
    }

    /// Sends any message: for tests of what a server does with it.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    pub async fn send_raw(&mut self, message: Message) -> Result<(), Error> {
        self.socket.send(message).await.map_err(|error| Error::Unreachable(Box::new(error)))
    }

    /// The connection underneath, for those who read what comes without understanding it. Nothing may have come already that was
    /// not asked for with [`Gateway::next`].
    pub fn into_stream(self) -> impl AsyncRead + AsyncWrite + Unpin + Send + 'static {
        self.socket.into_inner()
    }

    /// Asks for the first page of conversations, with nothing in hand.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    pub async fn sync(&mut self) -> Result<(), Error> {
        self.send(&ClientFrame::Sync { have: BTreeMap::new(), after: None }).await
    }

    /// The next frame, or how the connection ended; where nothing comes for longer than the server may be silent, it is lost.
    ///
    /// # Errors
    /// [`Error::Unexpected`]: a frame that is not one.
    pub async fn next(&mut self) -> Result<Result<ServerFrame, Closed>, Error> {
        loop {
            let Ok(next) = tokio::time::timeout(self.silence_max, self.socket.next()).await else {
                return Ok(Err(LOST));
            };
            match next {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text);
                    return frame.map(Ok).map_err(|error| Error::Unexpected(format!("{error} in {text}")));
                }
                Some(Ok(Message::Close(frame))) => {
                    let closed =
                        frame.map(|frame| Closed { code: frame.code.into(), reason: frame.reason.to_string() });
                    return Ok(Err(closed.unwrap_or(LOST)));
                }
                Some(Ok(_)) => {}
                Some(Err(tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                    return Ok(Err(LOST));
                }
                Some(Err(tungstenite::Error::Protocol(error))) => return Err(Error::Unexpected(error.to_string())),
                Some(Err(_)) | None => return Ok(Err(LOST)),
            }
        }
    }
}

/// What the server answered instead of a WebSocket, if it answered.
fn not_upgraded(error: tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::Http(response) => {
            Error::refused(response.status().as_u16(), response.body().as_deref().unwrap_or_default())
        }
        error => Error::Unreachable(Box::new(error)),
    }
}

const LOST: Closed = Closed { code: 1006, reason: String::new() };
