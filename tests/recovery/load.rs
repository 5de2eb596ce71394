//! People who write as fast as they can, and remember every word that they were told is saved.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use klatch_client::{Gateway, new_id};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{CommandBody, NewCommand};
use klatch_testkit::text;
use tokio::task::JoinSet;
use uuid::Uuid;

/// People who write at the same time.
pub const SENDERS: usize = 4;
/// Commands that each of them has in flight.
const IN_FLIGHT: usize = 64;

/// A command that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// By whom.
    pub sender: usize,
    /// Which of theirs in this conversation.
    pub number: usize,
    /// Where.
    pub conversation: Uuid,
    /// The frame, to be sent again.
    pub new: NewCommand,
    /// What they were told.
    pub committed: Option<u64>,
}

/// Everything that was sent in a round, by id.
pub type Book = HashMap<Uuid, Sent>;

/// Lets everybody write until the node dies; `acknowledged` counts.
pub async fn write(base: String, token: String, conversations: Vec<Uuid>, acknowledged: Arc<AtomicUsize>) -> Book {
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let (base, token) = (base.clone(), token.clone());
        let (conversations, acknowledged) = (conversations.clone(), acknowledged.clone());
        senders.spawn(async move { send(&base, &token, sender, &conversations, &acknowledged).await });
    }
    let mut book = Book::new();
    while let Some(sent) = senders.join_next().await {
        book.extend(sent.expect("a sender that ends"));
    }
    book
}

async fn send(base: &str, token: &str, sender: usize, conversations: &[Uuid], acknowledged: &AtomicUsize) -> Book {
    let mut book = Book::new();
    let Ok((mut gateway, _)) = Gateway::connect(base, token).await else { return book };
    let mut numbers = vec![0; conversations.len()];
    let mut last: Vec<Option<Uuid>> = vec![None; conversations.len()];
    let mut unanswered = 0;
    for turn in 0.. {
        let at = turn % conversations.len();
        let (number, conversation) = (numbers[at], conversations[at]);
        numbers[at] += 1;
        let command = command(sender, number, last[at]);
        let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
        if matches!(new.command, CommandBody::Send { .. }) {
            last[at] = Some(new.id);
        }
        book.insert(new.id, Sent { sender, number, conversation, new: new.clone(), committed: None });
        if gateway.send(&ClientFrame::Command { conversation, new }).await.is_err() {
            return book;
        }
        unanswered += 1;
        while unanswered >= IN_FLIGHT {
            match gateway.next().await {
                Ok(Ok(ServerFrame::Committed { id, seq, .. })) => {
                    book.get_mut(&id).expect("it was sent").committed = Some(seq);
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                    unanswered -= 1;
                }
                Ok(Ok(ServerFrame::Rejected { .. })) => unanswered -= 1,
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return book,
            }
        }
    }
    book
}

/// Mostly messages; now and then something about the last one.
fn command(sender: usize, number: usize, last: Option<Uuid>) -> CommandBody {
    let said = text(&words(sender, number));
    match (number % 8, last) {
        (3, Some(target)) => CommandBody::React { target, emoji: "👍".to_owned() },
        (5, Some(target)) => {
            let CommandBody::Send { body, mentions, .. } = said else { return said };
            CommandBody::Edit { target, body, mentions }
        }
        (7, Some(target)) if number % 16 == 7 => CommandBody::Delete { target },
        _ => said,
    }
}

/// What somebody says: nobody else says it, so that it can be looked for.
pub fn words(sender: usize, number: usize) -> String {
    format!("sender {sender} says number {number} of many things")
}
