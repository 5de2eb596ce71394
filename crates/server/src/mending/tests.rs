//! Whatever is wrong is mended, also while others project, and what is right is not written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use klatch_core::conversation::{Event, EventKind, History, Kind, Message, Overlay, Remembered, Role};
use klatch_core::ids::{CommandId, ConversationId, Link, Seq, Timestamp, UserId, Uuid};
use klatch_ports::Error;
use klatch_ports::event_log::{Append, EventLog, NewRecord, Record, Snapshot};
use klatch_ports::overlay::{MemoryOverlays, Overlays};
use klatch_ports::views::memory::Memory;
use klatch_ports::views::{Cursor, Head, Notify, Own, Projection, Row, Settings, Views};
use klatch_protocol::log::{encode_event, encode_index, encode_overlay};

use super::{Found, merge_own, overlay, views};
use crate::processor::tests::world;
use crate::projection::{catch_up, projection};
use crate::rebuilding::rebuild;
use crate::services::Services;

const TEA: ConversationId = ConversationId::from_bytes([1; 16]);
const ADA: UserId = UserId::from_bytes([2; 16]);
const EVE: UserId = UserId::from_bytes([3; 16]);
/// Messages, each with a reaction.
const MESSAGES: u64 = 150;
const LAST: u64 = 2 * MESSAGES + 1;

fn event(seq: u64, kind: EventKind) -> Event {
    let id = CommandId(Uuid::from_u128(u128::from(seq)));
    let worthy = seq / 2;
    Event { seq: Seq(seq), id, author: ADA, at: Timestamp(seq), claimed_at: None, worthy, hash: [0; 16], kind }
}

/// A group of two, and messages that are reacted to at once.
fn events() -> Vec<Event> {
    let founding = EventKind::Created {
        kind: Kind::Group,
        name: "tea".to_owned(),
        topic: String::new(),
        history: History::All,
        members: vec![EVE],
    };
    let mut all = vec![event(1, founding)];
    for message in 1..=MESSAGES {
        let sent = event(2 * message, EventKind::Sent(Message { mentions: vec![EVE], ..Message::default() }));
        let target = Link { id: sent.id, seq: sent.seq };
        all.push(sent);
        all.push(event(2 * message + 1, EventKind::Reacted { target, emoji: "👍".to_owned(), on: true }));
    }
    all
}

/// These events in the log, one of which may be damaged; nothing of it is projected.
async fn logged(services: &Services, damaged: Option<u64>) {
    let record = |event: &Event| {
        let stored = encode_event(event);
        let head = if Some(event.seq.0) == damaged { Bytes::new() } else { stored.head };
        let record = Record { seq: event.seq, id: event.id, head, body: stored.body };
        NewRecord { record, index: encode_index(&Remembered::of(event)) }
    };
    let records = events().iter().map(record).collect();
    let append = Append { conversation: TEA, expected: Seq::ZERO, records };
    services.event_log.append(vec![append]).await.pop().unwrap().unwrap();
}

/// The same, and all of it projected.
async fn whole() -> (Services, String) {
    let services = world();
    logged(&services, None).await;
    rebuild(&services, TEA).await.unwrap();
    let dump = services.views.dump(TEA).await.unwrap();
    (services, dump)
}

async fn rows(services: &Services) -> Vec<(Seq, Bytes)> {
    services.overlays.range(TEA, Seq::ZERO, Seq(u64::MAX)).await.unwrap()
}

/// Lists that go to `seq`, with what no log says.
async fn wrong_lists(services: &Services, seq: u64) {
    services.views.clear(TEA).await.unwrap();
    let name = Some("beer".to_owned());
    let rows = vec![
        Row::Described { kind: Some(Kind::Channel), name, topic: None, history: None },
        Row::Joined { user: ADA, role: Role::Member, joined: Seq(1) },
        Row::Mentioned { user: ADA, seq: Seq(2) },
    ];
    let head = Head { seq: Seq(seq), worthy: 9, at: Timestamp(9), message: Seq(1) };
    services.views.project(vec![Projection { conversation: TEA, after: Seq::ZERO, head, rows }]).await.unwrap();
}

#[tokio::test]
async fn what_is_right_is_left_alone() {
    let (services, dump) = whole().await;
    let before = rows(&services).await;
    assert_eq!(views(&services, TEA).await.unwrap(), Found::Same);
    assert_eq!(overlay(&services, TEA).await.unwrap(), Found::Same);
    assert_eq!((services.views.dump(TEA).await.unwrap(), rows(&services).await), (dump, before));
}

