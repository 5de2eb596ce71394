//! The PROXY protocol, versions 1 and 2: a proxy begins each connection with whom it speaks for. Where it is configured, it must; from
//! anybody else such a header is no HTTP, and is refused as that.
//!
//! What it looks like is the crate's matter (`proxy-header`: one answer for both versions, and no dependencies of its own); whom it
//! is taken from, within which time, and how much of it, is decided here.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use klatch_server::api::address::Proxies;
use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::listener::{Entrance, Prepared};

/// A proxy says it at once; one that does not is none.
const HEADER_WITHIN: Duration = Duration::from_secs(5);
/// LIMIT: bytes of a header of version 1, its end included.
const TEXT_BYTES_MAX: usize = 107;
/// LIMIT: bytes of a header of version 2: addresses, and what else a proxy likes to tell.
const BINARY_BYTES_MAX: usize = 4_096;
/// What every header of version 2 begins with: a signature, the command, the family, and the length of the rest.
const BINARY_START_BYTES: usize = 16;
/// No header of either version is shorter than this.
const START_BYTES: usize = 12;
const SIGNATURE: [u8; START_BYTES] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Connections of which those from trusted proxies begin with such a header. Their address is the one that it names.
///
/// # Errors
/// The socket is gone.
pub fn announced<L>(listener: L, proxies: Proxies) -> io::Result<Prepared<TcpStream>>
where
    L: Entrance<Io = TcpStream>,
{
    Prepared::start(listener, HEADER_WITHIN, move |mut stream: TcpStream, peer| {
        let is_proxy = proxies.trusts(peer.ip());
        async move {
            let client = if is_proxy { read(&mut stream).await? } else { peer };
            Ok((stream, client))
        }
    })
}

/// Reads a header, and nothing of what follows. Whom it does not name is nobody: an address that no one has.
async fn read(stream: &mut TcpStream) -> io::Result<SocketAddr> {
    let mut header = vec![0; START_BYTES];
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE {
        header.resize(BINARY_START_BYTES, 0);
        stream.read_exact(&mut header[START_BYTES..]).await?;
        let bytes = BINARY_START_BYTES + usize::from(u16::from_be_bytes([header[14], header[15]]));
        if bytes > BINARY_BYTES_MAX {
            return Err(refused("the header is too long"));
        }
        header.resize(bytes, 0);
        stream.read_exact(&mut header[BINARY_START_BYTES..]).await?;
    } else {
        // What follows the end of the line is the request's: so no more is taken than is known to be the header's.
        while !header.ends_with(b"\r\n") {
            if header.len() >= TEXT_BYTES_MAX || !header.starts_with(b"PROXY ") {
                return Err(refused("there is no header"));
            }
            header.push(stream.read_u8().await?);
        }
    }
    let (read, _) = ProxyHeader::parse(&header, ParseConfig::default()).map_err(|error| refused(&error.to_string()))?;
    Ok(read.proxied_address().map_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), |named| named.source))
}

fn refused(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("no PROXY protocol: {why}"))
}

#[cfg(test)]
mod tests {
    use axum::serve::Listener;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::listener::Plain;

    /// What is made of a connection that begins with these bytes: from where it comes, and what is left of them.
    async fn made_of(bytes: &[u8], trusted: &str) -> Option<(String, Vec<u8>)> {
        let listener = Plain(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let proxies = Proxies { trusted: vec![trusted.parse().unwrap()], ..Proxies::default() };
        let mut announced = announced(listener, proxies).unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let mut nothing = Vec::new();
        tokio::select! {
            (mut stream, from) = announced.accept() => {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.unwrap();
                Some((from.ip().to_string(), rest))
            }
            _ = client.read_to_end(&mut nothing) => None,
        }
    }

    async fn of_a_proxy(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
        made_of(bytes, "127.0.0.0/8").await
    }

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE, &[command, family][..], &length, rest, b"GET /"].concat()
    }

    const FOUR: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 1, 187, 2, 3];

    fn told(address: &str) -> Option<(String, Vec<u8>)> {
        Some((address.to_owned(), b"GET /".to_vec()))
    }

    #[tokio::test]
    async fn a_header_says_who_it_is_and_the_request_follows() {
        assert_eq!(of_a_proxy(b"PROXY TCP4 192.0.2.7 10.0.0.1 443 8470\r\nGET /").await, told("192.0.2.7"));
        assert_eq!(of_a_proxy(b"PROXY TCP6 2001:db8::7 2001:db8::1 443 8470\r\nGET /").await, told("2001:db8::7"));
        assert_eq!(of_a_proxy(&binary(0x21, 0x11, &FOUR)).await, told("192.0.2.7"));
        let more = [&FOUR[..], &[4, 0, 3, 0, 0, 0]].concat();
        assert_eq!(of_a_proxy(&binary(0x21, 0x11, &more)).await, told("192.0.2.7"));
    }

    #[tokio::test]
    async fn whoever_is_not_named_is_nobody() {
        assert_eq!(of_a_proxy(b"PROXY UNKNOWN\r\nGET /").await, told("0.0.0.0"));
        assert_eq!(of_a_proxy(&binary(0x20, 0, &[])).await, told("0.0.0.0"));
        assert_eq!(of_a_proxy(&binary(0x20, 0x11, &FOUR)).await, told("0.0.0.0"));
    }

    #[tokio::test]
    async fn a_proxy_that_does_not_say_is_sent_away() {
        let endless = [&b"PROXY TCP4 "[..], &[b'1'; 4_096]].concat();
        let long = binary(0x21, 0x11, &[0; BINARY_BYTES_MAX]);
        let short = binary(0x21, 0x11, &FOUR[..3]);
        let other = binary(0x31, 0x11, &FOUR);
        let requests: [&[u8]; 9] = [
            b"",
            b"PROXY",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"PROXY TCP4 nobody 10.0.0.1 443 8470\r\nGET /",
            b"PROXY TCP4 192.0.2.7 10.0.0.1 443\r\nGET /",
            &endless,
            &long,
            &short,
            &other,
        ];
        for bytes in requests {
            assert_eq!(of_a_proxy(bytes).await, None, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[tokio::test]
    async fn of_anybody_else_nothing_is_read() {
        let header = b"PROXY TCP4 192.0.2.7 10.0.0.1 443 8470\r\nGET /";
        assert_eq!(made_of(header, "10.0.0.0/8").await, Some(("127.0.0.1".to_owned(), header.to_vec())));
    }

    #[tokio::test]
    async fn one_that_says_nothing_is_not_waited_for() {
        let listener = Plain(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let proxies = Proxies { trusted: vec!["127.0.0.0/8".parse().unwrap()], ..Proxies::default() };
        let mut announced = announced(listener, proxies).unwrap();
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut other = TcpStream::connect(address).await.unwrap();
        other.write_all(b"PROXY UNKNOWN\r\n").await.unwrap();
        // It holds nobody up, and is let go of.
        announced.accept().await;
        let end = tokio::time::timeout(3 * HEADER_WITHIN, silent.read_u8()).await.expect("it is closed");
        assert!(end.is_err());
    }
}
