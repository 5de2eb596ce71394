//! More partitions while people write.

use klatch_ports::ErrorKind;
use klatch_ports::commands::Delivery;
use klatch_ports::partitions::{self, Map, Partitions, Sender};
use tokio_util::task::TaskTracker;

use super::refusals::send;
use super::*;
use crate::conversations::Refused;
use crate::partitioning::{Hold, NotHeld, NotRaised, Partitioning, raise};

const BEFORE: usize = 2;
const AFTER: usize = 7;

/// Between two messages in a conversation.
const PACE: Duration = Duration::from_millis(5);
/// What a command waits for in the partitions that were there before: what is sent after it must not overtake it in another one.
const WAITS: Duration = Duration::from_millis(50);

/// A map that is away when it is told to be.
struct Said(partitions::memory::Memory, std::sync::atomic::AtomicBool);

impl Said {
    fn check(&self) -> Result<(), Error> {
        if self.1.load(Ordering::SeqCst) { Err(Error::unavailable("it is away")) } else { Ok(()) }
    }
}

#[async_trait]
impl Partitions for Said {
    async fn map(&self, now: Timestamp) -> Result<Map, Error> {
        self.check()?;
        self.0.map(now).await
    }

    async fn send(&self, sender: &str, holds: Option<u64>, now: Timestamp) -> Result<Map, Error> {
        self.check()?;
        self.0.send(sender, holds, now).await
    }

    async fn leave(&self, sender: &str) -> Result<(), Error> {
        self.0.leave(sender).await
    }

    async fn senders(&self, now: Timestamp) -> Result<Vec<Sender>, Error> {
        self.0.senders(now).await
    }

    async fn begin(&self, partitions: usize, now: Timestamp) -> Result<u64, Error> {
        self.0.begin(partitions, now).await
    }

    async fn drive(&self, attempt: u64, now: Timestamp) -> Result<Vec<usize>, Error> {
        self.0.drive(attempt, now).await
    }

    async fn drained(&self, attempt: u64, partition: usize) -> Result<(), Error> {
        self.0.drained(attempt, partition).await
    }

    async fn finish(&self, attempt: u64, now: Timestamp) -> Result<(), Error> {
        self.0.finish(attempt, now).await
    }

    async fn abandon(&self, attempt: u64) -> Result<(), Error> {
        self.0.abandon(attempt).await
    }
}

/// A queue that hands out late what is in the partitions that were there before.
struct Late(Durable);

struct LateConsumer(Box<dyn Consumer>);

#[async_trait]
impl Consumer for LateConsumer {
    async fn next(&mut self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let deliveries = self.0.next(limit).await;
        tokio::time::sleep(WAITS).await;
        deliveries
    }

    async fn settle(&mut self, position: u64) -> Result<(), Error> {
        self.0.settle(position).await
    }
}

#[async_trait]
impl Commands for Late {
    fn partitions(&self) -> usize {
        self.0.partitions()
    }

    async fn grow(&self, partitions: usize) -> Result<(), Error> {
        self.0.grow(partitions).await
    }

    fn is_durable(&self) -> bool {
        self.0.is_durable()
    }

    async fn submit(&self, partition: usize, payload: Bytes) -> Result<(), Error> {
        self.0.submit(partition, payload).await
    }

    async fn consume(&self, partition: usize) -> Result<Box<dyn Consumer>, Error> {
        let consumer = self.0.consume(partition).await?;
        Ok(if partition < BEFORE { Box::new(LateConsumer(consumer)) } else { consumer })
    }

    async fn bury(&self, letters: Vec<Bytes>) -> Result<(), Error> {
        self.0.bury(letters).await
    }

    async fn dead(&self) -> Result<Box<dyn Dead>, Error> {
        self.0.dead().await
    }
}

