//! The framing of a WebSocket (RFC 6455), the server's side: no extensions, no buffer while nothing is under way.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, Cursor};
use std::pin::Pin;
use std::task::{Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Bytes read at a time, into a buffer that a thread's connections share.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of a control frame (RFC 6455, section 5.5).
const CONTROL_BYTES_MAX: u64 = 125;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message, whole; whether it is UTF-8 is for the reader to see.
    Text(Vec<u8>),
    /// A ping, to be answered with these bytes.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The client says goodbye, or is gone.
    Close,
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// The client does not speak RFC 6455.
    #[error("{0}")]
    Protocol(&'static str),
    /// A message larger than it may be.
    #[error("a message larger than it may be")]
    TooLarge,
}

/// Reads messages. It can be asked again after it was cancelled.
pub struct Reader {
    message_bytes_max: usize,
    /// What was read and is no whole frame yet.
    partial: Vec<u8>,
    /// The message whose frames have come so far.
    message: Option<Vec<u8>>,
}

impl Reader {
    /// A reader of messages up to this size, of which these bytes were read already.
    pub const fn new(message_bytes_max: usize, partial: Vec<u8>) -> Self {
        Self { message_bytes_max, partial, message: None }
    }

    /// The next message.
    ///
    /// # Errors
    /// [`Broken`].
    pub async fn next<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> Result<Message, Broken> {
        loop {
            if !self.partial.is_empty()
                && let Some(message) = self.parse()?
            {
                return Ok(message);
            }
            if self.read(stream).await? == 0 {
                return Ok(Message::Close);
            }
        }
    }

    async fn read<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<usize> {
        poll_fn(|context| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
                self.partial.extend_from_slice(buffer.filled());
                Poll::Ready(Ok(buffer.filled().len()))
            })
        })
        .await
    }

    /// A message, if what was read holds one to its end.
    fn parse(&mut self) -> Result<Option<Message>, Broken> {
        loop {
            let mut cursor = Cursor::new(&self.partial[..]);
            let header = FrameHeader::parse(&mut cursor).map_err(|_| Broken::Protocol("not a WebSocket frame"))?;
            let Some((header, length)) = header else { return Ok(None) };
            self.check(&header, length)?;
            let start = cursor.position() as usize;
            let end = start + length as usize;
            if self.partial.len() < end {
                return Ok(None);
            }
            let mut payload = self.partial[start..end].to_vec();
            unmask(&mut payload, header.mask.unwrap_or_default());
            self.partial.drain(..end);
            if self.partial.is_empty() {
                self.partial = Vec::new();
            }
            if let Some(message) = self.take(&header, payload)? {
                return Ok(Some(message));
            }
        }
    }

    fn check(&self, header: &FrameHeader, length: u64) -> Result<(), Broken> {
        if header.mask.is_none() {
            return Err(Broken::Protocol("a frame from a client must be masked"));
        }
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Broken::Protocol("no extension was agreed on"));
        }
        if matches!(header.opcode, OpCode::Control(_)) && (length > CONTROL_BYTES_MAX || !header.is_final) {
            return Err(Broken::Protocol("a control frame must be short and whole"));
        }
        let so_far = self.message.as_ref().map_or(0, Vec::len) as u64;
        if so_far.saturating_add(length) > self.message_bytes_max as u64 { Err(Broken::TooLarge) } else { Ok(()) }
    }

    fn take(&mut self, header: &FrameHeader, payload: Vec<u8>) -> Result<Option<Message>, Broken> {
        let message = match (header.opcode, self.message.take()) {
            (OpCode::Control(control), message) => {
                self.message = message;
                return Ok(Some(match control {
                    Control::Ping => Message::Ping(payload),
                    Control::Pong => Message::Pong,
                    Control::Close => Message::Close,
                    Control::Reserved(_) => return Err(Broken::Protocol("an unknown control frame")),
                }));
            }
            (OpCode::Data(Data::Text), None) => payload,
            (OpCode::Data(Data::Continue), Some(mut message)) => {
                message.extend_from_slice(&payload);
                message
            }
            (OpCode::Data(Data::Binary), None) => return Err(Broken::Protocol("frames are JSON text, not binary")),
            (OpCode::Data(_), _) => return Err(Broken::Protocol("frames of two messages are mixed")),
        };
        if header.is_final {
            return Ok(Some(Message::Text(message)));
        }
        self.message = Some(message);
        Ok(None)
    }
}

/// A text message as one frame.
pub fn text(payload: &[u8]) -> Bytes {
    frame(OpCode::Data(Data::Text), payload)
}

/// A ping.
pub fn ping() -> Bytes {
    frame(OpCode::Control(Control::Ping), b"")
}

/// The answer to a ping.
pub fn pong(payload: &[u8]) -> Bytes {
    frame(OpCode::Control(Control::Pong), payload)
}

/// The end, with a code and a reason.
pub fn close(code: u16, reason: &str) -> Bytes {
    frame(OpCode::Control(Control::Close), &[&code.to_be_bytes()[..], reason.as_bytes()].concat())
}

fn frame(opcode: OpCode, payload: &[u8]) -> Bytes {
    let header = FrameHeader { is_final: true, opcode, ..FrameHeader::default() };
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    header.format(payload.len() as u64, &mut bytes).expect("a vector takes what is written to it");
    bytes.extend_from_slice(payload);
    bytes.into()
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut bytes = vec![first, 0x80 | payload.len() as u8];
        bytes.extend_from_slice(&mask);
        let mut payload = payload.to_vec();
        unmask(&mut payload, mask);
        bytes.extend_from_slice(&payload);
        bytes
    }

    async fn read(bytes: &[u8]) -> Vec<Result<Message, String>> {
        let mut reader = Reader::new(16, Vec::new());
        let mut stream = bytes;
        let mut all = Vec::new();
        loop {
            let message = reader.next(&mut stream).await.map_err(|error| error.to_string());
            let end = matches!(message, Ok(Message::Close) | Err(_));
            all.push(message);
            if end {
                return all;
            }
        }
    }

    #[tokio::test]
    async fn fragments_are_put_together_around_a_ping() {
        let bytes = [masked(0x01, b"he"), masked(0x89, b"p"), masked(0x80, b"llo")].concat();
        let text = Message::Text(b"hello".to_vec());
        assert_eq!(read(&bytes).await, [Ok(Message::Ping(b"p".to_vec())), Ok(text), Ok(Message::Close)]);
    }

    #[tokio::test]
    async fn what_is_not_the_protocol_is_refused() {
        for bad in [
            vec![0x81, 0x01, b'x'],
            masked(0xc1, b"x"),
            masked(0x82, b"x"),
            masked(0x80, b"x"),
            masked(0x09, b"x"),
            masked(0x81, &[b'x'; 17]),
            [masked(0x01, b"x"), masked(0x81, b"x")].concat(),
            [masked(0x01, &[b'x'; 10]), masked(0x80, &[b'x'; 10])].concat(),
        ] {
            assert!(read(&bad).await.pop().is_some_and(|last| last.is_err()), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn an_idle_reader_owns_nothing() {
        let mut reader = Reader::new(16, Vec::new());
        reader.next(&mut &masked(0x81, b"x")[..]).await.expect("a message");
        assert_eq!(reader.partial.capacity(), 0);
    }
}
