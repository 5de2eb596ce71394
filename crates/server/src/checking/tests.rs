//! Each kind of damage is found, and nothing else.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::conversation::{Conversation, Event, EventKind, History, Kind as Sort, Message, Overlay, Remembered};
use klatch_core::ids::{CommandId, ConversationId, Link, Seq, Timestamp, UserId, Uuid, WorkspaceId};
use klatch_ports::event_log::{Append, EventLog, MemoryEventLog, NewRecord, Record, Snapshot};
use klatch_ports::keys::memory::Memory as MemoryKeys;
use klatch_ports::overlay::MemoryOverlays;
use klatch_ports::{Error, commands, directory, feed, live, mailboxes, owners, presence, views};
use klatch_protocol::log::{encode_event, encode_index, encode_overlay, encode_snapshot};

use super::replay::{self, Replay};
use super::{Kind, check};
use crate::environment::{Clock, Entropy};
use crate::partitioning::Partitioning;
use crate::rebuilding::rebuild;
use crate::sealing::{MasterKey, Place, Sealer};
use crate::services::Services;

const TEA: ConversationId = ConversationId::from_bytes([1; 16]);
const ADA: UserId = UserId::from_bytes([2; 16]);
const LAST: u64 = 5;

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

/// A log that answers as if it were damaged.
struct Damaged {
    inner: MemoryEventLog,
    damage: Option<Kind>,
}

#[async_trait]
impl EventLog for Damaged {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        self.inner.append(batch).await
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        let mut records = self.inner.read(conversation, from, limit).await?;
        match self.damage {
            Some(Kind::Hole) => records.retain(|record| record.seq != Seq(2)),
            Some(Kind::Unreadable) => {
                records.iter_mut().filter(|record| record.seq == Seq(3)).for_each(|record| record.head = Bytes::new());
            }
            Some(Kind::Seal) => {
                let flip = |body: &Bytes| body.iter().map(|byte| byte ^ 1).collect::<Vec<_>>().into();
                records.iter_mut().for_each(|record| record.body = flip(&record.body));
            }
            _ => {}
        }
        Ok(records)
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        self.inner.tails(conversations).await
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        let mut found = self.inner.find(conversation, ids).await?;
        if self.damage == Some(Kind::Index) {
            found[1] = None;
            found[2] = found[0].clone();
            found[3] = Some(Bytes::from_static(b"?"));
        }
        Ok(found)
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        self.inner.erase(conversation, seqs).await
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        self.inner.conversations(after, limit).await
    }

    async fn save_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        self.inner.save_snapshot(conversation, snapshot).await
    }

    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        self.inner.snapshot(conversation).await
    }
}

fn event(seq: u64, kind: EventKind) -> Event {
    let id = CommandId(Uuid::from_u128(u128::from(seq)));
    let worthy = seq.saturating_sub(1).min(3);
    Event { seq: Seq(seq), id, author: ADA, at: Timestamp(seq), claimed_at: None, worthy, hash: [0; 16], kind }
}

/// A channel, three messages, and a reaction to the first of them.
fn events(seal: impl Fn(CommandId) -> Bytes) -> Vec<Event> {
    let created = EventKind::Created {
        kind: Sort::Channel,
        name: "tea".to_owned(),
        topic: String::new(),
        history: History::All,
        members: Vec::new(),
    };
    let mut all = vec![event(1, created)];
    for seq in 2..LAST {
        let mut sent = event(seq, EventKind::Sent(Message::default()));
        sent.kind = EventKind::Sent(Message { body: Some(seal(sent.id)), ..Message::default() });
        all.push(sent);
    }
    let target = Link { id: all[1].id, seq: Seq(2) };
    all.push(event(LAST, EventKind::Reacted { target, emoji: "👍".to_owned(), on: true }));
    all
}

/// A conversation with this damage, and the log's tail as it is said to be.
async fn world(damage: Option<Kind>) -> (Services, Sealer, Seq) {
    let keys = Arc::new(MemoryKeys::default());
    let workspace = WorkspaceId::from_bytes([9; 16]);
    let master = MasterKey::new([4; 32]);
    let sealer = Sealer::open_store(workspace, keys.clone(), Arc::new(Still), &master).await.unwrap();
    let key = sealer.author_key(ADA).await.unwrap();
    let mut all = events(|id| sealer.seal(&key, Place { conversation: TEA, author: ADA, id }, b"said"));
    if damage == Some(Kind::State) {
        all[3].worthy = 1_000;
        all[4].worthy = 1_000;
    }
    let services = Services {
        process: "test".to_owned(),
        workspace,
        event_log: Arc::new(Damaged { inner: MemoryEventLog::default(), damage }),
        overlays: Arc::new(MemoryOverlays::default()),
        feed: Arc::new(feed::MemoryFeed::default()),
        commands: Arc::new(commands::memory::Memory::new(1, 1)),
        partitioning: Partitioning::alone(1),
        owners: Arc::new(owners::memory::Memory::default()),
        live: Arc::new(live::memory::Memory::default()),
        mailboxes: Arc::new(mailboxes::memory::Memory::default()),
        views: Arc::new(views::memory::Memory::default()),
        directory: Arc::new(directory::memory::Memory::default()),
        keys,
        presence: Arc::new(presence::memory::Memory::default()),
        clock: Arc::new(Still),
        entropy: Arc::new(Still),
    };
    let record = |event: &Event| {
        let stored = encode_event(event);
        let record = Record { seq: event.seq, id: event.id, head: stored.head, body: stored.body };
        NewRecord { record, index: encode_index(&Remembered::of(event)) }
    };
    let records = all.iter().map(record).collect();
    let append = Append { conversation: TEA, expected: Seq::ZERO, records };
    services.event_log.append(vec![append]).await.pop().unwrap().unwrap();
    if !matches!(damage, Some(Kind::Hole | Kind::Unreadable)) {
        rebuild(&services, TEA).await.unwrap();
    }
    let mut state = Conversation::empty(TEA);
    all[..3].iter().for_each(|event| state.apply(event));
    if damage == Some(Kind::Snapshot) {
        state.name = "coffee".to_owned();
    }
    let snapshot = Snapshot { seq: Seq(3), bytes: encode_snapshot(&state) };
    services.event_log.save_snapshot(TEA, snapshot).await.unwrap();
    damage_projections(&services, damage, &all).await;
    let tail = Seq(if damage == Some(Kind::Tail) { LAST + 1 } else { LAST });
    (services, sealer, tail)
}

