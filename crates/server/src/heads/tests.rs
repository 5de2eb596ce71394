//! Two processes of a site, and a real socket between them.

use std::sync::Arc;

use klatch_core::ids::{CommandId, ConversationId, Seq, Timestamp, Uuid, WorkspaceId};
use klatch_ports::event_log::{Append, MemoryEventLog, NewRecord, Record};
use klatch_ports::{commands, directory, feed, keys, live, mailboxes, overlay, owners, presence, views};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::{Heads, Memory, Peers, router};
use crate::environment::{Clock, Entropy};
use crate::partitioning::Partitioning;
use crate::services::Services;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(1_000_000)
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn services() -> Arc<Services> {
    Arc::new(Services {
        process: "test".to_owned(),
        workspace: WorkspaceId(Uuid::from_u128(1)),
        event_log: Arc::new(MemoryEventLog::default()),
        overlays: Arc::new(overlay::MemoryOverlays::default()),
        feed: Arc::new(feed::MemoryFeed::default()),
        commands: Arc::new(commands::memory::Memory::new(2, 10)),
        partitioning: Partitioning::alone(2),
        owners: Arc::new(owners::memory::Memory::default()),
        live: Arc::new(live::memory::Memory::default()),
        mailboxes: Arc::new(mailboxes::memory::Memory::default()),
        views: Arc::new(views::memory::Memory::default()),
        directory: Arc::new(directory::memory::Memory::default()),
        keys: Arc::new(keys::memory::Memory::default()),
        presence: Arc::new(presence::memory::Memory::default()),
        clock: Arc::new(Still),
        entropy: Arc::new(Still),
    })
}

fn peers(secret: u8) -> Arc<Peers> {
    Arc::new(Peers::new(Zeroizing::new([secret; 32]), Arc::new(Still)))
}

/// A conversation of the first partition, or of the second.
fn conversation(n: u8, second: bool) -> ConversationId {
    let mut bytes = [n; 16];
    bytes[14] = if second { 0x08 } else { 0 };
    ConversationId::from_bytes(bytes)
}

async fn say(services: &Services, conversation: ConversationId, seq: u64) {
    let id = CommandId(Uuid::from_u128(u128::from(seq)));
    let record = Record { seq: Seq(seq), id, head: Default::default(), body: Default::default() };
    let records = vec![NewRecord { record, index: Default::default() }];
    let append = Append { conversation, expected: Seq(seq - 1), records };
    services.event_log.append(vec![append]).await.remove(0).unwrap();
}

/// A process that decides in the first partition.
async fn owner(services: &Arc<Services>) -> (Arc<Memory>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let memory = Arc::new(Memory::new(services.clone(), Some(listener.local_addr().unwrap().to_string())));
    let router = router(peers(1), memory.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    memory.decided(0).await;
    (memory, serving)
}

#[tokio::test]
async fn owners_answer_from_memory_and_the_log_where_nobody_knows() {
    let services = services();
    let (ours, others) = (conversation(1, false), conversation(2, true));
    for conversation in [ours, others] {
        say(&services, conversation, 1).await;
    }
    let (memory, serving) = owner(&services).await;
    let heads = Heads::new(services.clone(), Some(peers(1)));
    let ask = async |everywhere| heads.of(&[ours, others], everywhere).await.unwrap();
    assert_eq!(ask(false).await, [(ours, Seq(1))], "nobody decided anything in the second partition");
    assert_eq!(ask(true).await, [(ours, Seq(1)), (others, Seq(1))]);

    // What is in memory is not looked up: it may as well be ahead of the log.
    memory.appended(ours, Seq(7));
    assert_eq!(ask(false).await, [(ours, Seq(7))]);
    memory.forget(ours);
    assert_eq!(ask(false).await, [(ours, Seq(1))]);

    serving.abort();
    drop(serving.await);
    say(&services, ours, 2).await;
    assert_eq!(ask(false).await, [(ours, Seq(2))], "an owner that does not answer is no owner");
}

#[tokio::test]
async fn what_was_decided_just_before_an_owner_left_is_found() {
    let services = services();
    let ours = conversation(1, false);
    say(&services, ours, 1).await;
    let (memory, _serving) = owner(&services).await;
    memory.appended(ours, Seq(1));
    memory.left(0);
    say(&services, ours, 2).await;
    let heads = Heads::new(services.clone(), Some(peers(1)));
    assert_eq!(heads.of(&[ours], false).await.unwrap(), [(ours, Seq(2))], "the former owner looks into the log");
}

#[tokio::test]
async fn whoever_has_another_secret_is_told_nothing() {
    let services = services();
    let ours = conversation(1, false);
    say(&services, ours, 1).await;
    let (memory, _serving) = owner(&services).await;
    memory.appended(ours, Seq(7));
    let address = services.owners.owners(Still.now()).await.unwrap().remove(0).address;
    assert_eq!(peers(1).heads(&address, &[ours]).await.unwrap(), [Seq(7)]);
    let refused = peers(2).heads(&address, &[ours]).await.unwrap_err();
    assert!(std::error::Error::source(&refused).unwrap().to_string().contains("403"));
}
