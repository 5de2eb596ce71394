//! What lies in the log, or in the queue, cannot be read: commands that need it are kept for an operator, and nobody else notices.

use std::collections::HashSet;

use klatch_core::conversation::Rejection;
use klatch_ports::ErrorKind;
use klatch_ports::overlay::Overlays;
use klatch_protocol::log::{DeadLetter, Envelope, Failure};
use parking_lot::Mutex;

use super::refusals::{HERS, Site, decided, lasting, process, send, submit_to};
use super::*;

const COFFEE: ConversationId = ConversationId::from_bytes([8; 16]);
const UNDECIDABLE: Outcome = Outcome::Rejected(Rejection::Undecidable);

/// A log of which some conversations are damaged, and of which reading fails for so many calls.
#[derive(Default)]
struct Damaged {
    log: MemoryEventLog,
    damaged: Mutex<HashSet<ConversationId>>,
    failing: Mutex<Vec<ErrorKind>>,
}

#[async_trait]
impl EventLog for Damaged {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<(), Error>> {
        self.log.append(batch).await
    }

    async fn read(&self, conversation: ConversationId, from: Seq, limit: usize) -> Result<Vec<Record>, Error> {
        if let Some(kind) = self.failing.lock().pop() {
            return Err(Error::new(kind, "it was told to fail"));
        }
        let mut records = self.log.read(conversation, from, limit).await?;
        if self.damaged.lock().contains(&conversation) {
            records.iter_mut().for_each(|record| record.head = Bytes::from_static(b"\xff\xff"));
        }
        Ok(records)
    }

    async fn tails(&self, conversations: &[ConversationId]) -> Result<Vec<Seq>, Error> {
        self.log.tails(conversations).await
    }

    async fn find(&self, conversation: ConversationId, ids: &[CommandId]) -> Result<Vec<Option<Bytes>>, Error> {
        self.log.find(conversation, ids).await
    }

    async fn erase(&self, conversation: ConversationId, seqs: &[Seq]) -> Result<(), Error> {
        self.log.erase(conversation, seqs).await
    }

    async fn conversations(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Seq)>, Error> {
        self.log.conversations(after, limit).await
    }

    async fn save_snapshot(&self, conversation: ConversationId, snapshot: Snapshot) -> Result<(), Error> {
        self.log.save_snapshot(conversation, snapshot).await
    }

    async fn snapshot(&self, conversation: ConversationId) -> Result<Option<Snapshot>, Error> {
        self.log.snapshot(conversation).await
    }
}

/// Overlays of which none can be read.
#[derive(Default)]
struct Scribbled(overlay::MemoryOverlays);

#[async_trait]
impl Overlays for Scribbled {
    async fn put(&self, conversation: ConversationId, upto: Seq, rows: Vec<(Seq, Bytes)>) -> Result<(), Error> {
        self.0.put(conversation, upto, rows).await
    }

    async fn range(&self, _: ConversationId, from: Seq, _: Seq) -> Result<Vec<(Seq, Bytes)>, Error> {
        Ok(vec![(from, Bytes::from_static(b"\xff\xff"))])
    }

    async fn applied(&self, conversation: ConversationId) -> Result<Seq, Error> {
        self.0.applied(conversation).await
    }

    async fn mend(
        &self,
        conversation: ConversationId,
        at: Seq,
        upto: Seq,
        rows: Vec<(Seq, Option<Bytes>)>,
    ) -> Result<bool, Error> {
        self.0.mend(conversation, at, upto, rows).await
    }

    async fn clear(&self, conversation: ConversationId) -> Result<(), Error> {
        self.0.clear(conversation).await
    }
}

/// A durable queue whose dead letters are away for so many calls.
struct Gravedigger(Durable, Away);

#[async_trait]
impl Commands for Gravedigger {
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
        self.1.check()?;
        self.0.bury(letters).await
    }

    async fn dead(&self) -> Result<Box<dyn Dead>, Error> {
        self.0.dead().await
    }
}

