//! A conversation of a million events, which nobody has opened for a while.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_client::new_id;
use klatch_core::conversation::{Event, EventKind, Message, Remembered};
use klatch_core::ids::{CommandId, ConversationId, Seq, Timestamp, UserId};
use klatch_engines::drivers::fjall::{Options, Store};
use klatch_engines::event_log::fjall::FjallEventLog;
use klatch_ports::Error;
use klatch_ports::event_log::{Append, EventLog, NewRecord, Record, Snapshot};
use klatch_protocol::log::{encode_event, encode_index};
use klatch_protocol::objects::{ConversationKind, NewCommand, Slug};
use klatch_testkit::{FakeClock, NodeOptions, Stack, TestNode, eventually_within, text};
use uuid::Uuid;

const EVENTS: u64 = 1_000_000;
const BATCH: u64 = 10_000;
/// How long a replay of all of them may take, on a busy machine and without optimization.
const REPLAYED_WITHIN: Duration = Duration::from_secs(10 * 60);

/// Records that were read, and looks into the index.
static RECORDS: AtomicU64 = AtomicU64::new(0);
static LOOKS: AtomicU64 = AtomicU64::new(0);

/// A log that counts what it is asked.
struct Counting(Arc<dyn EventLog>);

impl Counting {
    fn around(log: Arc<dyn EventLog>) -> Arc<dyn EventLog> {
        Arc::new(Self(log))
    }
}

#[async_trait]
impl EventLog for Counting {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        self.0.append(batch).await
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        let records = self.0.read(conversation, from, limit).await?;
        RECORDS.fetch_add(records.len() as u64, Ordering::Relaxed);
        Ok(records)
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        self.0.tails(conversations).await
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        LOOKS.fetch_add(ids.len() as u64, Ordering::Relaxed);
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

/// Writes a million messages behind what is there, straight into the log of a node that is stopped.
async fn fill(data: &Path, conversation: ConversationId, author: UserId, after: Seq) {
    let store = Store::open(&data.join("log"), Options::default()).expect("a store");
    let log = FjallEventLog::new(store);
    let mut tail = after;
    while tail.0 < EVENTS {
        let record = |seq: u64| {
            let kind = EventKind::Sent(Message { body: Some(Bytes::from_static(b"sealed")), ..Message::default() });
            let (id, at) = (CommandId(Uuid::from_u128(u128::from(seq))), Timestamp(1_700_000_000_000 + seq));
            let seq = Seq(seq);
            let event = Event { seq, id, author, at, claimed_at: None, worthy: seq.0 - 1, hash: [0; 16], kind };
            let stored = encode_event(&event);
            let record = Record { seq, id, head: stored.head, body: stored.body };
            NewRecord { record, index: encode_index(&Remembered::of(&event)) }
        };
        let records: Vec<_> = (tail.0 + 1..=tail.0 + BATCH).map(record).collect();
        let last = records.last().expect("a batch").record.seq;
        let appended = log.append(vec![Append { conversation, expected: tail, records }]).await;
        appended.into_iter().for_each(|result| result.expect("appended"));
        tail = last;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_events_open_from_a_snapshot_and_a_repeat_costs_one_look() {
    if Stack::chosen() != Stack::Embedded {
        // The million is written into the embedded log's own files, past the node. What is asked here is the same on every log.
        return;
    }
    let mut options = NodeOptions::default();
    options.overrides.decorate_log = Some(Counting::around);
    // Where time stands still no answer counts as lost, however long it takes: only who decides looks into the log.
    options.overrides.clock = Arc::new(FakeClock::at(1_800_000_000_000));
    let node = TestNode::with(options).await;
    let ada = node.user("ada").await;
    let tea = ada.begin(ConversationKind::Group, "tea", &[]).await.id;
    let early = NewCommand { id: new_id(), command: text("early"), seen: Some(0), after: None, claimed_at: None };
    let first = ada.submit(tea, &early).await.expect("committed").seq;
    let (data, author) = (node.data(), UserId(ada.id()));
    let node = node.stopped_while(fill(&data, ConversationId(tea), author, Seq(first))).await;
    let ada = ada.at(&node.base()).await;
    // Whoever is the first to write makes the snapshot; a million events are replayed for it, once, and that may take longer
    // than an answer is waited for.
    let many = NewCommand { id: new_id(), command: text("we are many"), ..early.clone() };
    eventually_within(REPLAYED_WITHIN, "the conversation opens", async || ada.submit(tea, &many).await.ok()).await;
    let node = node.restart().await;
    let ada = ada.at(&node.base()).await;

    RECORDS.store(0, Ordering::Relaxed);
    for seen in [Some(0), None, Some(1), Some(u64::MAX / 2)] {
        LOOKS.store(0, Ordering::Relaxed);
        let again = NewCommand { seen, ..early.clone() };
        let answer = ada.submit(tea, &again).await;
        match seen {
            // Who lies about what they have seen may fool themselves, but nobody else, and costs no more.
            Some(seen) if seen > EVENTS => assert!(answer.is_ok()),
            _ => {
                assert!(matches!(answer, Ok(answer) if answer.repeated && answer.seq == first), "{seen:?}: {answer:?}")
            }
        }
        assert!(LOOKS.load(Ordering::Relaxed) <= 1, "{seen:?}");
    }
    assert!(RECORDS.load(Ordering::Relaxed) < 10_000, "it opened from its snapshot");
    let other = NewCommand { command: text("other"), ..early };
    assert_eq!(ada.submit(tea, &other).await.expect_err("refused").slug(), Some(Slug::CommandReused));
}
