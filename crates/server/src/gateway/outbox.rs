//! What waits to be written to one connection. Bounded: a client that does not read is told to resume, and signals are dropped
//! before events are.

use std::collections::VecDeque;

use bytes::Bytes;
use klatch_protocol::gateway::{CloseCode, ServerFrame};
use parking_lot::Mutex;
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
    frames: VecDeque<Bytes>,
    bytes: usize,
    close: Option<CloseCode>,
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
    /// Puts a frame in. One too many ends the connection as slow.
    pub fn push(&self, frame: Bytes) {
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
        drop(waiting);
        self.ready.notify_one();
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

    /// Whether the connection is to end.
    pub fn is_closed(&self) -> bool {
        self.waiting.lock().close.is_some()
    }

    /// Waits until there may be something.
    pub async fn ready(&self) {
        self.ready.notified().await;
    }

    /// Takes what is to be written next.
    pub fn take(&self) -> Next {
        let mut waiting = self.waiting.lock();
        if let Some(code) = waiting.close {
            return Next::Close(code);
        }
        let Some(first) = waiting.frames.pop_front() else {
            waiting.frames.shrink_to(8);
            return Next::Nothing;
        };
        waiting.bytes -= first.len();
        if waiting.frames.is_empty() || first.len() >= WRITE_BYTES {
            return Next::Bytes(first);
        }
        let mut together = Vec::with_capacity(WRITE_BYTES.min(first.len() + waiting.bytes));
        together.extend_from_slice(&first);
        while let Some(frame) = waiting.frames.pop_front_if(|frame| together.len() + frame.len() <= WRITE_BYTES) {
            waiting.bytes -= frame.len();
            together.extend_from_slice(&frame);
        }
        Next::Bytes(together.into())
    }
}

impl Waiting {
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
}
