//! What stands in front of a node: it tells the node of its clients what nginx tells, and answers for it while it is away.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

const HEAD_BYTES_MAX: usize = 64 * 1024;
const AWAY: &[u8] =
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n\
    <h1>502</h1>...";

/// Which `Host` the node hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Host {
    /// That of the client: `proxy_set_header Host $host`.
    Passed,
    /// Its own, as nginx does unless told otherwise; that of the client is in `X-Forwarded-Host`.
    Replaced,
}

/// A reverse proxy at an address that stays.
pub struct Front {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    to: Option<SocketAddr>,
    passing: Vec<AbortHandle>,
}

impl Front {
    pub async fn open(host: Host) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::<Mutex<Inner>>::default();
        let shared = inner.clone();
        tokio::spawn(async move {
            while let Ok((client, peer)) = listener.accept().await {
                let mut inner = shared.lock().unwrap();
                let to = inner.to;
                // Whoever goes away in the middle goes away.
                let pass = tokio::spawn(async move { drop(pass(client, peer, to, host).await) });
                inner.passing.retain(|pass| !pass.is_finished());
                inner.passing.push(pass.abort_handle());
            }
        });
        Self { address, inner }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads to the server of this address from now on, or to none; whoever is inside is cut off.
    pub fn lead(&self, base: Option<&str>) {
        let to = base.map(|base| base.trim_start_matches("http://").parse().unwrap());
        let mut inner = self.inner.lock().unwrap();
        inner.to = to;
        inner.passing.drain(..).for_each(|pass| pass.abort());
    }
}

async fn pass(mut client: TcpStream, peer: SocketAddr, to: Option<SocketAddr>, host: Host) -> std::io::Result<()> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if client.read_buf(&mut read).await? == 0 || read.len() > HEAD_BYTES_MAX {
            return Ok(());
        }
    };
    let upstream = match to {
        Some(to) => TcpStream::connect(to).await.ok(),
        None => None,
    };
    let (Some(mut upstream), Some(to)) = (upstream, to) else { return client.write_all(AWAY).await };
    let head = told(&String::from_utf8_lossy(&read[..end]), peer, to, host);
    upstream.write_all(head.as_bytes()).await?;
    upstream.write_all(&read[end + 4..]).await?;
    copy_bidirectional(&mut client, &mut upstream).await.map(drop)
}

/// The head of a request as nginx passes it on with `proxy_set_header` for each of these; one request a connection.
fn told(head: &str, peer: SocketAddr, to: SocketAddr, host: Host) -> String {
    let mut lines = head.split("\r\n");
    let mut told = vec![lines.next().unwrap_or_default().to_owned()];
    let (mut wanted, mut forwarded, mut upgrade) = (String::new(), String::new(), None);
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.trim();
        match &*name.to_ascii_lowercase() {
            "host" => wanted = value.to_owned(),
            // `$proxy_add_x_forwarded_for`: what was claimed stays, before what was seen.
            "x-forwarded-for" => forwarded += &format!("{value}, "),
            "upgrade" => upgrade = Some(value.to_owned()),
            "connection" | "x-forwarded-proto" | "x-forwarded-host" => {}
            _ => told.push(line.to_owned()),
        }
    }
    match host {
        Host::Passed => told.push(format!("Host: {wanted}")),
        Host::Replaced => told.extend([format!("Host: {to}"), format!("X-Forwarded-Host: {wanted}")]),
    }
    told.push(format!("X-Forwarded-For: {forwarded}{}", peer.ip()));
    told.push("X-Forwarded-Proto: https".to_owned());
    match upgrade {
        Some(upgrade) => told.extend([format!("Upgrade: {upgrade}"), "Connection: upgrade".to_owned()]),
        None => told.push("Connection: close".to_owned()),
    }
    told.join("\r\n") + "\r\n\r\n"
}
