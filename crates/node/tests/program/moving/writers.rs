//! People who write while their site moves, and know what was acknowledged.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use klatch_client::{Gateway, Rest, new_id};
use klatch_protocol::gateway::{ClientFrame, ServerFrame};
use klatch_protocol::objects::{ConversationKind, NewCommand, Slug};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::text;
use crate::world::{Site, begin, eventually};

/// As many people, each in a conversation of their own and in one that all share.
const WRITERS: usize = 6;
/// Between two tries to reach somebody, as a client rests.
const REST: Duration = Duration::from_millis(50);
/// How long a client waits for an answer before it tries another connection.
const ANSWER: Duration = Duration::from_secs(5);
/// What a sender may have to wait while a site moves.
const PAUSE: Duration = Duration::from_secs(5);
/// A promised time is waited for three times as long.
const LENIENCY: u32 = 3;

/// What one writer remembers: ids, in order, with what they were told, and the longest that one took.
#[derive(Default)]
struct Book {
    said: Vec<(Uuid, Uuid, u64)>,
    longest: Duration,
}

/// Those who write.
pub struct Writers {
    shared: Uuid,
    rests: Vec<Rest>,
    books: Vec<Arc<Mutex<Book>>>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Writers {
    pub async fn begin(site: &Site) -> Self {
        let mut people = Vec::new();
        for number in 0..WRITERS {
            people.push(site.user(&format!("writer{number}")).await);
        }
        let ids: Vec<_> = people.iter().map(|(_, user)| user.id).collect();
        let shared = begin(&site.owner, ConversationKind::Group, "all", &ids).await;
        let (stop, mut tasks) = (Arc::<AtomicBool>::default(), JoinSet::new());
        let (mut books, mut rests) = (Vec::new(), Vec::new());
        for (rest, _) in people {
            let own = begin(&rest, ConversationKind::Channel, &format!("own {}", new_id().simple()), &[]).await;
            let book = Arc::<Mutex<Book>>::default();
            books.push(book.clone());
            let token = rest.tokens().await.access;
            tasks.spawn(write(site.base().to_owned(), token, [shared, own], book, stop.clone()));
            rests.push(rest);
        }
        Self { shared, rests, books, stop, tasks }
    }

    /// Waits until each of them has said so much more.
    pub async fn have_said(&self, more: usize) {
        let count = |book: &Arc<Mutex<Book>>| book.lock().unwrap().said.len();
        let goals: Vec<_> = self.books.iter().map(|book| count(book) + more).collect();
        eventually("that everybody goes on writing", async || {
            self.books.iter().zip(&goals).all(|(book, goal)| count(book) >= *goal).then_some(())
        })
        .await;
    }

    /// Lets them finish, and compares what they were told with what is there. The longest that anybody waited.
    pub async fn stop_and_check(mut self, ada: &Rest, base: &str) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(done) = self.tasks.join_next().await {
            done.unwrap();
        }
        ada.me().await.unwrap();
        let (mut acknowledged, mut longest) = (0, Duration::ZERO);
        let mut logs: HashMap<Uuid, HashMap<Uuid, u64>> = HashMap::new();
        for (rest, book) in self.rests.iter().zip(&self.books) {
            let book = std::mem::take(&mut *book.lock().unwrap());
            longest = longest.max(book.longest);
            // With the tokens of before.
            let rest = Rest::new(base, rest.tokens().await).unwrap();
            rest.refresh().await.expect("nobody is signed out");
            let own = book.said.iter().map(|(room, ..)| *room).find(|room| *room != self.shared).unwrap();
            for room in [self.shared, own] {
                let log = match logs.entry(room) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(history(&rest, room).await),
                };
                let said = book.said.iter().filter(|(of, ..)| *of == room);
                let told: Vec<_> = said.clone().map(|(_, _, seq)| Some(*seq)).collect();
                let there: Vec<_> = said.map(|(_, id, _)| log.get(id).copied()).collect();
                assert_eq!(told, there, "what was acknowledged is there, where it was said to be");
                assert!(told.is_sorted(), "in its sender's order");
                acknowledged += told.len();
            }
        }
        println!("{acknowledged} messages were acknowledged, and are there once, in order");
        assert!(longest <= PAUSE * LENIENCY, "a sender waited {longest:?}");
        longest
    }
}

/// The place of each id in a conversation, in which there are no holes and nothing twice.
async fn history(rest: &Rest, room: Uuid) -> HashMap<Uuid, u64> {
    let (mut places, mut last) = (HashMap::new(), 0);
    loop {
        let page = rest.history(room, &format!("after={last}&limit=200")).await.unwrap();
        if page.events.is_empty() {
            assert_eq!(places.len() as u64, last, "nothing is there twice");
            return places;
        }
        for event in page.events {
            last += 1;
            assert_eq!(event.seq, last, "no holes");
            places.insert(event.id, event.seq);
        }
    }
}

/// Says one thing after the other, in turn in both conversations, each until it is acknowledged: again, with the same id.
async fn write(base: String, token: String, rooms: [Uuid; 2], book: Arc<Mutex<Book>>, stop: Arc<AtomicBool>) {
    let mut gateway = None;
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let room = rooms[number % 2];
        let command = text(&format!("number {number}"));
        let new = NewCommand { id: new_id(), command, seen: None, after: None, claimed_at: None };
        let (id, begun) = (new.id, Instant::now());
        let seq = loop {
            match timeout(ANSWER, attempt(&mut gateway, &base, &token, room, new.clone())).await {
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
        let mut book = book.lock().unwrap();
        book.said.push((room, id, seq));
        book.longest = book.longest.max(begun.elapsed());
    }
}

/// The answer to one try, or nothing if the connection ended before.
async fn attempt(
    gateway: &mut Option<Gateway>,
    base: &str,
    token: &str,
    conversation: Uuid,
    new: NewCommand,
) -> Option<ServerFrame> {
    if gateway.is_none() {
        *gateway = Some(Gateway::connect(base, token).await.ok()?.0);
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
