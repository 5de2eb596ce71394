//! The sockets: bound here, and no delay on small writes. With TLS: `tls`.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::anyhow;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};

use crate::tls::Tls;

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

/// The other end of a connection.
#[derive(Clone, Copy)]
pub struct Peer(SocketAddr);

impl Connected<IncomingStream<'_, Plain>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Plain>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, Tls>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Tls>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Tells endpoints where a request comes from, whichever listener it came in by.
pub async fn tell_peer(ConnectInfo(Peer(address)): ConnectInfo<Peer>, mut request: Request) -> Request {
    request.extensions_mut().insert(ConnectInfo(address));
    request
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