async fn dead(services: &Services) -> Vec<DeadLetter> {
    let letters = services.commands.dead().await.unwrap().next(99).await.unwrap();
    letters.into_iter().map(|letter| DeadLetter::decode(letter.payload).unwrap()).collect()
}

fn is_committed(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Committed { .. })
}

/// A site with a channel beside that of [`Site::start`], whose log can be damaged, and whose processor stopped.
async fn stopped(services: Services) -> (Arc<Services>, Arc<Conversations>, Arc<Damaged>) {
    let log = Arc::new(Damaged::default());
    let site = Site::start(Services { event_log: log.clone(), ..services }).await;
    let begun = site.conversations.command(COFFEE, command(4, ADA, founding()), Some(false)).await.unwrap();
    assert!(is_committed(begun), "{begun:?}");
    let services = site.services.clone();
    (services, site.stop().await, log)
}

#[tokio::test]
async fn a_damaged_conversation_is_kept_for_an_operator_and_others_go_on() {
    let (services, conversations, log) = stopped(lasting()).await;
    log.damaged.lock().insert(TEA);
    let (hello, other) = (command(6, ADA, send()), command(7, ADA, send()));
    let told = [
        submit_to(&conversations, TEA, hello.clone()).await,
        submit_to(&conversations, COFFEE, other).await,
        submit_to(&conversations, TEA, command(3, ADA, founding())).await,
    ];
    let (stop, processor) = process(&services);
    let [mine, others, before] = told.map(decided);
    assert_eq!(mine.await, UNDECIDABLE);
    assert!(is_committed(others.await), "another conversation in the same batch");
    assert_eq!(before.await, Outcome::Committed { seq: Seq(1), repeated: true }, "it took effect before");
    let letters = dead(&services).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!((letters[0].conversation, letters[0].partition, letters[0].at), (Some(TEA), 0, Timestamp(1)));
    assert!(letters[0].reason.contains("cannot be read: the bytes are no message"), "{}", letters[0].reason);
    assert_eq!(Envelope::decode(letters[0].payload.clone()).unwrap().command, hello);

    let again = || async { decided(submit_to(&conversations, TEA, hello.clone()).await).await };
    assert_eq!(again().await, UNDECIDABLE);
    assert_eq!(dead(&services).await.len(), 1, "it is kept once");
    log.damaged.lock().clear();
    assert_eq!(again().await, UNDECIDABLE, "its device does not know yet");
    services.mailboxes.confirm(HERS, &[(TEA, hello.id)]).await.unwrap();
    assert!(is_committed(again().await), "and then it is decided anew");
    stop.cancel();
    processor.await.unwrap();
}

#[tokio::test]
async fn what_is_no_command_is_kept_and_the_next_is_decided() {
    let site = Site::start(lasting()).await;
    site.services.commands.submit(0, Bytes::from_static(b"\xff nonsense")).await.unwrap();
    site.services.commands.submit(0, vec![0xff; 1 << 20].into()).await.unwrap();
    assert!(is_committed(site.outcome(command(6, ADA, send())).await));
    let letters = dead(&site.services).await;
    assert_eq!(letters.len(), 2);
    assert_eq!((letters[0].conversation, &letters[0].payload[..]), (None, &b"\xff nonsense"[..]));
    assert_eq!(letters[1].payload.len(), 256 * 1024, "of what is too large for a queue of letters, the beginning");
    assert!(letters[1].reason.ends_with("(cut off after 262144 bytes)"), "{}", letters[1].reason);
    site.stop().await;
}