/// Processes of one site: two that send, and one that decides.
struct Site {
    services: Arc<Services>,
    said: Arc<Said>,
    /// What each of those that send is given.
    given: [Arc<Services>; 2],
    senders: [Arc<Conversations>; 2],
    /// Of those that send.
    let_go: CancellationToken,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Site {
    async fn start() -> Self {
        let said = Arc::new(Said(partitions::memory::Memory::new(BEFORE), false.into()));
        let commands = Arc::new(Late(Durable(memory::Memory::new(BEFORE, 10_000))));
        let shared = Arc::new(world());
        let process = async |process: &str| {
            let map = said.map(Timestamp(1)).await.unwrap();
            let partitioning = Partitioning::new(said.clone(), map);
            let shared = shared.clone();
            Arc::new(Services {
                process: process.to_owned(),
                partitioning,
                commands: commands.clone(),
                event_log: shared.event_log.clone(),
                feed: shared.feed.clone(),
                live: shared.live.clone(),
                views: shared.views.clone(),
                clock: Arc::new(Still),
                entropy: Arc::new(Chance::default()),
                ..world()
            })
        };
        let services = process("processor").await;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let heads = Arc::new(heads::Memory::new(services.clone(), None));
        tasks.spawn(super::super::everywhere::run(services.clone(), heads, tasks.clone(), stop.clone()));
        let given = [process("one").await, process("other").await];
        let let_go = CancellationToken::new();
        let one = Conversations::start(given[0].clone(), let_go.clone()).await.unwrap();
        let other = Conversations::start(given[1].clone(), let_go.clone()).await.unwrap();
        Self { services, said, given, senders: [one, other], let_go, tasks, stop }
    }

    /// How many partitions each of those that send knows of.
    fn known(&self) -> [usize; 2] {
        self.given.each_ref().map(|services| services.partitioning.count())
    }

    /// Writes in a conversation until `stop`, each message through another process than the one before, as soon as the queue has that.
    async fn write(&self, conversation: ConversationId, stop: CancellationToken) -> Vec<CommandId> {
        let began = command(0, ADA, founding());
        let mut written = vec![began.id];
        let outcome = self.senders[0].command(conversation, began, Some(false)).await.unwrap();
        assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
        for sender in self.senders.iter().cycle() {
            let id = CommandId(Uuid::from_u128(written.len() as u128));
            let (tell, _told) = tokio::sync::mpsc::unbounded_channel();
            let new = Command { id, ..command(0, ADA, send()) };
            sender.submit(conversation, new, Some(false), refusals::Device(tell)).await.unwrap();
            written.push(id);
            if stop.is_cancelled() {
                break;
            }
            tokio::time::sleep(PACE).await;
        }
        written
    }

    /// What the log has, once it has so much.
    async fn log(&self, conversation: ConversationId, count: usize) -> Vec<CommandId> {
        loop {
            let records = self.services.event_log.read(conversation, Seq(1), 1_000).await.unwrap();
            if records.len() >= count {
                return records.into_iter().map(|record| record.id).collect();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Chance that never comes twice.
#[derive(Default)]
struct Chance(std::sync::atomic::AtomicU64);

impl Entropy for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let next = NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(next.iter().cycle()).for_each(|(byte, next)| *byte = *next);
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Conversations in slots far from each other.
fn conversations() -> Vec<ConversationId> {
    let conversation = |number: u8| {
        let mut bytes = [number; 16];
        bytes[14] = number;
        ConversationId::from_bytes(bytes)
    };
    (0..16).map(conversation).collect()
}

#[tokio::test]
async fn whoever_writes_through_two_processes_is_decided_in_order_while_partitions_are_added() {
    let (site, stop) = (Arc::new(Site::start().await), CancellationToken::new());
    let write = |conversation| {
        let (site, stop) = (site.clone(), stop.clone());
        tokio::spawn(async move { (conversation, site.write(conversation, stop).await) })
    };
    let written: Vec<_> = conversations().into_iter().map(write).collect();
    let raised = raise(&site.services, AFTER, &[]).await.unwrap();
    assert_eq!(raised.before, BEFORE);
    while site.known().iter().any(|known| *known != AFTER) {
        tokio::time::sleep(PACE).await;
    }
    stop.cancel();
    for writing in written {
        let (conversation, written) = writing.await.unwrap();
        assert_eq!(site.log(conversation, written.len()).await, written);
    }
    assert_eq!(
        site.services.partitioning.port.map(Timestamp(1)).await.unwrap(),
        Map { partitions: AFTER, change: None }
    );
    let again = raise(&site.services, AFTER, &[]).await.unwrap_err();
    assert!(matches!(again, NotRaised::NotMore(AFTER)), "{again}");
    Arc::into_inner(site).unwrap().stop().await;
}

#[tokio::test]
async fn whoever_does_not_hold_back_keeps_the_number_as_it_was_and_nobody_waits_for_ever() {
    let site = Site::start().await;
    site.said.send("paused", None, Timestamp(1)).await.unwrap();
    let stop = CancellationToken::new();
    let raising = async {
        let raised = raise(&site.services, AFTER, &[]).await;
        stop.cancel();
        raised
    };
    let (raised, written) = tokio::join!(raising, site.write(TEA, stop.clone()));
    assert!(matches!(&raised, Err(NotRaised::NotHeld(NotHeld::Late(names))) if *names == ["paused"]), "{raised:?}");
    let map = site.said.map(Timestamp(1)).await.unwrap();
    assert_eq!(map, Map { partitions: BEFORE, change: None });
    assert_eq!(site.log(TEA, written.len()).await, written);
    // An operator who is sure says so.
    raise(&site.services, AFTER, &["paused".to_owned()]).await.unwrap();
    site.stop().await;
}

#[tokio::test]
async fn whoever_is_said_to_be_dead_and_lives_keeps_the_number_as_it_was() {
    let site = Site::start().await;
    site.said.send("dead", None, Timestamp(1)).await.unwrap();
    let raised = raise(&site.services, AFTER, &["dead".to_owned(), "other".to_owned()]).await;
    assert!(matches!(&raised, Err(NotRaised::NotHeld(NotHeld::Living(names))) if *names == ["other"]), "{raised:?}");
    let map = site.said.map(Timestamp(1)).await.unwrap();
    assert_eq!(map, Map { partitions: BEFORE, change: None });
    let senders = site.said.senders(Timestamp(1)).await.unwrap();
    assert_eq!(senders.iter().map(|sender| sender.name.as_str()).collect::<Vec<_>>(), ["one", "other"]);
    raise(&site.services, AFTER, &[]).await.unwrap();
    site.stop().await;
}

#[tokio::test]
async fn where_nobody_says_what_became_of_a_change_what_is_written_is_refused_until_somebody_does() {
    let site = Site::start().await;
    let one = &site.senders[0];
    let outcome = one.command(TEA, command(0, ADA, founding()), Some(false)).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
    let attempt = site.said.begin(AFTER, Timestamp(1)).await.unwrap();
    let hold = async |name: &str| {
        while !site
            .said
            .senders(Timestamp(1))
            .await
            .unwrap()
            .iter()
            .any(|it| it.name == name && it.holds == Some(attempt))
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    hold("one").await;
    hold("other").await;
    site.said.1.store(true, Ordering::SeqCst);
    site.said.finish(attempt, Timestamp(1)).await.unwrap();
    let refused = one.command(TEA, command(1, ADA, send()), Some(false)).await.unwrap_err();
    assert_eq!(refused, Refused::Unavailable);
    site.said.1.store(false, Ordering::SeqCst);
    let outcome = loop {
        match one.command(TEA, command(1, ADA, send()), Some(false)).await {
            Err(Refused::Unavailable) => tokio::time::sleep(Duration::from_millis(50)).await,
            outcome => break outcome.unwrap(),
        }
    };
    assert_eq!(outcome, Outcome::Committed { seq: Seq(2), repeated: false });
    site.stop().await;
}

#[tokio::test]
async fn where_nothing_is_decided_the_number_stays_and_the_queue_goes_on() {
    let site = Site::start().await;
    site.stop.cancel();
    site.tasks.close();
    site.tasks.wait().await;
    let (raised, ()) = tokio::join!(raise(&site.services, AFTER, &[]), async {
        let (tell, _told) = tokio::sync::mpsc::unbounded_channel();
        let new = command(1, ADA, send());
        site.senders[0].submit(TEA, new, Some(false), refusals::Device(tell)).await.unwrap();
    });
    assert!(matches!(&raised, Err(NotRaised::NotHeld(NotHeld::NotDrained(left))) if *left == [0, 1]), "{raised:?}");
    let (tell, _told) = tokio::sync::mpsc::unbounded_channel();
    let new = command(2, ADA, send());
    site.senders[1].submit(TEA, new, Some(false), refusals::Device(tell)).await.unwrap();
}

#[tokio::test]
async fn what_is_held_back_is_refused_when_the_site_leaves_and_no_queue_ever_has_it() {
    let site = Site::start().await;
    let one = site.senders[0].clone();
    let founded = one.command(TEA, command(0, ADA, founding()), Some(false)).await.unwrap();
    assert!(matches!(founded, Outcome::Committed { .. }), "{founded:?}");
    let hold = Hold::begin(&site.services, BEFORE, BEFORE, &[]).await.unwrap();
    let held = one.command(TEA, command(1, ADA, send()), Some(false));
    tokio::pin!(held);
    tokio::select! {
        biased;
        outcome = &mut held => panic!("{outcome:?}"),
        driven = hold.drive() => drop(driven.unwrap()),
    }
    site.let_go.cancel();
    assert_eq!(held.await.unwrap_err(), Refused::Unavailable);
    // Not even where whoever held everything back is gone.
    hold.give_up().await;
    while site.said.senders(Timestamp(1)).await.unwrap().iter().any(|sender| sender.holds.is_some()) {
        tokio::time::sleep(PACE).await;
    }
    for conversations in &site.senders {
        let refused = conversations.command(TEA, command(2, ADA, send()), Some(false)).await;
        assert_eq!(refused.unwrap_err(), Refused::Unavailable);
    }
    assert_eq!(site.log(TEA, 1).await.len(), 1);
    site.stop().await;
}

#[tokio::test]
async fn whoever_begins_while_everything_is_held_back_can_be_told_to_stop() {
    let site = Site::start().await;
    let hold = Hold::begin(&site.services, BEFORE, BEFORE, &[]).await.unwrap();
    let let_go = CancellationToken::new();
    let beginning = Conversations::start(site.given[0].clone(), let_go.clone());
    tokio::pin!(beginning);
    for _ in 0..10 {
        tokio::select! {
            biased;
            _ = &mut beginning => panic!("it does not wait for the end of that"),
            () = tokio::time::sleep(PACE) => {}
        }
        drop(hold.drive().await.unwrap());
    }
    let_go.cancel();
    let conversations = tokio::time::timeout(Duration::from_secs(60), beginning).await.unwrap().unwrap();
    let refused = conversations.command(TEA, command(0, ADA, founding()), Some(false)).await;
    assert_eq!(refused.unwrap_err(), Refused::Unavailable);
    hold.give_up().await;
    site.stop().await;
}

#[tokio::test]
async fn who_has_left_is_not_taken_for_one_who_sends_by_what_it_says_later() {
    let site = Site::start().await;
    let one = &site.given[0];
    one.partitioning.leave(&one.process).await.unwrap();
    // As one who looked at the map just then.
    let late = one.partitioning.send(&one.process, None, Timestamp(1)).await;
    assert_eq!(late.unwrap_err().kind, ErrorKind::Unavailable);
    let senders = site.said.senders(Timestamp(1)).await.unwrap();
    assert_eq!(senders.iter().map(|sender| sender.name.as_str()).collect::<Vec<_>>(), ["other"]);
    site.stop().await;
}
