//! A link that can be cut: a TCP proxy between a client and a server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Bytes that are handed on at a time.
const PIECE: usize = 16 * 1024;

/// What becomes of bytes on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// They arrive.
    Open,
    /// They arrive this much later, and no more than so many at once.
    Slow(Duration),
    /// They wait, and nobody is told: a cable that was pulled.
    Held,
}

/// The state of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State {
    to_server: Flow,
    to_client: Flow,
    /// How often it was torn.
    torn: u64,
}

/// A link to one server. It ends when this is dropped.
#[derive(Debug)]
pub struct Link {
    address: String,
    state: Arc<watch::Sender<State>>,
    met: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Link {
    /// A link to whoever listens there, which nobody need do yet.
    ///
    /// # Panics
    /// If there is no free port on this machine.
    pub async fn to(server: impl Into<String>) -> Self {
        Self::at("127.0.0.1:0", server).await
    }

    /// The same, at an address of one's own, such as one of a [`Net`](crate::Net) that the test took.
    ///
    /// # Panics
    /// If somebody listens there.
    pub async fn at(address: &str, server: impl Into<String>) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let first = State { to_server: Flow::Open, to_client: Flow::Open, torn: 0 };
        let state = Arc::new(watch::Sender::new(first));
        let met = Arc::new(AtomicU64::new(0));
        let accepting = tokio::spawn(accept(listener, server.into(), state.clone(), met.clone()));
        Self { address, state, met, accepting }
    }

    /// Where clients connect.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sets what becomes of bytes in each direction from now on.
    pub fn set(&self, to_server: Flow, to_client: Flow) {
        self.state.send_modify(|state| (state.to_server, state.to_client) = (to_server, to_client));
    }

    /// How often something on its way was held or slowed: whether what was set was felt at all.
    pub fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }

    /// Breaks every connection that there is, which both sides are told. New ones are as [`Link::set`] says.
    pub fn tear(&self) {
        self.state.send_modify(|state| state.torn += 1);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: String, state: Arc<watch::Sender<State>>, met: Arc<AtomicU64>) {
    // They end with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(carry(client, server.clone(), state.subscribe(), met.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection, until either side ends it or it is torn.
async fn carry(client: TcpStream, server: String, mut state: watch::Receiver<State>, met: Arc<AtomicU64>) {
    let born = state.borrow().torn;
    let (to_server, to_client) = (state.clone(), state.clone());
    let carried = async {
        let server = TcpStream::connect(server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, into_client) = client.into_split();
        let (from_server, into_server) = server.into_split();
        tokio::try_join!(
            pass(from_client, into_server, to_server, &met, |state| state.to_server),
            pass(from_server, into_client, to_client, &met, |state| state.to_client),
        )
    };
    tokio::select! {
        // What was held must not slip through when a link is torn and opened at once.
        biased;
        _ = state.wait_for(|state| state.torn != born) => {}
        // Either side may end it, as it likes.
        _ = carried => {}
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut into: impl AsyncWriteExt + Unpin,
    mut state: watch::Receiver<State>,
    met: &AtomicU64,
    flow: fn(&State) -> Flow,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = from.read(&mut piece).await?;
        if flow(&state.borrow()) != Flow::Open {
            met.fetch_add(1, Ordering::Relaxed);
        }
        if state.wait_for(|state| flow(state) != Flow::Held).await.is_err() {
            return Ok(());
        }
        let flow = flow(&state.borrow());
        if let Flow::Slow(delay) = flow {
            tokio::time::sleep(delay).await;
        }
        if length == 0 {
            return into.shutdown().await;
        }
        into.write_all(&piece[..length]).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_held_arrives_later_and_what_is_torn_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = Link::to(listener.local_addr().unwrap().to_string()).await;
        let mut client = TcpStream::connect(link.address()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let mut byte = [0];

        client.write_all(b"1").await.unwrap();
        server.read_exact(&mut byte).await.unwrap();
        link.set(Flow::Held, Flow::Open);
        client.write_all(b"2").await.unwrap();
        server.write_all(b"3").await.unwrap();
        client.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, *b"3", "the other way is open");
        assert!(futures_like_now(server.read(&mut byte)).await.is_none());
        link.set(Flow::Open, Flow::Open);
        server.read_exact(&mut byte).await.unwrap();
        assert_eq!((byte, link.met()), (*b"2", 1));

        link.set(Flow::Held, Flow::Open);
        client.write_all(b"never").await.unwrap();
        link.tear();
        link.set(Flow::Open, Flow::Open);
        assert!(matches!(server.read(&mut byte).await, Ok(0) | Err(_)));
        assert!(matches!(client.read(&mut byte).await, Ok(0) | Err(_)));
        TcpStream::connect(link.address()).await.unwrap().write_all(b"4").await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, *b"4");
    }

    /// What a future has now, or nothing.
    async fn futures_like_now<T>(future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            value = future => Some(value),
            () = tokio::task::yield_now() => None,
        }
    }
}
