//! How much waits in each partition, so that a full one refuses at once: what the brokers say, looked at each second while commands are
//! submitted, and what this process submitted and settled since. Several processes that submit may exceed the limit together, by what
//! they submit in a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use klatch_ports::commands::unknown;
use klatch_ports::{Error, ErrorKind};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaResult;
use tokio::sync::watch;

use crate::drivers::kafka::{Kafka, Observer, Offsets, committed, ends, starts};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// How much of what the client has to tell is heard after a look, so that it does not gather: it is about one thing a second.
const HEARD_MAX: usize = 8;

/// What waits in each partition.
pub(super) struct Backlog {
    limit: i64,
    depths: Mutex<Vec<Depth>>,
    /// Whether somebody submitted since the last look.
    is_asked: AtomicBool,
    /// Of how many partitions there was a look.
    known: watch::Sender<usize>,
    /// Asks for a look now. When this goes, the thread ends.
    look_now: mpsc::Sender<()>,
}

/// What waits in a partition.
#[derive(Default)]
struct Depth {
    /// The offset after the last command, as far as we know.
    end: i64,
    /// The offset after the last command that was settled, as far as we know.
    settled: i64,
    /// Commands on their way.
    coming: i64,
}

impl Backlog {
    /// Begins to look.
    ///
    /// # Errors
    /// `Unavailable`: there is no client or no thread to be had. `Broken`: so many partitions cannot be.
    pub fn watch(kafka: &Kafka, group: &str, topic: &str, partitions: usize) -> Result<Arc<Self>, Error> {
        i32::try_from(partitions).map_err(|error| Error::new(ErrorKind::Broken, error))?;
        let observer = kafka.observer(group)?;
        let (look_now, asked) = mpsc::channel();
        let backlog = Arc::new(Self {
            limit: kafka.queue_limit().into(),
            depths: Mutex::new((0..partitions).map(|_| Depth::default()).collect()),
            is_asked: true.into(),
            known: watch::Sender::new(0),
            look_now,
        });
        let (watched, topic, timeout) = (Arc::downgrade(&backlog), topic.to_owned(), kafka.timeout());
        let work = move || {
            while let Some(backlog) = watched.upgrade() {
                if backlog.is_asked.swap(false, Ordering::Relaxed) {
                    match backlog.look(&observer, &topic, timeout) {
                        Ok(()) => {}
                        Err(error) => {
                            // Until then what we knew holds, with what we submit ourselves.
                            tracing::warn!(topic, %error, "how many commands wait is not known");
                            backlog.is_asked.store(true, Ordering::Relaxed);
                        }
                    }
                }
                drop(backlog);
                for _ in 0..HEARD_MAX {
                    // To wait here would cost a millisecond of CPU: the driver goes round in circles for what is left of its last one.
                    let _ = observer.poll(Duration::ZERO);
                }
                if asked.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected) {
                    break;
                }
            }
        };
        std::thread::Builder::new().name("klatch-kafka-lag".to_owned()).spawn(work).map_err(Error::unavailable)?;
        Ok(backlog)
    }

    /// Looks at so many partitions from now on, and returns once it is known how much waits in each.
    ///
    /// # Errors
    /// `Unavailable`: not within the timeout. `Broken`: so many cannot be.
    pub async fn grow(&self, partitions: usize, timeout: Duration) -> Result<(), Error> {
        i32::try_from(partitions).map_err(|error| Error::new(ErrorKind::Broken, error))?;
        {
            let mut depths = self.depths();
            let count = depths.len().max(partitions);
            depths.resize_with(count, Depth::default);
        }
        self.is_asked.store(true, Ordering::Relaxed);
        self.look_now.send(()).map_err(Error::unavailable)?;
        self.until_known(partitions, timeout).await
    }

    async fn until_known(&self, partitions: usize, timeout: Duration) -> Result<(), Error> {
        let mut known = self.known.subscribe();
        let known = tokio::time::timeout(timeout, known.wait_for(|known| *known >= partitions)).await;
        let unknown = |_| Error::unavailable("it is not known yet how many commands wait");
        known.map_err(unknown)?.map(drop).map_err(Error::unavailable)
    }

    /// Makes room for one command, as long as the place lives.
    ///
    /// # Errors
    /// `Full`. `Unavailable`: it is not known yet how many wait. `Broken`: no such partition is looked at.
    pub async fn enter(&self, partition: usize, timeout: Duration) -> Result<Entering<'_>, Error> {
        self.is_asked.store(true, Ordering::Relaxed);
        // Without waiting where that can be, so that those who submit side by side come in the order in which they ask.
        if *self.known.borrow() <= partition {
            if self.depths().len() <= partition {
                return Err(unknown(partition));
            }
            self.until_known(partition + 1, timeout).await?;
        }
        let mut depths = self.depths();
        let depth = &mut depths[partition];
        if depth.end - depth.settled + depth.coming >= self.limit {
            return Err(Error::new(ErrorKind::Full, "the partition's queue is full"));
        }
        depth.coming += 1;
        Ok(Entering { backlog: self, partition })
    }

    /// A consumer of this process settled everything before this offset.
    pub fn settled(&self, partition: usize, offset: i64) {
        let mut depths = self.depths();
        let depth = &mut depths[partition];
        depth.settled = depth.settled.max(offset);
    }

    fn look(&self, observer: &Observer, topic: &str, timeout: Duration) -> KafkaResult<()> {
        let count = self.depths().len();
        if *self.known.borrow() < count {
            // What the client has heard of the topic may be older than some of the partitions, and it asks about none that it does not know.
            observer.fetch_metadata(Some(topic), timeout)?;
        }
        let (ends, settled) = ask(observer, topic, number(count), timeout)?;
        for (number, depth) in (0..).zip(self.depths().iter_mut()) {
            // Both only grow, and we may know more by now. One of the two alone would say nothing.
            if let (Some(end), Some(settled)) = (ends.get(&number), settled.get(&number)) {
                depth.end = depth.end.max(*end);
                depth.settled = depth.settled.max(*settled);
            }
        }
        self.known.send_replace(count);
        Ok(())
    }

    fn depths(&self) -> MutexGuard<'_, Vec<Depth>> {
        self.depths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A command on its way.
pub(super) struct Entering<'a> {
    backlog: &'a Backlog,
    partition: usize,
}

impl Entering<'_> {
    /// Its partition, as Kafka counts it.
    pub fn partition(&self) -> i32 {
        number(self.partition)
    }

    /// It is there, at this offset.
    pub fn taken(self, offset: i64) {
        let mut depths = self.backlog.depths();
        let depth = &mut depths[self.partition];
        depth.end = depth.end.max(offset + 1);
    }
}

impl Drop for Entering<'_> {
    fn drop(&mut self) {
        self.backlog.depths()[self.partition].coming -= 1;
    }
}

/// As Kafka counts a partition, or partitions.
pub(super) fn number(partition: usize) -> i32 {
    i32::try_from(partition).expect("nobody looks at more partitions than that")
}

/// The end of each partition, and how far it is settled.
fn ask(observer: &Observer, topic: &str, partitions: i32, timeout: Duration) -> KafkaResult<(Offsets, Offsets)> {
    let committed = committed(observer, topic, 0..partitions, timeout)?;
    // Where nothing was settled yet, everything waits that is there.
    let never = (0..partitions).filter(|partition| !committed.contains_key(partition));
    let mut settled = starts(observer, topic, never, timeout)?;
    settled.extend(committed);
    Ok((ends(observer, topic, 0..partitions, timeout)?, settled))
}
