//! The handle with which everybody commands a conversation: it finds the partition, puts the command into its queue, and brings
//! the outcome back to whoever asked. The same whether the processor is in this process or in another.
//!
//! Where queue and mailboxes are durable, a device is told `accepted` unless it is answered soon, and waits as long as it is connected;
//! what becomes of its command is in the log or in its mailbox, should it not hear of it.

mod accepting;
mod lost;
mod ways;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use klatch_core::conversation::{Command, CommandHash};
use klatch_core::ids::{CommandId, ConversationId, DeviceId, Timestamp, UserId, Uuid};
use klatch_ports::live::Topic;
use klatch_ports::{Error, ErrorKind};
use klatch_protocol::log::{Envelope, Failure, Outcome, decode_outcomes};
use metrics::Counter;
use parking_lot::Mutex;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use crate::environment::uuid_v7;
use crate::lanes::Lane;
use crate::partitioning::LOOK_EVERY;
use crate::projection::leads_to_inline;
use crate::services::Services;
#[cfg(test)]
pub use accepting::TELL_EVERY;
use ways::{Way, Ways};

/// How long an outcome is waited for by whoever was not told `accepted`: milliseconds. After that it is unknown, and the client sends
/// again.
const PATIENCE_MS: u64 = 10_000;
const SWEEP: Duration = Duration::from_secs(1);
/// LIMIT: commands whose outcome is waited for on a node, as while the log is away.
const PENDING_MAX: usize = 100_000;
/// Commands without an outcome with which a node is busy: then a few milliseconds are little of what each of them takes.
const BUSY_PENDING: usize = 64;

/// Who waits for what becomes of a command.
pub trait Asker: Send + 'static {
    /// The device that is told `accepted` where that can be promised, and for which a refusal is then kept. Without one, nobody is told,
    /// and the outcome is waited for only so long.
    fn device(&self) -> Option<DeviceId>;

    /// The queue keeps the command, and nothing became of it yet. Never called twice.
    fn accepted(&self);

    /// What became of it. Called once, if at all.
    fn decided(self: Box<Self>, outcome: Outcome);

    /// Its queue did not take it. Then nothing else is called.
    fn refused(self: Box<Self>, refused: Refused);

    /// Whether nobody is there any more who waits.
    fn is_gone(&self) -> bool;
}

/// Why a command did not reach a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The queue is full: come again.
    Full,
    /// The queue is away.
    Unavailable,
}

/// The handle.
pub struct Conversations {
    services: Arc<Services>,
    node: Uuid,
    pending: Mutex<HashMap<u64, Pending>>,
    next: AtomicU64,
    ways: Ways,
    /// To whoever tells that commands are accepted.
    accepted: UnboundedSender<Vec<u64>>,
    /// Held while the log is asked for outcomes: where it is slow, one question at a time is enough.
    looking: Arc<Semaphore>,
}

struct Pending {
    since: Timestamp,
    asked: Asked,
    asker: Box<dyn Asker>,
    is_accepted: bool,
    /// Who waits for the queue's word, if anybody does.
    entering: Option<oneshot::Sender<Result<(), Refused>>>,
}

/// What is known of a command while its outcome is waited for.
#[derive(Clone, Copy)]
struct Asked {
    conversation: ConversationId,
    id: CommandId,
    author: UserId,
    hash: CommandHash,
    device: Option<DeviceId>,
    /// Whether who is told that it took effect must find it in the views.
    is_inline: bool,
}

