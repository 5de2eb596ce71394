//! A command that is refused after it was accepted: its device hears of it, once or again, until it says that it knows.

use std::sync::atomic::AtomicU64;

use klatch_core::conversation::Rejection;
use klatch_core::ids::DeviceId;
use klatch_ports::live::{Listener, Live, Said, Topic, Topics};
use klatch_ports::mailboxes::{Letter, Mailboxes};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::*;
use crate::conversations::{Asker, Refused};

pub(super) const EVE: UserId = UserId::from_bytes([4; 16]);
pub(super) const HERS: DeviceId = DeviceId::from_bytes([5; 16]);
const REFUSED: Outcome = Outcome::Rejected(Rejection::NotFound);

/// Mailboxes that say of themselves that they are durable, and are away when they are told to.
#[derive(Default)]
pub(super) struct Lasting(mailboxes::memory::Memory, Away);

#[async_trait]
impl Mailboxes for Lasting {
    fn is_durable(&self) -> bool {
        true
    }

    async fn put(&self, letters: Vec<Letter>) -> Result<(), Error> {
        self.1.check()?;
        self.0.put(letters).await
    }

    async fn waiting(&self, device: DeviceId, limit: usize) -> Result<Vec<Letter>, Error> {
        self.0.waiting(device, limit).await
    }

    async fn devices(&self, after: Option<DeviceId>, limit: usize) -> Result<Vec<DeviceId>, Error> {
        self.0.devices(after, limit).await
    }

    async fn confirm(&self, device: DeviceId, commands: &[(ConversationId, CommandId)]) -> Result<(), Error> {
        self.0.confirm(device, commands).await
    }

    async fn commands(&self, conversation: ConversationId, limit: usize) -> Result<Vec<CommandId>, Error> {
        self.0.commands(conversation, limit).await
    }

    async fn find(&self, place: ConversationId, asked: &[(CommandId, DeviceId)]) -> Result<Vec<Option<Bytes>>, Error> {
        self.0.find(place, asked).await
    }
}

/// A bus on which no outcome arrives.
#[derive(Default)]
struct Deaf(live::memory::Memory);

#[async_trait]
impl Live for Deaf {
    async fn publish(&self, messages: Vec<Said>) -> Result<(), Error> {
        let others = messages.into_iter().filter(|said| !matches!(said.topic, Topic::Node(_)));
        self.0.publish(others.collect()).await
    }

    async fn listen(&self) -> Result<(Arc<dyn Topics>, Box<dyn Listener>), Error> {
        self.0.listen().await
    }
}

/// A clock on which much time passes.
#[derive(Default)]
struct Hasty(AtomicU64);

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Told {
    Accepted,
    Decided(Outcome),
    Refused(Refused),
}

/// A device that is told things, unless it has gone.
pub(super) struct Device(pub UnboundedSender<Told>);

impl Asker for Device {
    fn device(&self) -> Option<DeviceId> {
        Some(HERS)
    }

    fn accepted(&self) {
        let _ = self.0.send(Told::Accepted);
    }

    fn decided(self: Box<Self>, outcome: Outcome) {
        let _ = self.0.send(Told::Decided(outcome));
    }

    fn refused(self: Box<Self>, refused: Refused) {
        let _ = self.0.send(Told::Refused(refused));
    }

    fn is_gone(&self) -> bool {
        self.0.is_closed()
    }
}

pub(super) struct Site {
    pub(super) services: Arc<Services>,
    pub(super) conversations: Arc<Conversations>,
    stop: CancellationToken,
    processor: JoinHandle<()>,
}

impl Site {
    /// Where Ada has begun a channel.
    pub(super) async fn start(services: Services) -> Self {
        let services = Arc::new(services);
        let (stop, processor) = process(&services);
        let conversations = Conversations::start(services.clone(), CancellationToken::new()).await.unwrap();
        let begun = conversations.command(TEA, command(3, ADA, founding()), Some(false)).await.unwrap();
        assert!(matches!(begun, Outcome::Committed { .. }), "{begun:?}");
        Self { services, conversations, stop, processor }
    }

    pub(super) async fn stop(self) -> Arc<Conversations> {
        self.stop.cancel();
        self.processor.await.unwrap();
        self.conversations
    }

