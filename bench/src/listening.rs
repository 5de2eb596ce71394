//! Listening without understanding: the same reader for a Klatch and for a bare server, so that neither is charged for how long
//! its listeners take.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Notify;

const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
/// A pong without payload, masked with zeros.
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];

/// A WebSocket frame that brings one message of 150 bytes.
pub fn frame() -> Vec<u8> {
    let text = format!(r#"{{"type":"events","events":[{{"seq":1,"body":"{:x<370}"}}]}}"#, "");
    let length = u16::try_from(text.len()).expect("a short text");
    [&[TEXT, 126][..], &length.to_be_bytes(), text.as_bytes()].concat()
}

/// How many events came.
#[derive(Default)]
pub struct Heard {
    count: AtomicUsize,
    more: Notify,
}

impl Heard {
    /// Waits until so many came.
    pub async fn wait(&self, wanted: usize) {
        while self.count.load(Ordering::Relaxed) < wanted {
            // One wake-up stands for all that came since the last; the next look is never far.
            self.more.notified().await;
        }
    }
}

/// Counts the events of an open WebSocket, and answers pings, until the connection ends.
pub async fn listen(stream: impl AsyncRead + AsyncWrite + Unpin, heard: impl AsRef<Heard>) {
    let (mut stream, mut payload) = (BufReader::new(stream), Vec::new());
    while let Ok(kind) = next(&mut stream, &mut payload).await {
        if kind == TEXT && payload.starts_with(br#"{"type":"events""#) {
            let events = String::from_utf8_lossy(&payload).matches(r#""seq":"#).count();
            heard.as_ref().count.fetch_add(events, Ordering::Relaxed);
            heard.as_ref().more.notify_one();
        } else if kind == PING && stream.get_mut().write_all(&PONG).await.is_err() {
            return;
        }
    }
}

/// Reads a frame as servers send them, unmasked and whole, and returns its first byte.
async fn next(stream: &mut (impl AsyncRead + Unpin), payload: &mut Vec<u8>) -> std::io::Result<u8> {
    let (kind, short) = (stream.read_u8().await?, stream.read_u8().await?);
    let length = match short {
        127 => stream.read_u64().await?,
        126 => stream.read_u16().await?.into(),
        short => short.into(),
    };
    payload.clear();
    stream.take(length).read_to_end(payload).await?;
    Ok(kind)
}
