//! What a connection does with each frame: one file per kind.

mod command;
mod confirm;
mod cursor;
mod hello;
mod open;
mod presence;
mod sync;
mod typing;

use std::sync::Arc;

use klatch_core::ids::Timestamp;
use klatch_ports::presence::State;
use klatch_protocol::gateway::{ClientFrame, CloseCode, ServerFrame};
use klatch_protocol::objects::{Problem, Slug};
use serde::Deserialize;

use super::Gateway;
use super::connection::{Connection, now};
use super::outbox::encode;

pub use confirm::tell;
pub use hello::hello;
pub use presence::present;

/// Refused frames in a row after which a connection is ended.
const REFUSED_MAX: u32 = 500;

/// Whether the connection goes on.
pub enum Flow {
    /// It does.
    GoOn,
    /// It ends, with a code if the client is to be told one.
    End(Option<CloseCode>),
}

/// What a connection remembers between frames.
pub struct SessionState {
    /// What the device said of itself.
    pub presence: State,
    bucket: Bucket,
    refused: u32,
}

/// A token bucket of one connection, in thousandths of a frame.
struct Bucket {
    filled: u64,
    at: Timestamp,
}

impl SessionState {
    /// A connection that just said hello.
    pub fn new(now: Timestamp) -> Self {
        Self { presence: State::Online, bucket: Bucket { filled: u64::MAX, at: now }, refused: 0 }
    }

    /// Takes one frame from the bucket; the milliseconds to wait, if it is empty.
    fn take(&mut self, gateway: &Gateway) -> Result<(), u64> {
        let rate = gateway.options.frames;
        let now = now(gateway);
        let grown = now.ms_since(self.bucket.at) * u64::from(rate.per_minute) / 60;
        let filled = self.bucket.filled.saturating_add(grown).min(u64::from(rate.burst) * 1_000);
        self.bucket.at = now;
        if filled < 1_000 {
            self.bucket.filled = filled;
            return Err((1_000 - filled) * 60 / u64::from(rate.per_minute.max(1)) + 1);
        }
        self.bucket.filled = filled - 1_000;
        Ok(())
    }
}

/// Does what a frame says.
pub async fn take(
    gateway: &Arc<Gateway>,
    connection: &Arc<Connection>,
    state: &mut SessionState,
    text: Vec<u8>,
) -> Flow {
    let frame = match serde_json::from_slice::<ClientFrame>(&text) {
        Ok(frame) => frame,
        Err(error) => return refuse(connection, state, &text, unreadable(&text, &error)),
    };
    if let Err(ms) = state.take(gateway) {
        let problem = Problem::new(Slug::RateLimited).detail(format!("Wait {ms} ms.")).retry_after_ms(ms);
        return match frame {
            ClientFrame::Command { conversation, new } => {
                command::reject(connection, conversation, new.id, problem.clone());
                count(state)
            }
            _ => refuse(connection, state, &text, problem),
        };
    }
    state.refused = 0;
    let done = match frame {
        ClientFrame::Hello { .. } => Err(Problem::new(Slug::SecondHello)),
        ClientFrame::Sync { have, after } => sync::sync(gateway, connection, have, after).await,
        ClientFrame::Command { conversation, new } => {
            command::command(gateway, connection, conversation, new).await;
            Ok(())
        }
        ClientFrame::Confirm { commands } => confirm::confirm(gateway, connection, commands).await,
        ClientFrame::Cursor { conversation, read, delivered } => {
            cursor::cursor(gateway, connection, conversation, read, delivered).await
        }
        ClientFrame::Typing { conversation, on } => typing::typing(gateway, connection, conversation, on).await,
        ClientFrame::Presence { state: device } => {
            state.presence = presence::state(device);
            present(gateway, connection, Some(state.presence)).await;
            Ok(())
        }
        ClientFrame::Watch { users } => open::watch(gateway, connection, users).await,
        ClientFrame::Open { conversations } => open::open(gateway, connection, conversations),
        ClientFrame::Ping => {
            connection.outbox.push(encode(&ServerFrame::Pong));
            Ok(())
        }
    };
    match done {
        Ok(()) => Flow::GoOn,
        Err(problem) => refuse(connection, state, &text, problem),
    }
}

fn refuse(connection: &Connection, state: &mut SessionState, text: &[u8], problem: Problem) -> Flow {
    connection.outbox.push(encode(&ServerFrame::Error { problem, of: type_of(text) }));
    count(state)
}

fn count(state: &mut SessionState) -> Flow {
    state.refused += 1;
    if state.refused > REFUSED_MAX { Flow::End(Some(CloseCode::Abuse)) } else { Flow::GoOn }
}

/// What is wrong with a frame that is not one.
fn unreadable(text: &[u8], error: &serde_json::Error) -> Problem {
    const KNOWN: [&str; 10] =
        ["hello", "sync", "command", "confirm", "cursor", "typing", "presence", "watch", "open", "ping"];
    match type_of(text) {
        Some(name) if !KNOWN.contains(&name.as_str()) => {
            Problem::new(Slug::UnknownFrame).detail(format!("Known are {}.", KNOWN.join(", ")))
        }
        _ => Problem::new(Slug::InvalidRequest).detail(format!("The frame is not as documented: {error}.")),
    }
}

/// The type of what may be no frame, if it has one.
fn type_of(text: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Typed {
        r#type: String,
    }
    serde_json::from_slice::<Typed>(text).ok().map(|typed| typed.r#type)
}
