//! The ways of commands into the queues, as many as there are partitions; and how everything is held back on this process while that number
//! changes, so that whoever sent one command before and one after has them decided in that order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use klatch_core::ids::ConversationId;
use klatch_ports::Error;
use klatch_ports::partitions::{Change, Map, SENDS_MS};
use metrics::Counter;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Refused;
use crate::lanes::Lane;
use crate::partitioning::partition;
use crate::services::Services;

/// Between two looks at the map while something is held back.
const HOLD_LOOK_EVERY: Duration = Duration::from_millis(50);
/// Between two looks whether the queues have confirmed what is under way.
const IDLE_LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long commands are held back where nobody says what became of the change. After that they are refused, until somebody does.
const HELD_MAX: Duration = Duration::from_secs(15);

/// The ways.
pub struct Ways {
    services: Arc<Services>,
    open: RwLock<Open>,
    /// Commands that a queue has not confirmed.
    under_way: AtomicUsize,
    /// From when this is cancelled, what is held back is refused, and so is all that follows.
    let_go: CancellationToken,
    /// Until when this process may send by what it was told: milliseconds of [`steady_ms`].
    until: AtomicU64,
    way: Box<dyn Fn(usize) -> Way + Send + Sync>,
}

/// The way into one queue.
pub struct Way {
    /// Commands that the queue took.
    pub submitted: Counter,
    /// Where the queue takes its time to confirm.
    pub lane: Option<Lane>,
}

/// A command that is about to be put into a queue: whoever drops this has not.
pub struct SetsOut<'a>(&'a Ways);

impl SetsOut<'_> {
    /// It was put there: the queue's answer ends it.
    pub fn goes(self) {
        std::mem::forget(self);
    }
}

impl Drop for SetsOut<'_> {
    fn drop(&mut self) {
        self.0.arrived(1);
    }
}

/// The ways, as long as nobody holds anything back.
pub struct Open {
    partitions: usize,
    /// False where a change may have been made that this process has not heard of.
    is_known: bool,
    ways: Vec<Way>,
}

impl Open {
    /// The partition of a conversation, and the way to it.
    pub fn to(&self, conversation: ConversationId) -> (usize, &Way) {
        let partition = partition(conversation, self.partitions);
        (partition, &self.ways[partition])
    }
}

impl Ways {
    /// Begins to send; `way` makes that to a partition. Where the number of partitions changes just then, once that is over. From when
    /// `let_go` is cancelled, whatever is held back is refused, and all that follows it; nor is anything waited for: whoever changes it
    /// may wait for this process to end.
    ///
    /// # Errors
    /// The port `partitions` failed.
    pub async fn begin(
        services: Arc<Services>,
        let_go: CancellationToken,
        way: impl Fn(usize) -> Way + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let open = Open { partitions: 0, is_known: false, ways: Vec::new() };
        let (open, under_way, until) = (RwLock::new(open), AtomicUsize::new(0), AtomicU64::new(0));
        let ways = Self { services, open, under_way, let_go, until, way: Box::new(way) };
        let mut map = ways.read(None).await?;
        while let Some(change) = map.change {
            tokio::select! {
                () = sleep(HOLD_LOOK_EVERY) => {}
                () = ways.let_go.cancelled() => return Ok(ways),
            }
            map = ways.read(Some(change)).await?;
        }
        ways.go_by(&mut *ways.open.write().await, map).await?;
        Ok(ways)
    }

    /// The ways, once nothing holds commands back. They stay open as long as the guard is held.
    ///
    /// # Errors
    /// `Unavailable`: it is not known any more how many there are.
    pub async fn open(&self) -> Result<RwLockReadGuard<'_, Open>, Refused> {
        let open = self.open.read().await;
        if open.is_known && self.may_send() { Ok(open) } else { Err(Refused::Unavailable) }
    }

    /// Whether what this process was told counts still. Whoever is told `accepted` after that could have sent what is decided later than
    /// what they send next.
    pub fn may_send(&self) -> bool {
        steady_ms() < self.until.load(Ordering::Acquire)
    }

    /// A command is about to be put into a queue.
    pub fn sets_out(&self) -> SetsOut<'_> {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        SetsOut(self)
    }

    /// The queue has answered so many.
    pub fn arrived(&self, count: usize) {
        self.under_way.fetch_sub(count, Ordering::AcqRel);
    }

    /// Does what the map says.
    pub async fn follow(&self) {
        let followed = match self.read(None).await {
            Ok(Map { change: Some(change), .. }) => self.hold(change).await,
            Ok(map) if self.is_new(map).await => self.go_by(&mut *self.closed().await, map).await,
            told => told.map(drop),
        };
        if let Err(error) = followed {
            tracing::debug!(%error, "how many partitions there are is not known anew");
        }
    }

    async fn is_new(&self, map: Map) -> bool {
        let open = self.open.read().await;
        !open.is_known || open.partitions != map.partitions
    }

    /// Holds everything back until a change is over.
    async fn hold(&self, change: Change) -> Result<(), Error> {
        self.services.commands.grow(change.partitions).await?;
        let mut open = self.closed().await;
        let begun = Instant::now();
        loop {
            match self.read(Some(change)).await {
                Ok(map) if map.change == Some(change) => {}
                Ok(map) => {
                    tracing::info!(partitions = map.partitions, held = ?begun.elapsed(), "commands go on");
                    return self.go_by(&mut open, map).await;
                }
                Err(error) if begun.elapsed() > HELD_MAX => {
                    open.is_known = false;
                    return Err(error);
                }
                Err(_) => {}
            }
            tokio::select! {
                () = sleep(HOLD_LOOK_EVERY) => {}
                () = self.let_go.cancelled() => {
                    open.is_known = false;
                    return Ok(());
                }
            }
        }
    }

    /// Holds everything back, with nothing on its way, as long as the guard is held.
    async fn closed(&self) -> RwLockWriteGuard<'_, Open> {
        let open = self.open.write().await;
        while self.under_way.load(Ordering::Acquire) > 0 {
            sleep(IDLE_LOOK_EVERY).await;
        }
        open
    }

    async fn read(&self, holds: Option<Change>) -> Result<Map, Error> {
        let (asked_at, Services { process, clock, partitioning, .. }) = (steady_ms(), &*self.services);
        let map = partitioning.send(process, holds.map(|change| change.attempt), clock.now()).await?;
        self.until.store(asked_at + SENDS_MS, Ordering::Release);
        Ok(map)
    }

    async fn go_by(&self, open: &mut Open, map: Map) -> Result<(), Error> {
        open.is_known = false;
        self.services.commands.grow(map.partitions).await?;
        open.ways.extend((open.ways.len()..map.partitions).map(&self.way));
        (open.partitions, open.is_known) = (map.partitions, !self.let_go.is_cancelled());
        self.services.partitioning.learned(map);
        Ok(())
    }
}

/// Milliseconds of a clock that nobody sets, and that counts while the machine sleeps.
fn steady_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or_default() * 1_000 + u64::try_from(now.tv_nsec).unwrap_or_default() / 1_000_000
}