    /// Another processor, with nothing in memory.
    pub(super) async fn restart(self) -> Self {
        let services = self.services.clone();
        let conversations = self.stop().await;
        let (stop, processor) = process(&services);
        Self { services, conversations, stop, processor }
    }

    /// What becomes of a command from a device that hears `accepted`.
    pub(super) async fn outcome(&self, command: Command) -> Outcome {
        decided(submit(&self.conversations, command).await).await
    }

    pub(super) async fn waiting(&self) -> Vec<CommandId> {
        self.services.mailboxes.waiting(HERS, 9).await.unwrap().iter().map(|letter| letter.id).collect()
    }
}

async fn submit(conversations: &Conversations, command: Command) -> UnboundedReceiver<Told> {
    submit_to(conversations, TEA, command).await
}

pub(super) async fn submit_to(
    conversations: &Conversations,
    conversation: ConversationId,
    command: Command,
) -> UnboundedReceiver<Told> {
    let (tell, told) = unbounded_channel();
    conversations.submit(conversation, command, Some(false), Device(tell)).await.unwrap();
    told
}

/// What a device was told in the end.
pub(super) async fn decided(mut told: UnboundedReceiver<Told>) -> Outcome {
    let mut all = Vec::new();
    while let Some(told) = tokio::time::timeout(PATIENCE, told.recv()).await.expect("it is told") {
        all.push(told);
    }
    all.retain(|told| *told != Told::Accepted);
    let [Told::Decided(outcome)] = all[..] else { panic!("not decided once: {all:?}") };
    outcome
}

pub(super) fn process(services: &Arc<Services>) -> (CancellationToken, JoinHandle<()>) {
    let stop = CancellationToken::new();
    let heads = Arc::new(heads::Memory::new(services.clone(), None));
    (stop.clone(), tokio::spawn(partition::run(services.clone(), heads, 0, stop)))
}

pub(super) fn lasting() -> Services {
    Services { mailboxes: Arc::new(Lasting::default()), ..world() }
}

pub(super) fn send() -> CommandKind {
    CommandKind::Send {
        body: Bytes::from_static(b"sealed"),
        mentions: Vec::new(),
        replies: Vec::new(),
        thread: None,
        expires_at: None,
    }
}

#[tokio::test]
async fn is_refused_again_until_its_device_knows_and_then_decided_anew() {
    let mut site = Site::start(lasting()).await;
    let hello = command(6, EVE, send());
    assert_eq!(site.outcome(hello.clone()).await, REFUSED, "she is no member");
    let joined = site.outcome(command(7, EVE, CommandKind::Join)).await;
    assert!(matches!(joined, Outcome::Committed { repeated: false, .. }), "{joined:?}");
    for _ in 0..2 {
        assert_eq!(site.outcome(hello.clone()).await, REFUSED, "she was none when it was decided");
        let other = Command { hash: [1; 16], ..hello.clone() };
        assert_eq!(site.outcome(other).await, Outcome::Rejected(Rejection::CommandReused));
        assert_eq!(site.waiting().await, [hello.id], "it waits once");
        site = site.restart().await;
    }
    site.services.mailboxes.confirm(HERS, &[(TEA, hello.id)]).await.unwrap();
    let again = site.outcome(hello.clone()).await;
    assert!(matches!(again, Outcome::Committed { repeated: false, .. }), "{again:?}");
    let again = site.outcome(hello).await;
    assert!(matches!(again, Outcome::Committed { repeated: true, .. }), "{again:?}");
    site.stop().await;
}

/// As on a node that a site has moved back to.
#[tokio::test]
async fn is_refused_again_where_commands_are_not_kept_any_more() {
    let site = Site::start(lasting()).await;
    let hello = command(6, EVE, send());
    assert_eq!(site.outcome(hello.clone()).await, REFUSED);
    let mailboxes = site.services.mailboxes.clone();
    site.stop().await;
    let site =
        Site::start(Services { mailboxes, commands: Arc::new(memory::Memory::new(1, WAITING.into())), ..world() });
    let site = site.await;
    site.outcome(command(7, EVE, CommandKind::Join)).await;
    assert_eq!(site.outcome(hello.clone()).await, REFUSED, "as it was decided when it was accepted");
    let other = Command { actor: UserId::from_bytes([9; 16]), ..command(8, EVE, send()) };
    assert_eq!(site.outcome(other).await, REFUSED);
    assert_eq!(site.waiting().await, [hello.id], "who was promised no answer need not confirm it");
    site.stop().await;
}

