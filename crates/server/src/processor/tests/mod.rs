//! What a durable queue asks of a processor, on engines in memory that fail when they are told to.

mod handing_in;
mod partitions;
mod poison;
mod refusals;
mod replaying;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::conversation::{Command, CommandKind, Founding, History, Kind};
use klatch_core::ids::{CommandId, ConversationId, Seq, Timestamp, UserId, Uuid, WorkspaceId};
use klatch_ports::commands::{Commands, Consumer, Dead, memory};
use klatch_ports::event_log::{Append, EventLog, MemoryEventLog, Record, Snapshot};
use klatch_ports::feed::{Feed, Follower, MemoryFeed};
use klatch_ports::{Error, directory, keys, live, mailboxes, overlay, owners, presence, views};
use klatch_protocol::log::Outcome;
use tokio_util::sync::CancellationToken;

use super::partition;
use crate::conversations::Conversations;
use crate::environment::{Clock, Entropy};
use crate::heads;
use crate::partitioning::Partitioning;
use crate::services::Services;

const TEA: ConversationId = ConversationId::from_bytes([1; 16]);
const ADA: UserId = UserId::from_bytes([2; 16]);
/// Messages that the queue takes.
const WAITING: u8 = 10;
const PATIENCE: Duration = Duration::from_secs(30);

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(1)
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// A queue that says of itself that it is durable.
struct Durable(memory::Memory);

#[async_trait]
impl Commands for Durable {
    fn partitions(&self) -> usize {
        self.0.partitions()
    }

    async fn grow(&self, partitions: usize) -> Result<(), Error> {
        self.0.grow(partitions).await
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn submit(&self, partition: usize, payload: Bytes) -> Result<(), Error> {
        self.0.submit(partition, payload).await
    }

    async fn consume(&self, partition: usize) -> Result<Box<dyn Consumer>, Error> {
        self.0.consume(partition).await
    }

    async fn bury(&self, letters: Vec<Bytes>) -> Result<(), Error> {
        self.0.bury(letters).await
    }

    async fn dead(&self) -> Result<Box<dyn Dead>, Error> {
        self.0.dead().await
    }
}

/// How often it is still away when it is asked.
#[derive(Default)]
struct Away(AtomicUsize);

impl Away {
    fn check(&self) -> Result<(), Error> {
        let was = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |times| times.checked_sub(1));
        was.map_or(Ok(()), |_| Err(Error::unavailable("it is away")))
    }
}

#[derive(Default)]
struct Log(MemoryEventLog, Away);

#[async_trait]
impl EventLog for Log {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        match self.1.check() {
            Ok(()) => self.0.append(batch).await,
            Err(_) => batch.iter().map(|_| Err(Error::unavailable("it is away"))).collect(),
        }
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        self.0.read(conversation, from, limit).await
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        self.0.tails(conversations).await
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        self.0.find(conversation, ids).await
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        self.0.erase(conversation, seqs).await
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        self.0.conversations(after, limit).await
    }

    async fn save_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        self.0.save_snapshot(conversation, snapshot).await
    }

    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        self.0.snapshot(conversation).await
    }
}

#[derive(Default)]
struct Broker(MemoryFeed, Away);

#[async_trait]
impl Feed for Broker {
    async fn publish(&self, events: &[(ConversationId, Record)]) -> Result<(), Error> {
        self.1.check()?;
        self.0.publish(events).await
    }

    async fn follow(&self, worker: &'static str) -> Result<Box<dyn Follower>, Error> {
        self.0.follow(worker).await
    }
}

/// A world in memory with a durable queue.
pub(crate) fn world() -> Services {
    Services {
        process: "test".to_owned(),
        workspace: WorkspaceId(Uuid::from_u128(1)),
        event_log: Arc::new(MemoryEventLog::default()),
        overlays: Arc::new(overlay::MemoryOverlays::default()),
        feed: Arc::new(MemoryFeed::default()),
        commands: Arc::new(Durable(memory::Memory::new(1, WAITING.into()))),
        partitioning: Partitioning::alone(1),
        owners: Arc::new(owners::memory::Memory::default()),
        live: Arc::new(live::memory::Memory::default()),
        mailboxes: Arc::new(mailboxes::memory::Memory::default()),
        views: Arc::new(views::memory::Memory::default()),
        directory: Arc::new(directory::memory::Memory::default()),
        keys: Arc::new(keys::memory::Memory::default()),
        presence: Arc::new(presence::memory::Memory::default()),
        clock: Arc::new(Still),
        entropy: Arc::new(Still),
    }
}

/// Begins a conversation through a processor, where log and feed are away for so many calls; the outcome, and what the workers hear.
async fn begin(log_away: usize, feed_away: usize) -> (Outcome, Vec<Seq>) {
    let feed = Arc::new(Broker(MemoryFeed::default(), Away(feed_away.into())));
    let log = Arc::new(Log(MemoryEventLog::default(), Away(log_away.into())));
    let services = Arc::new(Services { event_log: log, feed: feed.clone(), ..world() });
    let stop = CancellationToken::new();
    let heads = Arc::new(heads::Memory::new(services.clone(), None));
    let processor = tokio::spawn(partition::run(services.clone(), heads, 0, stop.clone()));
    let conversations = Conversations::start(services, CancellationToken::new()).await.unwrap();
    let outcome = conversations.command(TEA, command(3, ADA, founding()), Some(false)).await.unwrap();
    let mut worker = feed.follow("search").await.unwrap();
    let heard = tokio::time::timeout(PATIENCE, worker.next(10)).await.expect("the workers hear of it").unwrap();
    stop.cancel();
    processor.await.unwrap();
    (outcome, heard.into_iter().map(|entry| entry.record.seq).collect())
}

fn founding() -> CommandKind {
    CommandKind::Create(Founding {
        kind: Kind::Channel,
        name: "tea".to_owned(),
        topic: String::new(),
        history: History::All,
        members: Vec::new(),
    })
}

fn command(id: u8, actor: UserId, kind: CommandKind) -> Command {
    let id = CommandId::from_bytes([id; 16]);
    Command { id, actor, hash: [0; 16], after: None, seen: None, claimed_at: None, kind }
}

#[tokio::test]
async fn commands_wait_in_their_queue_while_the_log_is_away() {
    let (outcome, heard) = begin(4, 0).await;
    assert_eq!(outcome, Outcome::Committed { seq: Seq(1), repeated: false });
    assert_eq!(heard, [Seq(1)]);
}

#[tokio::test]
async fn what_was_not_released_is_released_when_the_command_comes_again() {
    let (outcome, heard) = begin(0, 6).await;
    assert_eq!(outcome, Outcome::Committed { seq: Seq(1), repeated: false });
    assert_eq!(heard, [Seq(1)], "the event is in the log; the workers must hear of it");
}

#[tokio::test]
async fn whoever_is_told_of_a_repeat_finds_it_in_the_lists_though_another_processor_has_not_written_them_yet() {
    let site = refusals::Site::start(world()).await;
    site.services.views.clear(TEA).await.unwrap();
    let again = site.conversations.command(TEA, command(3, ADA, founding()), Some(false)).await.unwrap();
    assert_eq!(again, Outcome::Committed { seq: Seq(1), repeated: true });
    assert!(site.services.views.inbox_row(ADA, TEA).await.unwrap().is_some());
    site.stop().await;
}
