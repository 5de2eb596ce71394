//! Everybody who sends holds commands back, and whatever is in the queues is decided, up to a mark. Whatever stands in the way of that ends
//! it, and everything goes on as it was.

use std::time::Duration;

use futures_util::future::try_join_all;
use klatch_ports::partitions::Sender;
use klatch_ports::{Error, ErrorKind};
use klatch_protocol::log::encode_mark;
use tokio::time::{Instant, sleep};

use crate::services::Services;

/// Who was told the map so long ago does not answer: milliseconds. A sender asks each second, and clocks differ.
const SILENT_MS: u64 = 15_000;
/// Whoever lives, and reaches the database, says so within this time.
const SPEAKS_WITHIN: Duration = super::LOOK_EVERY.saturating_mul(4);
/// How long people may wait for all senders to hold, and as long again for what is in the queues.
const WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why everything is as it was.
#[derive(thiserror::Error, Debug)]
pub enum NotHeld {
    /// Of two who try, one does.
    #[error("a change of the partitions is under way")]
    Changing,
    /// Who may be dead, or may not reach the database and send nevertheless.
    #[error("some of those who send do not answer: {}", named(.0))]
    Silent(Vec<Sender>),
    /// Who was said to be dead, and says that it sends.
    #[error("not dead are {}: they say that they send", .0.join(", "))]
    Living(Vec<String>),
    /// Who did not hold in time.
    #[error("not all of those who send held back in time: {}", .0.join(", "))]
    Late(Vec<String>),
    /// Where too much waits, or nobody decides.
    #[error("what waits in the queues was not decided in time, in partitions {0:?}")]
    NotDrained(Vec<usize>),
    /// It took too long, or somebody else ended it.
    #[error("the change was ended by others, since it stood still")]
    Ended,
    /// A server said no.
    #[error(transparent)]
    Failed(#[from] Error),
}

fn named(senders: &[Sender]) -> String {
    senders.iter().map(|sender| sender.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Everybody holds back, and the queues are empty, as long as this is driven: [`DRIVEN_MS`](klatch_ports::partitions::DRIVEN_MS) after the last
/// time, everything goes on as it was.
pub struct Hold<'a> {
    services: &'a Services,
    attempt: u64,
    begun: Instant,
}

impl<'a> Hold<'a> {
    /// Has everybody hold back, and waits until the queues are empty, before there are `to` partitions instead of `from`. `gone` are
    /// senders that are dead for sure.
    ///
    /// # Errors
    /// As [`NotHeld`] says: then everything is as it was.
    pub async fn begin(services: &'a Services, from: usize, to: usize, gone: &[String]) -> Result<Self, NotHeld> {
        let (port, clock) = (&services.partitioning.port, &services.clock);
        bury(services, gone).await?;
        let mut senders = port.senders(clock.now()).await?;
        senders.retain(|sender| clock.now().ms_since(sender.at) > SILENT_MS);
        if !senders.is_empty() {
            return Err(NotHeld::Silent(senders));
        }
        services.commands.grow(to).await?;
        let attempt = port.begin(to, clock.now()).await.map_err(|error| match error.kind {
            ErrorKind::Conflict => NotHeld::Changing,
            _ => NotHeld::Failed(error),
        })?;
        let hold = Self { services, attempt, begun: Instant::now() };
        match hold.settle(from).await {
            Ok(()) => Ok(hold),
            Err(failure) => {
                hold.give_up().await;
                Err(failure)
            }
        }
    }

    /// Waits until everybody holds, and the queues of so many partitions are empty.
    async fn settle(&self, partitions: usize) -> Result<(), NotHeld> {
        let deadline = Instant::now() + WITHIN;
        loop {
            self.drive().await?;
            let Services { partitioning, clock, .. } = self.services;
            let senders = partitioning.port.senders(clock.now()).await?;
            let others = senders.into_iter().filter(|sender| sender.holds != Some(self.attempt));
            let others: Vec<_> = others.map(|sender| sender.name).collect();
            match others.is_empty() {
                true => break,
                false if Instant::now() > deadline => return Err(NotHeld::Late(others)),
                false => sleep(LOOK_EVERY).await,
            }
        }
        let mark = encode_mark(self.attempt);
        let marks = (0..partitions).map(|partition| self.services.commands.submit(partition, mark.clone()));
        try_join_all(marks).await?;
        let deadline = Instant::now() + WITHIN;
        loop {
            let drained = self.drive().await?;
            let left: Vec<_> = (0..partitions).filter(|partition| !drained.contains(partition)).collect();
            match left.is_empty() {
                true => return Ok(()),
                false if Instant::now() > deadline => return Err(NotHeld::NotDrained(left)),
                false => sleep(LOOK_EVERY).await,
            }
        }
    }

    /// Has it last, and tells which partitions are drained.
    ///
    /// # Errors
    /// `Ended`, `Failed`.
    pub async fn drive(&self) -> Result<Vec<usize>, NotHeld> {
        let Services { partitioning, clock, .. } = self.services;
        partitioning.port.drive(self.attempt, clock.now()).await.map_err(ended)
    }

    /// From when somebody may have begun to hold commands back.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// What is held back goes on, into as many partitions as this began for. Returns how long it may have been held back.
    ///
    /// # Errors
    /// `Ended`, `Failed`: it went on as it was, or does so soon.
    pub async fn finish(self) -> Result<Duration, NotHeld> {
        let Services { partitioning, clock, .. } = self.services;
        partitioning.port.finish(self.attempt, clock.now()).await.map_err(ended)?;
        Ok(self.begun.elapsed())
    }

    /// What is held back goes on as it was.
    pub async fn give_up(self) {
        // Where this fails too, it ends by itself.
        if let Err(error) = self.services.partitioning.port.abandon(self.attempt).await {
            tracing::warn!(%error, "commands go on when they have been held back for long enough");
        }
    }
}

/// Forgets those who are said to be dead, and makes sure that none of them says again that it sends: it would go on by the former number.
async fn bury(services: &Services, gone: &[String]) -> Result<(), NotHeld> {
    if gone.is_empty() {
        return Ok(());
    }
    let (port, clock) = (&services.partitioning.port, &services.clock);
    for name in gone {
        port.leave(name).await?;
    }
    sleep(SPEAKS_WITHIN).await;
    let senders = port.senders(clock.now()).await?.into_iter().map(|sender| sender.name);
    let living: Vec<_> = senders.filter(|name| gone.contains(name)).collect();
    if living.is_empty() { Ok(()) } else { Err(NotHeld::Living(living)) }
}

fn ended(error: Error) -> NotHeld {
    if error.kind == ErrorKind::Conflict { NotHeld::Ended } else { error.into() }
}
