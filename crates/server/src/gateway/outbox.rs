//! What waits to be written to one connection. Bounded: a client that does not read is told to resume, and signals are dropped
//! before events are.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use klatch_protocol::gateway::{CloseCode, ServerFrame};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::websocket;

/// Bytes that may wait for one connection.
const BYTES_MAX: usize = 256 * 1024;
/// Frames that may wait, shared ones being cheap in bytes but not free.
const FRAMES_MAX: usize = 4_096;
/// Bytes beyond which signals are dropped.
const SIGNAL_BYTES_MAX: usize = 32 * 1024;
/// Bytes put into one write.
const WRITE_BYTES: usize = 64 * 1024;

/// What waits to be written to one connection.
#[derive(Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    ready: Notify,
}

#[derive(Default)]
struct Waiting {
    /// The connection, as long as whoever delivers may write to it.
    socket: Option<Arc<TcpStream>>,
    /// What is left of bytes that were written in part: to be written before anything else.
    torn: Option<Bytes>,
    frames: VecDeque<Bytes>,
    bytes: usize,
    close: Option<CloseCode>,
    /// Whether the connection's task is writing: it comes back for more until nothing is left.
    is_writing: bool,
}

/// What is to be written next.
pub enum Next {
    /// These bytes: one frame, or several in a row.
    Bytes(Bytes),
    /// The end.
    Close(CloseCode),
    /// Nothing.
    Nothing,
}

/// A frame as it goes over the wire, WebSocket header and all: encoded once, however many receive it.
pub fn encode(frame: &ServerFrame) -> Bytes {
    let json = serde_json::to_vec(frame).expect("a frame has string keys only");
    metrics::counter!("klatch_gateway_encodes_total").increment(1);
    websocket::text(&json)
}

impl Outbox {
    /// Nothing waits yet for this connection.
    pub fn new(socket: Option<Arc<TcpStream>>) -> Self {
        Self { waiting: Mutex::new(Waiting { socket, ..Waiting::default() }), ready: Notify::new() }
    }

    /// Puts a frame in, and wakes the connection's task. One too many ends the connection as slow.
    pub fn push(&self, frame: Bytes) {
        self.put(frame);
        self.ready.notify_one();
    }

    /// The same, for whoever calls [`Outbox::write_now`] afterwards.
    pub fn put(&self, frame: Bytes) {
        let mut waiting = self.waiting.lock();
        if waiting.close.is_some() {
            return;
        }
        if waiting.bytes + frame.len() > BYTES_MAX || waiting.frames.len() >= FRAMES_MAX {
            waiting.end(CloseCode::Slow);
        } else {
            waiting.bytes += frame.len();
            waiting.frames.push_back(frame);
        }
    }

    /// Writes what waits, as far as that takes no waiting: to wake a task for each delivery costs as much as the delivery itself.
    /// The rest is left to the connection's task. Returns how many writes it took.
    pub fn write_now(&self) -> u64 {
        let mut waiting = self.waiting.lock();
        if waiting.is_writing {
            // The task takes what waits before it rests, and must hear at once that it is too much.
            if waiting.close.is_some() {
                self.ready.notify_one();
            }
            return 0;
        }
        let mut writes = 0;
        // Taken out meanwhile: to count who holds it costs more than to move it.
        if let Some(socket) = waiting.socket.take() {
            while waiting.close.is_none()
                && let Some(bytes) = waiting.next()
            {
                writes += 1;
                match socket.try_write(&bytes) {
                    Ok(written) if written == bytes.len() => {}
                    Ok(written) => waiting.torn = Some(bytes.slice(written..)),
                    // Whatever it is, the task meets it as well.
                    Err(_) => waiting.torn = Some(bytes),
                }
                if waiting.torn.is_some() {
                    break;
                }
            }
            waiting.socket = Some(socket);
        }
        if !waiting.is_empty() {
            self.ready.notify_one();
        }
        writes
    }

    /// Puts the answer to a question in, whatever its size: one asks for one page at a time.
    pub fn push_answer(&self, frame: Bytes) {
        let mut waiting = self.waiting.lock();
        if waiting.close.is_none() {
            waiting.bytes += frame.len();
            waiting.frames.push_back(frame);
        }
        drop(waiting);
        self.ready.notify_one();
    }

    /// Puts a signal in, unless too much waits already.
    pub fn push_signal(&self, frame: Bytes) {
        if self.waiting.lock().bytes <= SIGNAL_BYTES_MAX {
            self.push(frame);
        }
    }

    /// Ends the connection, as soon as what is being written is written.
    pub fn close(&self, code: CloseCode) {
        self.waiting.lock().end(code);
        self.ready.notify_one();
    }

    /// The connection's task has ended: nobody else writes from now on, and whoever still knows this outbox does not keep the
    /// connection open. Returns what is left of a frame that was written in part.
    pub fn release(&self) -> Option<Bytes> {
        let mut waiting = self.waiting.lock();
        waiting.socket = None;
        waiting.torn.take()
    }

    /// Whether the connection is to end.
    pub fn is_closed(&self) -> bool {
        self.waiting.lock().close.is_some()
    }

    /// Waits until there may be something.
    pub async fn ready(&self) {
        self.ready.notified().await;
    }