async fn damage_projections(services: &Services, damage: Option<Kind>, all: &[Event]) {
    match damage {
        Some(Kind::Overlay) => {
            services.overlays.clear(TEA).await.unwrap();
            let row = encode_overlay(&Overlay::default());
            services.overlays.put(TEA, Seq(LAST), vec![(Seq(3), row)]).await.unwrap();
        }
        Some(Kind::Views) => {
            let mut other = all.to_vec();
            if let EventKind::Created { name, .. } = &mut other[0].kind {
                "coffee".clone_into(name);
            }
            services.views.clear(TEA).await.unwrap();
            services.views.project(vec![crate::projection::projection(TEA, &other)]).await.unwrap();
        }
        _ => {}
    }
}

async fn kinds(damage: Option<Kind>) -> Vec<Kind> {
    let (services, sealer, tail) = world(damage).await;
    let checked = check(&services, Some(&sealer), TEA, tail).await.unwrap();
    checked.findings.into_iter().map(|finding| finding.kind).collect()
}

#[tokio::test]
async fn what_is_sound_is_found_to_be_so() {
    let (services, sealer, tail) = world(None).await;
    let checked = check(&services, Some(&sealer), TEA, tail).await.unwrap();
    assert_eq!((checked.records, checked.findings), (LAST, Vec::new()));
}

#[tokio::test]
async fn each_kind_of_damage_is_found_as_what_it_is() {
    for damage in Kind::ALL {
        let found = kinds(Some(damage)).await;
        assert!(!found.is_empty() && found.iter().all(|kind| *kind == damage), "{damage:?} was found as {found:?}");
    }
}

#[tokio::test]
async fn views_that_are_behind_are_no_damage() {
    let (services, sealer, tail) = world(None).await;
    services.views.clear(TEA).await.unwrap();
    services.overlays.clear(TEA).await.unwrap();
    let events = events(|_| Bytes::new());
    services.views.project(vec![crate::projection::projection(TEA, &events[..3])]).await.unwrap();
    let checked = check(&services, Some(&sealer), TEA, tail).await.unwrap();
    assert_eq!((checked.findings, checked.is_behind), (Vec::new(), true));
    rebuild(&services, TEA).await.unwrap();
    assert!(!check(&services, Some(&sealer), TEA, tail).await.unwrap().is_behind);
}

/// A replay that began when three of the events were there, and ends when all of them are.
async fn replayed_meanwhile(damage: Option<Kind>) -> replay::Ended {
    let (services, ..) = world(damage).await;
    services.views.clear(TEA).await.unwrap();
    services.overlays.clear(TEA).await.unwrap();
    let events = events(|_| Bytes::new());
    let project = |events| services.views.project(vec![crate::projection::projection(TEA, events)]);
    project(&events[..3]).await.unwrap();
    let mut replay = Replay::begin(&services, TEA).await.unwrap();
    replay.take(&events[..3]).await.unwrap();
    project(&events[3..]).await.unwrap();
    match damage {
        Some(Kind::Overlay) => {
            let row = encode_overlay(&Overlay::default());
            services.overlays.put(TEA, Seq(LAST), vec![(Seq(2), row)]).await.unwrap();
        }
        _ => crate::annotations::catch_up(&services, TEA, Seq(LAST)).await.unwrap(),
    }
    replay.end().await.unwrap()
}

#[tokio::test]
async fn what_people_write_meanwhile_is_no_damage_and_hides_none() {
    let ended = replayed_meanwhile(None).await;
    assert!(ended.found.is_empty() && !ended.is_behind, "{:?}", ended.found);
    let found = replayed_meanwhile(Some(Kind::Overlay)).await.found;
    assert!(found.len() == 1 && (found[0].0, found[0].1) == (Kind::Overlay, Some(Seq(2))), "{found:?}");
    let (services, sealer, _) = world(None).await;
    let before = Seq(LAST - 1);
    assert_eq!(check(&services, Some(&sealer), TEA, before).await.unwrap().findings, [], "the log has grown");
}
