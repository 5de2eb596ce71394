//! People who write as fast as they can, and remember every word that they were told is saved.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use klatch_client::{Gateway, new_id};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{CommandBody, NewCommand, Slug};
use klatch_testkit::{PATIENCE, eventually, text};
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

/// People who write at the same time.
pub const SENDERS: usize = 4;
/// Commands that each of them has in flight: so many that enough are left where hundreds are answered at once.
pub const IN_FLIGHT: usize = 256;
/// Commands that are in flight when a node is told to die, and most often when it does.
pub const IN_FLIGHT_MIN: usize = 200;
/// Who is told so often that the disk has failed writes no more.
const FAILURES: usize = 100;

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
    /// When it was sent.
    pub at: Instant,
    /// Whether they were told anything.
    pub is_answered: bool,
}

/// Everything that was sent in a round, by id.
pub type Book = HashMap<Uuid, Sent>;

/// How far they are.
#[derive(Default)]
struct Progress {
    committed: AtomicUsize,
    in_flight: AtomicUsize,
}

/// People who write, until their node dies or says that its disk has failed.
pub struct Writing {
    senders: JoinHandle<Book>,
    progress: Arc<Progress>,
}

impl Writing {
    /// Lets them begin, with messages of at least so many bytes.
    pub fn begin(base: &str, token: &str, conversations: &[Uuid], bytes: usize) -> Self {
        let progress = Arc::<Progress>::default();
        let mut senders = JoinSet::new();
        for number in 0..SENDERS {
            let (base, token, progress) = (base.to_owned(), token.to_owned(), progress.clone());
            let sender = Sender::new(number, conversations.to_vec(), bytes, progress);
            senders.spawn(async move { sender.send(&base, &token).await });
        }
        let senders = tokio::spawn(async move { senders.join_all().await.into_iter().flatten().collect() });
        Self { senders, progress }
    }

    /// Waits until so many were told that their words are saved, and enough wait to hear it.
    pub async fn until(&self, committed: usize) {
        let progress = &self.progress;
        eventually("people write", async || {
            let enough = progress.committed.load(Ordering::Relaxed) >= committed
                && progress.in_flight.load(Ordering::Relaxed) >= IN_FLIGHT_MIN;
            enough.then_some(())
        })
        .await;
    }

    /// What they remember when they are done.
    pub async fn done(self) -> Book {
        let done = tokio::time::timeout(PATIENCE, self.senders).await;
        done.expect("their node dies, or says that it takes no writes").expect("people who write")
    }
}

struct Sender {
    number: usize,
    conversations: Vec<Uuid>,
    bytes: usize,
    progress: Arc<Progress>,
    book: Book,
    unanswered: usize,
    failures: usize,
}

impl Sender {
    fn new(number: usize, conversations: Vec<Uuid>, bytes: usize, progress: Arc<Progress>) -> Self {
        Self { number, conversations, bytes, progress, book: Book::new(), unanswered: 0, failures: 0 }
    }

    async fn send(mut self, base: &str, token: &str) -> Book {
        let Ok((mut gateway, _)) = Gateway::connect(base, token).await else { return self.book };
        let mut numbers = vec![0; self.conversations.len()];
        let mut last: Vec<Option<Uuid>> = vec![None; self.conversations.len()];
        for turn in 0.. {
            let at = turn % self.conversations.len();
            let (number, conversation) = (numbers[at], self.conversations[at]);
            numbers[at] += 1;
            let command = command(self.number, number, self.bytes, last[at]);
            let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
            if matches!(new.command, CommandBody::Send { .. }) {
                last[at] = Some(new.id);
            }
            let (id, sender, committed) = (new.id, self.number, None);
            let at = Instant::now();
            let sent = Sent { sender, number, conversation, new: new.clone(), committed, at, is_answered: false };
            self.book.insert(id, sent);
            if gateway.send(&ClientFrame::Command { conversation, new }).await.is_err() {
                break;
            }
            self.book.get_mut(&id).expect("it was just put there").at = Instant::now();
            self.unanswered += 1;
            self.progress.in_flight.fetch_add(1, Ordering::Relaxed);
            while self.unanswered >= IN_FLIGHT {
                let Ok(Ok(frame)) = gateway.next().await else { return self.book };
                self.hear(frame);
            }
            if self.failures >= FAILURES {
                break;
            }
        }
        // What is on its way still counts.
        while self.unanswered > 0
            && let Ok(Ok(frame)) = gateway.next().await
        {
            self.hear(frame);
        }
        self.book
    }

    fn hear(&mut self, frame: ServerFrame) {
        let (id, committed) = match frame {
            ServerFrame::Committed { id, seq, .. } => (id, Some(seq)),
            ServerFrame::Rejected { id, problem, .. } => {
                self.failures += usize::from(problem.slug() == Some(Slug::StorageFailed));
                (id, None)
            }
            _ => return,
        };
        let sent = self.book.get_mut(&id).expect("it was sent");
        (sent.committed, sent.is_answered) = (committed, true);
        self.unanswered -= 1;
        self.progress.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.progress.committed.fetch_add(usize::from(committed.is_some()), Ordering::Relaxed);
    }
}

/// Mostly messages; now and then something about the last one.
fn command(sender: usize, number: usize, bytes: usize, last: Option<Uuid>) -> CommandBody {
    let said = text(&words(sender, number, bytes));
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
fn words(sender: usize, number: usize, bytes: usize) -> String {
    format!("{:.<bytes$}", format!("sender {sender} says number {number} of many things"))
}