#[tokio::test]
async fn lists_are_mended_wherever_they_stand_and_what_people_set_stays() {
    for (stand, expected) in
        [(LAST, Found::Different), (LAST - 9, Found::Different), (LAST + 7, Found::Different), (0, Found::Missing)]
    {
        let (services, dump) = whole().await;
        let dear = Settings { notify: Notify::None, favourite: true };
        let unread = Cursor { delivered: Seq(9), read: Seq(4), read_worthy: 2, version: 1_000 };
        services.views.set_settings(EVE, TEA, dear).await.unwrap();
        services.views.move_cursors(vec![(EVE, TEA, unread)]).await.unwrap();
        match stand {
            0 => services.views.clear(TEA).await.unwrap(),
            stand => wrong_lists(&services, stand).await,
        }
        assert_eq!(views(&services, TEA).await.unwrap(), expected, "to {stand}");
        assert_eq!(services.views.dump(TEA).await.unwrap(), dump);
        let row = services.views.inbox_row(EVE, TEA).await.unwrap().unwrap();
        assert_eq!((row.cursor, row.settings), (unread, dear), "to {stand}");
        let row = services.views.inbox_row(ADA, TEA).await.unwrap().unwrap();
        assert_eq!(row.cursor.read, Seq(LAST - 1), "who wrote has read");
        assert_eq!(views(&services, TEA).await.unwrap(), Found::Same);
    }
}

#[tokio::test]
async fn what_workers_have_not_done_yet_is_done_and_is_no_difference() {
    let (services, dump) = whole().await;
    services.views.clear(TEA).await.unwrap();
    services.overlays.clear(TEA).await.unwrap();
    services.views.project(vec![projection(TEA, &events()[..9])]).await.unwrap();
    let row = (Seq(2), encode_overlay(&overlay_of(2)));
    services.overlays.put(TEA, Seq(3), vec![row]).await.unwrap();
    assert_eq!(views(&services, TEA).await.unwrap(), Found::Behind);
    assert_eq!(overlay(&services, TEA).await.unwrap(), Found::Behind);
    assert_eq!(services.views.dump(TEA).await.unwrap(), dump);
    assert_eq!(rows(&services).await.len() as u64, MESSAGES);
}

/// What became of this message.
fn overlay_of(message: u64) -> Overlay {
    let mut overlay = Overlay::default();
    events().iter().filter(|event| event.kind.target().is_some_and(|target| target.seq == Seq(message))).for_each(
        |event| {
            overlay.apply(event);
        },
    );
    overlay
}

#[tokio::test]
async fn an_overlay_is_mended_row_by_row_wherever_it_stands() {
    let bad = Bytes::from_static(b"\xff");
    for (stand, expected) in [(LAST, Found::Different), (LAST + 9, Found::Different), (0, Found::Missing)] {
        let (services, _) = whole().await;
        let right = rows(&services).await;
        let wrong = vec![(Seq(2), None), (Seq(3), Some(bad.clone())), (Seq(4), Some(bad.clone()))];
        assert!(services.overlays.mend(TEA, Seq(LAST), Seq(stand), wrong).await.unwrap());
        assert_eq!(overlay(&services, TEA).await.unwrap(), expected, "to {stand}");
        assert_eq!(rows(&services).await, right);
        assert_eq!(services.overlays.applied(TEA).await.unwrap(), Seq(LAST));
    }
    let (services, _) = whole().await;
    let right = rows(&services).await;
    services.overlays.clear(TEA).await.unwrap();
    assert_eq!(overlay(&services, TEA).await.unwrap(), Found::Missing, "in several steps");
    assert_eq!(rows(&services).await, right);
}

#[tokio::test]
async fn a_log_that_cannot_be_replayed_changes_nothing() {
    let services = world();
    logged(&services, Some(5)).await;
    wrong_lists(&services, LAST).await;
    let before = services.views.dump(TEA).await.unwrap();
    assert!(views(&services, TEA).await.is_err());
    assert!(overlay(&services, TEA).await.is_err());
    assert_eq!(services.views.dump(TEA).await.unwrap(), before);
    assert_eq!(rows(&services).await, []);
}

/// Overlays, or views, to which somebody else writes just before they are mended, for the first time.
struct Raced<T> {
    inner: T,
    is_left: AtomicBool,
}

impl<T> Raced<T> {
    const fn new(inner: T) -> Self {
        Self { inner, is_left: AtomicBool::new(true) }
    }

    fn is_first(&self) -> bool {
        self.is_left.swap(false, Ordering::SeqCst)
    }
}

#[async_trait]
impl Overlays for Raced<MemoryOverlays> {
    async fn put(&self, id: ConversationId, upto: Seq, rows: Vec<(Seq, Bytes)>) -> Result<(), Error> {
        self.inner.put(id, upto, rows).await
    }

    async fn range(&self, id: ConversationId, from: Seq, to: Seq) -> Result<Vec<(Seq, Bytes)>, Error> {
        self.inner.range(id, from, to).await
    }

