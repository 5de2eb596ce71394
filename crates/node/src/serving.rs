//! HTTP on a listener, with a limit on how long a request may take to begin, and without an error for whoever is there at its end.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::listener::Entrance;

/// Within which the head of a request must be there, and how long a connection may rest between two.
pub const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// LIMIT: bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// LIMIT: connections that are still let in at the end, because the kernel had taken them already.
const LAST_MAX: usize = 4_096;

/// How long a connection that was just let in has to begin, at the end.
const FIRST_WITHIN: Duration = Duration::from_millis(500);

/// Serves until `stop`; then nobody new is let in, what was begun is finished, and all connections end.
pub async fn serve<L: Entrance>(listener: L, router: Router, head_within: Duration, stop: CancellationToken) {
    serve_to_the_last(listener, router, head_within, FIRST_WITHIN, stop).await;
}

async fn serve_to_the_last<L: Entrance>(
    mut listener: L,
    router: Router,
    head_within: Duration,
    first_within: Duration,
    stop: CancellationToken,
) {
    let mut http = Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_within).max_buf_size(HEAD_BYTES_MAX);
    let connections = TaskTracker::new();
    let let_in =
        |(io, peer)| connections.spawn(attend(http.clone(), io, peer, router.clone(), first_within, stop.clone()));
    loop {
        tokio::select! {
            accepted = listener.accept() => drop(let_in(accepted)),
            () = stop.cancelled() => break,
        }
    }
    // Whoever waits at the door already would see a broken connection.
    for _ in 0..LAST_MAX {
        let Some(accepted) = listener.last().await else { break };
        let_in(accepted);
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Serves a connection to its end, or until it is a WebSocket.
async fn attend<I: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    http: Builder,
    io: I,
    peer: SocketAddr,
    router: Router,
    first_within: Duration,
    stop: CancellationToken,
) {
    let is_asked = CancellationToken::new();
    let asked = is_asked.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        asked.cancel();
        request.extensions_mut().insert(ConnectInfo(peer));
        // A router is always ready.
        router.clone().call(request)
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(io), service).with_upgrades());
    let last = async {
        stop.cancelled().await;
        // One of which nothing was read yet is closed at once by what follows, though its first request may be on its way. If none comes in
        // time, none does.
        let _ = timeout(first_within, is_asked.cancelled()).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = last => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use axum::serve::Listener;
    use klatch_server::api::address::Proxies;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::sleep;

    use super::*;
    use crate::listener::Plain;
    use crate::proxy_protocol::announced;

    const PATIENCE: Duration = Duration::from_secs(30);

    async fn started(head_within: Duration) -> (SocketAddr, CancellationToken) {
        let listener = Plain(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(async || "here"));
        tokio::spawn(serve(listener, router, head_within, stop.clone()));
        (address, stop)
    }

    async fn said(mut stream: TcpStream) -> String {
        let mut bytes = Vec::new();
        // A connection may also be reset, where more was sent than was read.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection ends");
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn whoever_is_slow_with_the_head_of_a_request_is_sent_away() {
        let (address, _stop) = started(Duration::from_millis(300)).await;
        let mut dribbling = TcpStream::connect(address).await.unwrap();
        let dribble = async {
            for byte in b"GET / HTTP/1.1\r\nX: ".iter().chain([b'y'; 100_000].iter()) {
                if dribbling.write_all(&[*byte]).await.is_err() {
                    return;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, dribble).await.expect("it cannot go on for ever");
        let silent = TcpStream::connect(address).await.unwrap();
        assert_eq!(said(silent).await, "");
        // Who does as it should has time for it, also on a busy machine.
        let (address, _stop) = started(Duration::from_secs(5)).await;
        let mut resting = TcpStream::connect(address).await.unwrap();
        resting.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        assert!(said(resting).await.ends_with("here"), "after its answer it may rest as long, and then ends");
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused() {
        let (address, _stop) = started(PATIENCE).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(2 * HEAD_BYTES_MAX));
        let _ = stream.write_all(head.as_bytes()).await;
        assert!(said(stream).await.starts_with("HTTP/1.1 431"));
    }

    #[tokio::test]
    async fn what_was_begun_is_answered_and_then_all_ends() {
        let (address, stop) = started(PATIENCE).await;
        let mut begun = TcpStream::connect(address).await.unwrap();
        begun.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
        let mut resting = TcpStream::connect(address).await.unwrap();
        resting.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        resting.read_exact(&mut answer).await.unwrap();
        stop.cancel();
        assert!(said(resting).await.ends_with("here"));
        begun.write_all(b"st: x\r\n\r\n").await.unwrap();
        assert!(said(begun).await.ends_with("here"));
    }

    #[tokio::test]
    async fn whoever_was_at_the_door_when_it_closed_is_answered_also_behind_a_proxy() {
        let plain = Plain(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = plain.local_addr().unwrap();
        let proxies = Proxies { trusted: vec!["127.0.0.0/8".parse().unwrap()], ..Proxies::default() };
        let (listener, stop) = (announced(plain, proxies).unwrap(), CancellationToken::new());
        // A connection that the kernel has taken is answered before anybody here knows of it.
        let mut waiting = Vec::new();
        for _ in 0..20 {
            waiting.push(TcpStream::connect(address).await.unwrap());
        }
        stop.cancel();
        let router = Router::new().route("/", get(async || "here"));
        let serving = tokio::spawn(serve_to_the_last(listener, router, PATIENCE, PATIENCE, stop));
        for stream in &mut waiting {
            let request = b"PROXY TCP4 192.0.2.7 10.0.0.1 443 8470\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";
            stream.write_all(request).await.unwrap();
        }
        for stream in waiting {
            let said = said(stream).await;
            assert!(said.ends_with("here"), "{said:?}");
        }
        timeout(PATIENCE, serving).await.expect("then all is over").unwrap();
        TcpStream::connect(address).await.expect_err("nobody new is let in");
    }
}
