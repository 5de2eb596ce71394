//! The sockets: bound here, and no delay on small writes. With TLS: `tls`; behind a proxy: `proxy_protocol`.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::anyhow;
use axum::serve::Listener;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// LIMIT: connections that are prepared at a time.
const PREPARING_MAX: usize = 1_024;

/// How long the last ones have to be prepared, once nobody new is let in.
const LAST_WITHIN: Duration = Duration::from_secs(1);

/// A listener that lets in those who stood at the door when it closed: otherwise they would see a broken connection.
pub trait Entrance: Listener<Addr = SocketAddr> {
    /// Lets nobody new in, and returns the next of those who were there already; nothing where there is none.
    fn last(&mut self) -> impl Future<Output = Option<(Self::Io, SocketAddr)>> + Send;
}

/// Binds an address.
///
/// # Errors
/// A sentence that says what to do.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let port = address.port();
        let advice = match error.kind() {
            ErrorKind::AddrInUse => {
                format!("another program is using port {port}; stop it, or choose another with --listen")
            }
            ErrorKind::AddrNotAvailable => "this machine has no such address; choose another with --listen".to_owned(),
            ErrorKind::PermissionDenied => format!(
                "port {port} is for root; choose one from 1024 on with --listen, or let the program have it \
                 (CAP_NET_BIND_SERVICE)"
            ),
            _ => "choose another with --listen".to_owned(),
        };
        anyhow!("cannot listen on {address} ({error}): {advice}")
    })
}

/// Connections in the clear.
pub struct Plain(pub TcpListener);

impl Listener for Plain {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    prepare(&stream);
                    return (stream, address);
                }
                Err(error) => refused(&error).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Entrance for Plain {
    async fn last(&mut self) -> Option<(Self::Io, SocketAddr)> {
        self.accept().now_or_never()
    }
}

/// Without `TCP_NODELAY`, small frames wait for acknowledgements: up to 44 ms.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
}

/// A connection could not be accepted: at the limit of open files that is so again at once, so wait a little.
async fn refused(error: &io::Error) {
    tracing::warn!(%error, "a connection was not accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Connections with each of which something is done first, such as a handshake: side by side, so that a slow one holds nobody up.
pub struct Prepared<S> {
    address: SocketAddr,
    ready: mpsc::Receiver<(S, SocketAddr)>,
    /// Nobody new is let in.
    closing: CancellationToken,
    /// Until when the last ones are waited for, once that is so.
    until: Option<Instant>,
}

impl<S: Send + 'static> Prepared<S> {
    /// Begins to accept. What is done must be done `within` a time, or the connection is let go of.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn start<L, P, F>(mut listener: L, within: Duration, prepare: P) -> io::Result<Self>
    where
        L: Entrance,
        P: Fn(L::Io, SocketAddr) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<(S, SocketAddr)>> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let (ready, prepared) = mpsc::channel(PREPARING_MAX);
        let closing = CancellationToken::new();
        let closed = closing.clone();
        // Until nobody takes what is ready any more; then the port is free.
        tokio::spawn(async move {
            let begin = |(stream, peer), permit: OwnedPermit<_>| {
                let preparing = tokio::time::timeout(within, prepare(stream, peer));
                tokio::spawn(async move {
                    match preparing.await {
                        Ok(Ok(prepared)) => drop(permit.send(prepared)),
                        Ok(Err(error)) => tracing::debug!(%peer, %error, "a connection did not begin as it must"),
                        Err(_) => tracing::debug!(%peer, "a connection took too long to begin"),
                    }
                });
            };
            loop {
                let Ok(permit) = ready.clone().reserve_owned().await else { return };
                tokio::select! {
                    accepted = listener.accept() => begin(accepted, permit),
                    () = closed.cancelled() => break,
                    () = ready.closed() => return,
                }
            }
            while let Some(accepted) = listener.last().await {
                let Ok(permit) = ready.clone().reserve_owned().await else { return };
                begin(accepted, permit);
            }
        });
        Ok(Self { address, ready: prepared, closing, until: None })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Listener for Prepared<S> {
    type Io = S;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Entrance for Prepared<S> {
    async fn last(&mut self) -> Option<(Self::Io, SocketAddr)> {
        self.closing.cancel();
        let until = *self.until.get_or_insert_with(|| Instant::now() + LAST_WITHIN);
        timeout_at(until, self.ready.recv()).await.ok().flatten()
    }
}