impl Conversations {
    /// Begins to listen for outcomes. From when `let_go` is cancelled, whatever is held back is refused, and all that follows it: this
    /// process stops.
    ///
    /// # Errors
    /// The port `live` failed.
    pub async fn start(services: Arc<Services>, let_go: CancellationToken) -> Result<Arc<Self>, Error> {
        let node = uuid_v7(&*services.clock, &*services.entropy);
        let (topics, mut listener) = services.live.listen().await?;
        topics.add(Topic::Node(node)).await?;
        // A lane is made before there is a handle, and asks for one when the queue answers.
        let handle: Arc<OnceLock<Weak<Self>>> = Arc::default();
        let (answering, commands, is_durable) =
            (handle.clone(), services.commands.clone(), services.commands.is_durable());
        let way = move |partition: usize| {
            let submitted = metrics::counter!("klatch_commands_submitted_total", "partition" => partition.to_string());
            let (answering, asked) = (answering.clone(), answering.clone());
            let (commands, counted) = (commands.clone(), submitted.clone());
            let submit = move |message| {
                let commands = commands.clone();
                async move { commands.submit(partition, message).await }
            };
            let answered = move |correlations: &[u64], answer| {
                if let Some(this) = answering.get().and_then(Weak::upgrade) {
                    this.answered(&counted, correlations, answer);
                }
            };
            let is_busy = move || {
                asked.get().and_then(Weak::upgrade).is_some_and(|this| this.pending.lock().len() >= BUSY_PENDING)
            };
            // In memory there is nothing to wait for.
            let lane = is_durable.then(|| Lane::begin(submit, answered, is_busy));
            Way { submitted, lane }
        };
        let ways = Ways::begin(services.clone(), let_go, way).await?;
        let (pending, next, looking) = (Mutex::default(), AtomicU64::new(1), Arc::new(Semaphore::new(1)));
        let (accepted, untold) = mpsc::unbounded_channel();
        let this = Arc::new(Self { services, node, pending, next, ways, accepted, looking });
        handle.get_or_init(|| Arc::downgrade(&this));
        tokio::spawn(accepting::tell(Arc::downgrade(&this), untold));
        let following = Arc::downgrade(&this);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let Some(this) = following.upgrade() else { return };
                this.ways.follow().await;
            }
        });
        let receiver = Arc::downgrade(&this);
        tokio::spawn(async move {
            let mut sweep = tokio::time::interval(SWEEP);
            loop {
                let said = tokio::select! {
                    said = listener.next() => Some(said),
                    _ = sweep.tick() => None,
                };
                let Some(this) = receiver.upgrade() else { break };
                match said {
                    Some(Some(said)) => said.into_iter().for_each(|said| this.arrived(said.payload)),
                    Some(None) => break,
                    None => {
                        this.sweep();
                        this.look();
                    }
                }
            }
            drop(topics);
        });
        Ok(this)
    }

    /// Puts a command into its queue; `asker` is told its outcome, once.
    ///
    /// # Errors
    /// [`Refused`]; then `asker` was not and will not be told anything.
    pub async fn submit(
        &self,
        conversation: ConversationId,
        command: Command,
        blocked: Option<bool>,
        asker: impl Asker,
    ) -> Result<(), Refused> {
        let (tell, told) = oneshot::channel();
        self.enter(conversation, command, blocked, asker, Some(tell)).await?;
        // Its outcome may come before the queue's word.
        told.await.unwrap_or(Ok(()))
    }

    /// Puts a command behind those that wait for its queue; `asker` is told its outcome, or that the queue did not take it. Commands that
    /// are handed in one after the other come into a queue in that order.
    ///
    /// # Errors
    /// [`Refused`]; then `asker` was not and will not be told anything.
    pub async fn hand_in(
        &self,
        conversation: ConversationId,
        command: Command,
        blocked: Option<bool>,
        asker: impl Asker,
    ) -> Result<(), Refused> {
        self.enter(conversation, command, blocked, asker, None).await
    }

    async fn enter(
        &self,
        conversation: ConversationId,
        command: Command,
        blocked: Option<bool>,
        asker: impl Asker,
        entering: Option<oneshot::Sender<Result<(), Refused>>>,
    ) -> Result<(), Refused> {
        let correlation = self.next.fetch_add(1, Ordering::Relaxed);
        let device = asker.device().filter(|_| self.services.mailboxes.is_durable());
        let is_inline = leads_to_inline(&command.kind);
        let asked =
            Asked { conversation, id: command.id, author: command.actor, hash: command.hash, device, is_inline };
        let envelope = Envelope { reply_to: self.node, correlation, conversation, blocked, device, command };
        let ways = self.ways.open().await?;
        let since = self.services.clock.now();
        let pending = Pending { since, asked, asker: Box::new(asker), is_accepted: false, entering };
        {
            let mut all = self.pending.lock();
            if all.len() >= PENDING_MAX {
                return Err(Refused::Full);
            }
            all.insert(correlation, pending);
        }
        let sets_out = self.ways.sets_out();
        let (partition, way) = ways.to(conversation);
        match &way.lane {
            Some(lane) => {
                lane.put(correlation, envelope.encode()).await;
                sets_out.goes();
            }
            None => {
                let answer = self.services.commands.submit(partition, envelope.encode()).await;
                sets_out.goes();
                self.answered(&way.submitted, &[correlation], answer);
            }
        }
        Ok(())
    }

    /// What the queue said to these commands.
    fn answered(&self, submitted: &Counter, correlations: &[u64], answer: Result<(), Error>) {
        self.ways.arrived(correlations.len());
        match answer {
            Ok(()) if !self.ways.may_send() => self.refuse(correlations, Refused::Unavailable),
            Ok(()) => {
                submitted.increment(correlations.len() as u64);
                self.taken(correlations);
            }
            Err(error) if error.kind == ErrorKind::Full => self.refuse(correlations, Refused::Full),
            Err(_) => self.refuse(correlations, Refused::Unavailable),
        }
    }

    fn taken(&self, correlations: &[u64]) {
        let mut accepted = Vec::with_capacity(correlations.len());
        let mut all = self.pending.lock();
        for correlation in correlations {
            // Its outcome may have come already.
            let Some(pending) = all.get_mut(correlation) else { continue };
            if pending.asked.device.is_some() && self.services.keeps_commands() {
                pending.is_accepted = true;
                accepted.push(*correlation);
            }
            if let Some(entering) = pending.entering.take() {
                // Who asked may have gone away.
                let _ = entering.send(Ok(()));
            }
        }
        drop(all);
        if !accepted.is_empty() {
            // Whoever hears it is there as long as this is.
            let _ = self.accepted.send(accepted);
        }
    }

    fn refuse(&self, correlations: &[u64], refused: Refused) {
        let refuse = |correlation| self.pending.lock().remove(correlation);
        for Pending { asker, entering, .. } in correlations.iter().filter_map(refuse) {
            match entering {
                Some(entering) => drop(entering.send(Err(refused))),
                None => asker.refused(refused),
            }
        }
    }

    /// Does a command, and waits for what becomes of it.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn command(
        &self,
        conversation: ConversationId,
        command: Command,
        blocked: Option<bool>,
    ) -> Result<Outcome, Refused> {
        let (tell, told) = oneshot::channel();
        self.submit(conversation, command, blocked, tell).await?;
        Ok(told.await.unwrap_or(Outcome::Failed(Failure::Unavailable)))
    }

    /// How many outcomes are waited for.
    pub fn waiting(&self) -> usize {
        self.pending.lock().len()
    }

    fn arrived(&self, payload: bytes::Bytes) {
        match decode_outcomes(payload) {
            Ok(outcomes) => outcomes.into_iter().for_each(|(correlation, outcome)| self.settle(correlation, outcome)),
            Err(error) => tracing::warn!(%error, "outcomes could not be read"),
        }
    }

    fn settle(&self, correlation: u64, outcome: Outcome) {
        let pending = self.pending.lock().remove(&correlation);
        if let Some(pending) = pending {
            pending.asker.decided(outcome);
        }
    }

    fn sweep(&self) {
        let now = self.services.clock.now();
        let is_over = |pending: &Pending| {
            pending.asker.is_gone() || (!pending.is_accepted && now.ms_since(pending.since) > PATIENCE_MS)
        };
        let over: Vec<_> = self.pending.lock().extract_if(|_, pending| is_over(pending)).collect();
        metrics::gauge!("klatch_outcomes_waited_for").set(self.waiting() as f64);
        for (_, pending) in over {
            pending.asker.decided(Outcome::Failed(Failure::Unavailable));
        }
    }
}

/// A call that waits for its outcome in this process.
impl Asker for oneshot::Sender<Outcome> {
    fn device(&self) -> Option<DeviceId> {
        None
    }

    fn accepted(&self) {}

    fn decided(self: Box<Self>, outcome: Outcome) {
        // The caller may have gone away meanwhile; then nobody needs to know.
        let _ = self.send(outcome);
    }

    /// Its caller waits for the queue's word.
    fn refused(self: Box<Self>, _: Refused) {}

    fn is_gone(&self) -> bool {
        self.is_closed()
    }
}