    async fn applied(&self, id: ConversationId) -> Result<Seq, Error> {
        self.inner.applied(id).await
    }

    async fn mend(
        &self,
        id: ConversationId,
        at: Seq,
        upto: Seq,
        rows: Vec<(Seq, Option<Bytes>)>,
    ) -> Result<bool, Error> {
        if self.is_first() {
            let row = (Seq(LAST - 1), encode_overlay(&overlay_of(LAST - 1)));
            self.inner.put(id, Seq(LAST), vec![row]).await?;
        }
        self.inner.mend(id, at, upto, rows).await
    }

    async fn clear(&self, id: ConversationId) -> Result<(), Error> {
        self.inner.clear(id).await
    }
}

#[tokio::test]
async fn what_a_processor_writes_meanwhile_is_kept() {
    let (mut services, _) = whole().await;
    let right = rows(&services).await;
    let raced = Raced::new(MemoryOverlays::default());
    // All but the last, and two of them wrong.
    let stored = right.iter().filter(|(seq, _)| ![2, LAST - 1].contains(&seq.0)).cloned();
    let wrong = [(Seq(3), Bytes::from_static(b"\xff"))];
    raced.inner.put(TEA, Seq(LAST - 2), stored.chain(wrong).collect()).await.unwrap();
    services.overlays = Arc::new(raced);
    assert_eq!(overlay(&services, TEA).await.unwrap(), Found::Different);
    assert_eq!(rows(&services).await, right);
    assert_eq!(services.overlays.applied(TEA).await.unwrap(), Seq(LAST));
}

/// A log that lets others work whenever it is asked.
struct Yielding(Arc<dyn EventLog>);

#[async_trait]
impl EventLog for Yielding {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        self.0.append(batch).await
    }

    async fn read(&self, id: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        tokio::task::yield_now().await;
        self.0.read(id, from, limit).await
    }

    async fn tails(&self, ids: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        tokio::task::yield_now().await;
        self.0.tails(ids).await
    }

    async fn find(&self, id: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        self.0.find(id, ids).await
    }

    async fn erase(&self, id: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        self.0.erase(id, seqs).await
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        self.0.conversations(after, limit).await
    }

    async fn save_snapshot(&self, id: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        self.0.save_snapshot(id, snapshot).await
    }

    async fn snapshot(&self, id: ConversationId) -> Result<Option<Snapshot>, Error> {
        self.0.snapshot(id).await
    }
}

#[tokio::test]
async fn whoever_projects_meanwhile_goes_on_and_lists_are_right_in_the_end() {
    let (mut services, dump) = whole().await;
    services.event_log = Arc::new(Yielding(services.event_log));
    for stand in 2..40 {
        wrong_lists(&services, stand).await;
        let project = async {
            for upto in (stand..=LAST).step_by(7).chain([LAST]) {
                catch_up(&services, TEA, Seq(upto)).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let (found, ()) = tokio::join!(views(&services, TEA), project);
        assert_eq!(found.unwrap(), Found::Different);
        assert_eq!(services.views.dump(TEA).await.unwrap(), dump, "from {stand}");
    }
}

#[tokio::test]
async fn what_is_ones_own_is_copied_to_lists_that_were_filled_and_later_what_is_later() {
    let (services, _) = whole().await;
    let former = services.views.clone();
    let dear = Settings { notify: Notify::Mentions, favourite: true };
    former.set_settings(EVE, TEA, dear).await.unwrap();
    let unread = Cursor { delivered: Seq(9), read: Seq(4), read_worthy: 2, version: 5 };
    former.move_cursors(vec![(EVE, TEA, unread)]).await.unwrap();

    let new: Arc<dyn Views> = Arc::new(Memory::default());
    let services = Services { views: new.clone(), ..services };
    assert_eq!(views(&services, TEA).await.unwrap(), Found::Missing);
    let other = ConversationId::from_bytes([9; 16]);
    assert_eq!(merge_own(&*former, &*new, Some(other)).await.unwrap(), 0);
    for only in [None, Some(TEA)] {
        assert_eq!(merge_own(&*former, &*new, only).await.unwrap(), 2);
        assert_eq!(own(&*new).await, own(&*former).await);
    }
    // At the new place, and afterwards once more at the former one.
    new.set_settings(ADA, TEA, dear).await.unwrap();
    former.move_cursors(vec![(EVE, TEA, Cursor { read: Seq(2), version: 6, ..unread })]).await.unwrap();
    merge_own(&*former, &*new, None).await.unwrap();
    let [ada, eve] = own(&*new).await.try_into().unwrap();
    assert_eq!((ada.settings, eve.settings, eve.cursor.read), (dear, dear, Seq(2)));
}

async fn own(views: &dyn Views) -> Vec<Own> {
    views.own(None, 10).await.unwrap()
}