#[tokio::test]
async fn is_not_remembered_where_it_came_out_of_its_order() {
    let site = Site::start(lasting()).await;
    let later = Command { after: Some(CommandId::from_bytes([6; 16])), ..command(7, ADA, send()) };
    assert_eq!(site.outcome(later.clone()).await, Outcome::Rejected(Rejection::OutOfOrder));
    site.outcome(command(6, ADA, send())).await;
    let again = site.outcome(later).await;
    assert!(matches!(again, Outcome::Committed { repeated: false, .. }), "{again:?}");
    site.stop().await;
}

#[tokio::test]
async fn is_told_only_when_that_is_kept() {
    let away = Arc::new(Lasting(mailboxes::memory::Memory::default(), Away(3.into())));
    let site = Site::start(Services { mailboxes: away.clone(), ..world() }).await;
    assert_eq!(site.outcome(command(6, EVE, send())).await, REFUSED);
    assert_eq!(away.1.0.load(Ordering::SeqCst), 0, "it waited in its queue until the mailboxes were back");
    assert_eq!(site.waiting().await, [CommandId::from_bytes([6; 16])]);
    site.stop().await;
}

#[tokio::test]
async fn is_found_in_the_mailbox_where_the_answer_was_lost() {
    let services = Services { live: Arc::new(Deaf::default()), clock: Arc::new(Hasty::default()), ..lasting() };
    let site = Site::start(services).await;
    assert_eq!(site.outcome(command(6, EVE, send())).await, REFUSED);
    let said = site.outcome(command(7, ADA, send())).await;
    assert!(matches!(said, Outcome::Committed { .. }), "{said:?}");
    site.stop().await;
}

#[tokio::test]
async fn who_finds_in_the_log_that_they_are_in_sees_it_in_their_list() {
    let site = Site::start(world()).await;
    let joined = site.outcome(command(7, EVE, CommandKind::Join)).await;
    let Outcome::Committed { seq, .. } = joined else { panic!("{joined:?}") };
    // A processor that died between log and views, and told nobody.
    let event_log = site.services.event_log.clone();
    site.stop().await;
    let services = Arc::new(Services { event_log, clock: Arc::new(Hasty::default()), ..world() });
    let conversations = Conversations::start(services.clone(), CancellationToken::new()).await.unwrap();
    let found = conversations.command(TEA, command(7, EVE, CommandKind::Join), Some(false)).await.unwrap();
    assert_eq!(found, Outcome::Committed { seq, repeated: true });
    assert!(services.views.inbox_row(EVE, TEA).await.unwrap().is_some(), "she is in");
}

#[tokio::test]
async fn nobody_is_promised_anything_that_only_memory_keeps() {
    let site = Site::start(world()).await;
    let mut told = submit(&site.conversations, command(6, EVE, send())).await;
    let first = tokio::time::timeout(PATIENCE, told.recv()).await.expect("it is told");
    assert_eq!(first, Some(Told::Decided(REFUSED)), "and not accepted");
    site.stop().await;
}

#[tokio::test]
async fn who_was_told_accepted_waits_for_as_long_as_it_is_there_and_no_longer() {
    let services = Services { clock: Arc::new(Hasty::default()), ..lasting() };
    let conversations = Site::start(services).await.stop().await;
    let mut told = submit(&conversations, command(6, ADA, send())).await;
    assert_eq!(told.recv().await, Some(Told::Accepted));
    // Others give up meanwhile: to them it must be said that nothing is known.
    let given_up = conversations.command(TEA, command(7, ADA, send()), Some(false)).await.unwrap();
    assert!(matches!(given_up, Outcome::Failed(_)), "{given_up:?}");
    assert!(told.try_recv().is_err(), "it still waits");
    told.close();
    tokio::time::timeout(PATIENCE, async {
        while conversations.waiting() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("what nobody waits for is forgotten");
}
