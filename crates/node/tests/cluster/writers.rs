//! People who write one thing after the other, each until it is acknowledged, and remember what they were told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use klatch_client::{Gateway, Rest, new_id};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{Body, CommandBody, NewCommand, Slug};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::people::REST;

/// How long a client waits for an answer before it tries another connection.
const ANSWER: Duration = Duration::from_secs(10);

/// What one writer remembers.
pub struct Book {
    /// Where they write.
    pub conversation: Uuid,
    /// Whom they mention, where they do everything that one can do to a message.
    mentions: Option<Uuid>,
    said: Mutex<Vec<Said>>,
}

struct Said {
    id: Uuid,
    at: Instant,
    committed: Option<u64>,
}

impl Book {
    /// Of somebody who said nothing yet, and will only say something new.
    pub fn new(conversation: Uuid) -> Arc<Self> {
        Arc::new(Self { conversation, mentions: None, said: Mutex::default() })
    }

    /// Of somebody who also mentions this one, and changes, deletes and reacts to what they said: so that every projection has
    /// something to hold.
    pub fn of_everything(conversation: Uuid, mentions: Uuid) -> Arc<Self> {
        Arc::new(Self { conversation, mentions: Some(mentions), said: Mutex::default() })
    }

    /// The place of the first message that they began to say since, and were told of.
    pub fn first_since(&self, moment: Instant) -> Option<u64> {
        self.said.lock().unwrap().iter().filter(|said| said.at >= moment).find_map(|said| said.committed)
    }

    /// How many messages were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.said.lock().unwrap().iter().filter(|said| said.committed.is_some()).count()
    }

    /// What they said, and which place they were told.
    pub fn told(&self) -> Vec<(Uuid, Option<u64>)> {
        self.said.lock().unwrap().iter().map(|said| (said.id, said.committed)).collect()
    }
}

/// Says one thing after the other, each until it is acknowledged, as a good client does: again, with the same id.
pub async fn write(rest: Arc<Rest>, book: Arc<Book>, stop: CancellationToken) {
    let mut gateway = None;
    let mut last = None;
    for number in 0.. {
        if stop.is_cancelled() {
            return;
        }
        let command = next(number, book.mentions, last);
        let is_message = matches!(command, CommandBody::Send { .. });
        let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
        let id = new.id;
        last = if is_message { Some(id) } else { last };
        book.said.lock().unwrap().push(Said { id, at: Instant::now(), committed: None });
        let seq = loop {
            match timeout(ANSWER, attempt(&mut gateway, &rest, book.conversation, new.clone())).await {
                Ok(Some(ServerFrame::Committed { seq, .. })) => break seq,
                Ok(Some(ServerFrame::Rejected { problem, .. })) => {
                    let may_come_again = matches!(problem.slug(), Some(Slug::Unavailable | Slug::RateLimited));
                    assert!(may_come_again, "a message that nothing is wrong with: {problem:?}");
                    sleep(problem.retry_after_ms.map_or(REST, Duration::from_millis)).await;
                }
                _ => {
                    gateway = None;
                    sleep(REST).await;
                }
            }
        };
        book.said.lock().unwrap().last_mut().unwrap().committed = Some(seq);
    }
}

/// What they say next, after this message of theirs.
fn next(number: usize, mentions: Option<Uuid>, last: Option<Uuid>) -> CommandBody {
    let body = Body::Text { text: format!("number {number}"), emote: false };
    let emoji = "🍵".to_owned();
    match (mentions, last, number % 8) {
        (Some(_), Some(target), 2 | 5) => CommandBody::React { target, emoji },
        (Some(_), Some(target), 3) => CommandBody::Edit { target, body, mentions: Vec::new() },
        (Some(_), Some(target), 6) => CommandBody::Unreact { target, emoji },
        (Some(_), Some(target), 7) => CommandBody::Delete { target },
        (mentions, ..) => {
            let mentions = mentions.into_iter().collect();
            CommandBody::Send { body, mentions, replies: Vec::new(), thread: None }
        }
    }
}

/// The answer to one try, or nothing if the connection ended before.
async fn attempt(
    gateway: &mut Option<Gateway>,
    rest: &Rest,
    conversation: Uuid,
    new: NewCommand,
) -> Option<ServerFrame> {
    if gateway.is_none() {
        let tokens = rest.tokens().await;
        let Ok((connected, _)) = Gateway::connect(rest.base(), &tokens.access).await else {
            // It may be that the token is too old: then this gets another.
            let _ = rest.me().await;
            return None;
        };
        *gateway = Some(connected);
    }
    let gateway = gateway.as_mut()?;
    let wanted = new.id;
    gateway.send(&ClientFrame::Command { conversation, new }).await.ok()?;
    loop {
        match gateway.next().await.ok()?.ok()? {
            answer @ (ServerFrame::Committed { id, .. } | ServerFrame::Rejected { id, .. }) if id == wanted => {
                return Some(answer);
            }
            _ => {}
        }
    }
}