#[tokio::test]
async fn nobody_is_refused_before_it_is_kept_and_nobody_else_waits_for_that() {
    let commands = Arc::new(Gravedigger(Durable(memory::Memory::new(1, 10)), Away(3.into())));
    let (services, conversations, log) = stopped(Services { commands: commands.clone(), ..lasting() }).await;
    log.damaged.lock().insert(TEA);
    services.commands.submit(0, Bytes::from_static(b"\xff nonsense")).await.unwrap();
    let told = submit_to(&conversations, TEA, command(6, ADA, send())).await;
    let others = submit_to(&conversations, COFFEE, command(7, ADA, send())).await;
    let (stop, processor) = process(&services);
    assert!(is_committed(decided(others).await));
    assert_eq!(decided(told).await, UNDECIDABLE);
    assert_eq!(commands.1.0.load(Ordering::SeqCst), 0, "it waited in its queue until there was a place for it");
    stop.cancel();
    processor.await.unwrap();
    assert_eq!(dead(&services).await.len(), 2, "each is kept once");
}

#[tokio::test]
async fn an_outage_of_whatever_kind_is_waited_for_and_nobody_is_refused() {
    use ErrorKind::{Broken, Full, Unavailable};
    let (services, conversations, log) = stopped(lasting()).await;
    log.failing.lock().extend([Unavailable, Full, Broken]);
    let told = submit_to(&conversations, TEA, command(6, ADA, send())).await;
    let (stop, processor) = process(&services);
    assert!(is_committed(decided(told).await));
    assert!(log.failing.lock().is_empty());
    assert_eq!(dead(&services).await, []);
    stop.cancel();
    processor.await.unwrap();
}

#[tokio::test]
async fn while_something_is_away_nobody_is_given_up() {
    let (services, conversations, log) = stopped(lasting()).await;
    log.damaged.lock().insert(TEA);
    log.failing.lock().extend([ErrorKind::Unavailable; 3]);
    let others = submit_to(&conversations, COFFEE, command(7, ADA, send())).await;
    let mine = conversations.command(TEA, command(6, ADA, send()), Some(false));
    let deciding = async {
        // The one who waits for nothing but the outcome is asked first.
        tokio::task::yield_now().await;
        process(&services)
    };
    let (mine, (stop, processor)) = tokio::join!(mine, deciding);
    assert_eq!(mine.unwrap(), UNDECIDABLE);
    assert!(is_committed(decided(others).await));
    assert_eq!(dead(&services).await.len(), 1, "it is kept once, when all of it can be answered");
    stop.cancel();
    processor.await.unwrap();
}

#[tokio::test]
async fn a_row_that_cannot_be_read_stops_only_who_needs_it() {
    let overlays = Arc::new(Scribbled::default());
    let (services, conversations, _) = stopped(Services { overlays, ..lasting() }).await;
    let (hello, target) = (command(6, ADA, send()), CommandId::from_bytes([6; 16]));
    let like = command(7, ADA, CommandKind::React { target, emoji: "👍".to_owned(), on: true });
    let told = [
        submit_to(&conversations, TEA, hello).await,
        submit_to(&conversations, TEA, like.clone()).await,
        submit_to(&conversations, TEA, command(8, ADA, send())).await,
    ];
    let (stop, processor) = process(&services);
    let [hello, like_it, later] = told.map(decided);
    assert!(is_committed(hello.await));
    assert_eq!(like_it.await, UNDECIDABLE);
    assert!(is_committed(later.await));
    let letters = dead(&services).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(Envelope::decode(letters[0].payload.clone()).unwrap().command, like);
    stop.cancel();
    processor.await.unwrap();
}

#[tokio::test]
async fn a_queue_in_memory_keeps_nothing_and_says_that_nothing_is_known() {
    let commands = Arc::new(memory::Memory::new(1, 10));
    let (services, conversations, log) = stopped(Services { commands, ..lasting() }).await;
    log.damaged.lock().insert(TEA);
    let told = submit_to(&conversations, TEA, command(6, ADA, send())).await;
    let (stop, processor) = process(&services);
    assert_eq!(decided(told).await, Outcome::Failed(Failure::Unavailable));
    assert_eq!(dead(&services).await, []);
    stop.cancel();
    processor.await.unwrap();
}