    /// Takes what is to be written next. Nobody else writes until nothing is left.
    pub fn take(&self) -> Next {
        let mut waiting = self.waiting.lock();
        let torn = waiting.torn.is_some();
        if let Some(code) = waiting.close.filter(|_| !torn) {
            return Next::Close(code);
        }
        let next = waiting.next();
        waiting.is_writing = next.is_some();
        next.map_or(Next::Nothing, Next::Bytes)
    }
}

impl Waiting {
    /// What is to be written next: what is left of something, or as many frames as go into one write.
    fn next(&mut self) -> Option<Bytes> {
        if let Some(torn) = self.torn.take() {
            return Some(torn);
        }
        let Some(first) = self.frames.pop_front() else {
            self.frames.shrink_to(8);
            return None;
        };
        self.bytes -= first.len();
        if self.frames.is_empty() || first.len() >= WRITE_BYTES {
            return Some(first);
        }
        let mut together = Vec::with_capacity(WRITE_BYTES.min(first.len() + self.bytes));
        together.extend_from_slice(&first);
        while let Some(frame) = self.frames.pop_front_if(|frame| together.len() + frame.len() <= WRITE_BYTES) {
            self.bytes -= frame.len();
            together.extend_from_slice(&frame);
        }
        Some(together.into())
    }

    fn is_empty(&self) -> bool {
        self.torn.is_none() && self.frames.is_empty() && self.close.is_none()
    }

    /// What waits is let go: the client will ask for it when it resumes.
    fn end(&mut self, code: CloseCode) {
        self.close.get_or_insert(code);
        self.frames = VecDeque::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize) -> Bytes {
        Bytes::from(vec![b'x'; bytes])
    }

    #[test]
    fn what_waits_goes_out_in_order_and_together() {
        let outbox = Outbox::default();
        outbox.push(Bytes::from_static(b"a"));
        outbox.push(Bytes::from_static(b"b"));
        let Next::Bytes(bytes) = outbox.take() else { panic!("two frames wait") };
        assert_eq!(&bytes[..], b"ab");
        assert!(matches!(outbox.take(), Next::Nothing));
    }

    #[test]
    fn a_client_that_does_not_read_is_told_to_resume_and_holds_no_memory() {
        let outbox = Outbox::default();
        for _ in 0..=BYTES_MAX / 1024 {
            outbox.push(frame(1024));
        }
        assert!(matches!(outbox.take(), Next::Close(CloseCode::Slow)));
        assert_eq!(outbox.waiting.lock().bytes, 0);
    }

    #[test]
    fn signals_are_dropped_before_events() {
        let outbox = Outbox::default();
        outbox.push(frame(SIGNAL_BYTES_MAX + 1));
        outbox.push_signal(frame(1));
        assert_eq!(outbox.waiting.lock().frames.len(), 1);
        outbox.push(frame(1));
        assert_eq!(outbox.waiting.lock().frames.len(), 2);
    }

    #[tokio::test]
    async fn who_delivers_writes_what_there_is_room_for_and_the_task_writes_the_rest() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let socket = Arc::new(listener.accept().await.unwrap().0);
        let outbox = Outbox::new(Some(socket.clone()));
        let mut expected = Vec::new();
        let mut put = |outbox: &Outbox| {
            let frame = Bytes::from(vec![expected.len() as u8; 60_000]);
            expected.extend_from_slice(&frame);
            outbox.put(frame);
        };
        while outbox.waiting.lock().torn.is_none() {
            put(&outbox);
            assert_eq!(outbox.write_now(), 1);
        }
        let Next::Bytes(torn) = outbox.take() else { panic!("something is left") };
        put(&outbox);
        assert_eq!(outbox.write_now(), 0, "the task has its turn");
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut client, &mut all).await.unwrap();
            all
        });
        let mut task = crate::gateway::socket::Socket(socket);
        tokio::io::AsyncWriteExt::write_all(&mut task, &torn).await.unwrap();
        while let Next::Bytes(bytes) = outbox.take() {
            tokio::io::AsyncWriteExt::write_all(&mut task, &bytes).await.unwrap();
        }
        put(&outbox);
        assert_eq!(outbox.write_now(), 1, "and then it is anybody's again");
        tokio::io::AsyncWriteExt::shutdown(&mut task).await.unwrap();
        assert!(reading.await.unwrap() == expected);
    }

    #[tokio::test]
    async fn nobody_writes_after_the_end_nor_keeps_the_connection_open() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let outbox = Outbox::new(Some(Arc::new(listener.accept().await.unwrap().0)));
        outbox.put(frame(1));
        assert_eq!(outbox.write_now(), 1);
        assert!(outbox.release().is_none());
        outbox.put(frame(2));
        assert_eq!(outbox.write_now(), 0);
        let mut all = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut client, &mut all).await.unwrap();
        assert_eq!(all.len(), 1, "the outbox is still there, and the connection is closed");
    }

    #[test]
    fn half_a_frame_is_written_to_its_end_before_goodbye_is_said() {
        let outbox = Outbox::default();
        outbox.waiting.lock().torn = Some(frame(1));
        outbox.push(frame(2));
        outbox.close(CloseCode::Stopping);
        assert!(matches!(outbox.take(), Next::Bytes(bytes) if bytes.len() == 1));
        assert!(matches!(outbox.take(), Next::Close(CloseCode::Stopping)));
    }
}
